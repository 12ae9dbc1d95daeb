"""What carries an agreement from sent to done, and a signer's window to its end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pikepdf import Pdf
from sqlmodel import col, delete, select
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from adapters.pdf_seal import SealUnavailable, seal
from adapters.signing_certificate import made
from adapters.temporal import Telegraph
from commands.agreement import cancel_agreement
from commands.agreement_erasure import erase_agreement
from commands.agreement_read import read_sealed
from commands.agreement_reconcile import reconcile_agreements
from commands.erasure import erase_party, erase_session
from commands.room import Visitor, decline_room
from commands.signing_certificate import certificate_of, keep_certificate
from commands.signing_session import hear_signing, leave_signing
from domain.agreement import AgreementState
from domain.agreement_errors import NoSigningCertificate
from domain.agreement_field import FieldKind
from domain.housekeeping import Swept
from domain.workflow_names import agreement_id, signing_session_id
from store.agreement import AgreementRow
from store.mail import MailRow
from store.public_session import PublicSessionRow
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import CONTRACT, DRAWN, Desk, write_of
from tests.rooms.house import ANNA
from tests.rooms.works import Works, eventually, kinds_of, works


@pytest_asyncio.fixture
async def at(time_skipping: WorkflowEnvironment, database_url: str) -> AsyncIterator[Works]:
    """A house at work."""
    async with works(time_skipping, database_url) as at, at.working():
        yield at


@pytest.fixture
def desk(at: Works) -> Desk:
    """Where its agreements lie."""
    return Desk(at.house)


def agreement(at: Works, one: UUID) -> WorkflowHandle[Any, Any]:
    return at.client.get_workflow_handle(agreement_id(one))


async def window(at: Works) -> WorkflowHandle[Any, Any]:
    """The workflow of the only signing session there is."""
    async with at.house.transactions.work() as work:
        row = (await work.db.scalars(select(SigningSessionRow))).one()
    return at.client.get_workflow_handle(signing_session_id(row.id))


async def sign(at: Works, desk: Desk, whole: Any, position: int) -> Visitor:
    """A signer who opens and signs."""
    await eventually(lambda: is_asked(desk, whole, position))
    visitor = await desk.visitor(whole, position, f"door-{position}")
    opened = await desk.open(visitor, f"w{position}")
    await desk.sign(visitor, write_of(opened), {f"signature-{position}": DRAWN})
    await at.courier.drain()
    return visitor


async def is_asked(desk: Desk, whole: Any, position: int) -> bool:
    return (await desk.now(whole.row.id)).signers[position - 1].session_id is not None


async def is_done(desk: Desk, whole: Any) -> bool:
    return (await desk.now(whole.row.id)).row.state == "done"


async def test_signers_are_asked_in_turn_and_everybody_gets_the_sealed_document(
    at: Works, desk: Desk
) -> None:
    # EX-23, PS-43: sent → active → done, by a Request to Sign each.
    whole = await desk.sent("Vera Ltd", "Boris Inc")
    assert not await is_asked(desk, whole, 2)
    await sign(at, desk, whole, 1)
    await sign(at, desk, whole, 2)
    await eventually(lambda: is_done(desk, whole))
    assert (await agreement(at, whole.row.id).result())["state"] == "done"
    after = await desk.now(whole.row.id)
    assert after.row.sealed_level == "B-LT"
    for each in after.signers:
        assert each.session_id is not None
        await at.sent(each.session_id)
        kinds = [mail.kind for mail in await at.house.mails(each.session_id)]
        assert kinds[0] == "signature_request"
        assert "signed_copy" in kinds
    attached = [
        part.get_content()
        for mail in at.office.taken
        for part in mail.iter_attachments()
        if part.get_filename() == "Supply agreement.pdf"
    ]
    assert len(attached) == 3
    assert len(set(attached)) == 1
    with Pdf.open(BytesIO(attached[0])) as pdf:
        (field,) = pdf.Root.AcroForm.Fields
        left, bottom, right, top = map(float, field.Rect)
    assert left < right
    assert bottom < top


async def test_one_that_was_done_before_the_rows_were_restored_is_done_again(
    at: Works, desk: Desk
) -> None:
    # N3: the database is from before the seal, and Temporal is through with it.
    whole = await desk.sent()
    visitor = await sign(at, desk, whole, 1)
    await agreement(at, whole.row.id).result()
    await at.sent(visitor.session_id)
    async with at.house.transactions.work() as work:
        await work.db.execute(delete(MailRow).where(col(MailRow.cause).contains(str(whole.row.id))))
        row = await work.db.get_one(AgreementRow, whole.row.id)
        row.state, row.ended_at, row.sealed_paper_id = AgreementState.ACTIVE, None, None
    telegraph = Telegraph(at.client, timedelta(seconds=3))
    later = at.house.clock() + timedelta(minutes=11)
    swept = await reconcile_agreements(at.house.transactions, telegraph, later, "")
    assert swept == Swept(1)
    await at.courier.drain()
    await eventually(lambda: is_done(desk, whole))
    assert (await desk.now(whole.row.id)).row.sealed_paper_id is not None


async def test_what_keeps_it_from_being_sealed_is_shown_and_tried_again(
    at: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # N3: never "all have signed, but pending"; the cause stands on the agreement.
    tries: list[int] = []

    async def away_twice(*given: Any, **more: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise SealUnavailable("time stamps")
        return await seal(*given, **more)

    monkeypatch.setattr("commands.agreement_seal.seal", away_twice)
    whole = await desk.sent()
    await sign(at, desk, whole, 1)

    async def has_failed() -> bool:
        row = (await desk.now(whole.row.id)).row
        return row.seal_failures > 0 and row.seal_error == "SealUnavailable"

    await eventually(has_failed)
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, whole.row.id).result())["state"] == "done"
    row = (await desk.now(whole.row.id)).row
    assert (row.seal_failures, row.seal_error) == (2, "")


async def test_a_seal_says_when_it_was_made_and_not_when_it_was_first_tried(
    at: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PS-43, N3: not before there was the certificate, which a member made meanwhile.
    tries: list[int] = []

    async def away(*given: Any, **more: Any) -> Any:
        tries.append(1)
        if len(tries) < 8:
            raise SealUnavailable("time stamps")
        return await seal(*given, **more)

    monkeypatch.setattr("commands.agreement_seal.seal", away)
    whole = await desk.sent()
    await sign(at, desk, whole, 1)
    await eventually(lambda: is_failing(desk, whole.row.id))
    await at.sleep(minutes=1)
    made_at = at.house.clock().replace(microsecond=0)
    async with at.house.transactions.work() as work:
        fresh = made("Demo Ltd", at=made_at, years=10)
        await keep_certificate(work, at.house.workspace_id, fresh, ANNA)
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, whole.row.id).result())["state"] == "done"
    async with at.house.transactions.work() as work:
        sealed = await read_sealed(work, await desk.now(whole.row.id), ANNA)
    with Pdf.open(BytesIO(sealed.pdf)) as pdf:
        (field,) = pdf.Root.AcroForm.Fields
        said = datetime.strptime(f"{str(field.V.M)[2:16]}Z", "%Y%m%d%H%M%S%z")
    assert made_at <= said <= made_at + timedelta(minutes=5)


async def test_a_seal_is_not_older_than_the_certificate_that_makes_it(
    at: Works, desk: Desk
) -> None:
    # PS-43: also where the clock of the worker is behind; without a list nothing else checks it.
    soon = at.house.clock() + timedelta(minutes=3)
    ahead = replace(made("Demo Ltd", at=soon + timedelta(hours=1), years=10), crls=())
    whole = await desk.sent()
    async with at.house.transactions.work() as work:
        await keep_certificate(work, at.house.workspace_id, ahead, ANNA)
    await sign(at, desk, whole, 1)
    await eventually(lambda: is_failing(desk, whole.row.id))
    assert (await desk.now(whole.row.id)).row.seal_error == "NoSigningCertificate"
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, whole.row.id).result())["state"] == "done"
    ended_at = (await desk.now(whole.row.id)).row.ended_at
    assert ended_at is not None
    assert ended_at >= ahead.not_before


async def test_a_certificate_that_is_gone_is_waited_for(
    at: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # N3: what a member can mend is no end either.
    tries: list[int] = []

    async def gone_twice(work: Any, workspace_id: UUID) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise NoSigningCertificate
        return await certificate_of(work, workspace_id)

    whole = await desk.sent()
    monkeypatch.setattr("commands.agreement_seal.certificate_of", gone_twice)
    await sign(at, desk, whole, 1)
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, whole.row.id).result())["state"] == "done"
    row = (await desk.now(whole.row.id)).row
    assert (row.seal_failures, row.seal_error) == (2, "")


async def test_a_signer_who_cannot_be_asked_is_shown_until_it_is_cancelled(
    at: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # N3, EX-23: it was sent while the erasure waited for the party's lock.
    async def saw_none(*_: Any) -> None:
        return

    monkeypatch.setattr("commands.erasure.leave_agreements", saw_none)
    whole = await desk.sent("Vera Ltd", "Boris Inc")
    party = whole.signers[1].party_id
    async with at.house.transactions.work() as work:
        await erase_party(work, at.house.workspace_id, party, "asked", ANNA)
    visitor = await desk.visitor(whole, 1, "door-1")
    await desk.sign(visitor, write_of(await desk.open(visitor, "w1")), {"signature-1": DRAWN})
    await at.courier.drain()

    async def is_blocked() -> bool:
        return (await desk.now(whole.row.id)).row.seal_error == "Erased"

    await eventually(is_blocked)
    async with at.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "Boris is gone")
    await at.courier.drain()
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, whole.row.id).result())["state"] == "cancelled"


async def sign_contract(at: Works, desk: Desk, template: dict[str, Any]) -> PublicSessionRow:
    """The session of somebody who signed what a template's first task brought."""
    await desk.certify()
    await at.house.publish("contract", template)
    session = (await at.house.issue_to(await desk.party(), "contract")).session
    visitor = await at.house.enter(session.id)
    opened = await desk.open(visitor)
    typed = {FieldKind.DATE: "2026-11-29", FieldKind.SIGNATURE: DRAWN}
    values = {each.key: typed.get(each.kind, "Vera") for each in opened.fields}
    await desk.sign(visitor, write_of(opened), values)
    await at.courier.drain()
    return session


async def test_a_window_s_workflow_ends_with_its_signature(at: Works, desk: Desk) -> None:
    # SX-6: at once, though the session goes on with its next task
    right = {"key": "right", "kind": "confirmation", "title": "Right", "statement": "It is so."}
    tasks = [*CONTRACT["tasks"], right]
    session = await sign_contract(at, desk, CONTRACT | {"tasks": tasks})
    handle = await window(at)
    assert (await handle.result())["fence"] == 1
    assert "TIMER_FIRED" not in " ".join(kinds_of(await handle.fetch_history()))
    assert (await at.house.session(session.id)).status == "in_progress"


async def test_what_came_with_a_session_that_is_erased_before_its_seal_is_over(
    at: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # N3, PS-28: no key seals it any more, so nothing is tried for ever
    async def gone(work: Any, workspace_id: UUID) -> Any:
        raise NoSigningCertificate

    monkeypatch.setattr("commands.agreement_seal.certificate_of", gone)
    session = await sign_contract(at, desk, CONTRACT)
    (task,) = await at.house.tasks(session.id)
    assert task.agreement_id is not None
    one = task.agreement_id
    await eventually(lambda: is_failing(desk, one))
    async with at.house.transactions.work() as work:
        await erase_session(work, at.house.target(session), "asked to")
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, one).result())["state"] == "cancelled"


@pytest.mark.parametrize("tries", [True, False])
async def test_one_that_is_erased_before_its_seal_is_over(
    at: Works, desk: Desk, monkeypatch: pytest.MonkeyPatch, tries: bool
) -> None:
    # N3, PS-28: erased between two tries, and while one of them is at work
    begun, erased = asyncio.Event(), asyncio.Event()

    async def gone(work: Any, workspace_id: UUID) -> Any:
        raise NoSigningCertificate

    async def slow(*given: Any, **more: Any) -> Any:
        begun.set()
        await erased.wait()
        return await seal(*given, **more)

    if tries:
        monkeypatch.setattr("commands.agreement_seal.certificate_of", gone)
    else:
        monkeypatch.setattr("commands.agreement_seal.seal", slow)
    whole = await desk.sent("Vera Ltd")
    await sign(at, desk, whole, 1)
    await (eventually(lambda: is_failing(desk, whole.row.id)) if tries else begun.wait())
    async with at.house.transactions.work() as work:
        await erase_agreement(work, desk.target(whole.row.id), "asked to")
    await at.courier.drain()
    erased.set()
    async with at.skips.time_skipping_unlocked():
        assert (await agreement(at, whole.row.id).result())["state"] == "cancelled"
    row = (await desk.now(whole.row.id)).row
    assert (row.sealed_paper_id, row.title) == (None, "")


async def is_failing(desk: Desk, one: UUID) -> bool:
    return (await desk.now(one)).row.seal_failures > 0


async def test_cancelling_ends_the_sessions_of_those_who_were_asked(at: Works, desk: Desk) -> None:
    # EX-23
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    await sign(at, desk, whole, 1)
    async with at.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "terms changed")
    await at.courier.drain()
    assert (await agreement(at, whole.row.id).result())["state"] == "cancelled"
    ends = [(await at.house.session(await desk.session_of(whole, n))).end_reason for n in (1, 2)]
    assert ends == ["completed", "revoked"]


async def test_declining_tells_the_sender_and_moves_nothing_else(at: Works, desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc")
    visitor = await desk.visitor(whole)
    await desk.open(visitor)
    async with at.house.transactions.work() as work:
        await decline_room(work, visitor, "Not at this price.")
    session_id = await desk.session_of(whole)
    await at.outcome(session_id)
    await at.sent(session_id)
    assert [each.kind for each in await at.house.mails(session_id)][-1] == "issuer_declined"
    assert (await desk.now(whole.row.id)).row.state == "active"
    assert not await is_asked(desk, whole, 2)


async def test_a_silent_window_ends_in_at_most_six_events_and_another_goes_on(
    at: Works, desk: Desk
) -> None:
    # C18: 5 minutes, then 60 seconds. SX-3: signs of life are in the row, not in the history.
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    opened = await desk.open(visitor)
    await at.courier.drain()
    handle = await window(at)
    for _ in range(20):
        async with at.house.transactions.work() as work:
            await hear_signing(work, visitor, "sign", write_of(opened).place, active=False)
    before = await handle.fetch_history()
    await at.sleep(minutes=7)
    after = kinds_of(await handle.fetch_history())[len(before.events) :]
    assert len(after) <= 6, after
    async with at.house.transactions.work() as work:
        row = (await work.db.scalars(select(SigningSessionRow))).one()
    assert row.end_reason == "inactive"
    again = await desk.open(visitor, "w2")
    assert again.row is not None
    assert again.row.fence == 2
    await at.courier.drain()
    await desk.sign(visitor, write_of(again))
    await at.courier.drain()
    assert (await handle.result())["fence"] == 2


async def test_a_window_at_work_is_left_alone(at: Works, desk: Desk) -> None:
    # SX-3: activity moves the end, without a message to the workflow.
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    opened = await desk.open(visitor)
    for _ in range(4):
        await at.sleep(minutes=4)
        async with at.house.transactions.work() as work:
            await hear_signing(work, visitor, "sign", write_of(opened).place, active=True)
    async with at.house.transactions.work() as work:
        row = (await work.db.scalars(select(SigningSessionRow))).one()
        await leave_signing(work, visitor, "sign", write_of(opened).place)
    assert (row.end_reason, row.fence) == (None, 1)
    await at.courier.drain()
    again = await desk.open(visitor, "w2")
    assert again.row is not None
    assert again.row.fence == 2


async def test_the_bound_ends_a_window_that_nobody_left(at: Works, desk: Desk) -> None:
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor)
    session_id = await desk.session_of(whole)
    await at.outcome(session_id)
    row = await at.house.session(session_id)
    assert row.end_reason == "bound_reached"
    assert row.expires_at - row.issued_at == timedelta(days=14)
    assert (await (await window(at)).result())["fence"] == 1
