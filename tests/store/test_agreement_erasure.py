"""One agreement erased by itself, with the public sessions that asked for it (PS-28)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlmodel import select

from commands.agreement import Whole, cancel_agreement, change_agreement, send_agreement
from commands.agreement_advance import advance_agreement, finish_agreement, note_blocked
from commands.agreement_copy import copies_of_session
from commands.agreement_erasure import erase_agreement
from commands.agreement_read import read_sealed, version_pdf
from commands.agreement_seal import seal_agreement
from commands.audit_tree import extend_tree
from commands.erasure import erase_party, erase_session
from commands.public_session import reissue
from domain.agreement_errors import AgreementClosed
from domain.audit import AuditEvent
from domain.audit_tree import leaf_hash
from domain.errors import Erased, NotFound
from domain.tombstone import Fate
from domain.workflow_names import AGREEMENT
from store import migrate
from store.agreement import AgreementRow, AgreementSignerRow, AgreementVersionRow
from store.audit import AuditRow
from store.audit_tree import leaf_of
from store.columns import new_id
from store.editing_session import EditingSessionRow
from store.intent import IntentRow
from store.mail import MailRow
from store.paper import PaperRow
from store.public_session import PublicSessionRow
from store.tombstone import TombstoneRow
from tests.rooms.agreements import CONTRACT, DRAWN, Desk, write_of
from tests.rooms.house import ANNA, START, bare_house, furnish
from tests.rooms.member_browser import make_member
from tests.rooms.traces import CANARY, CONTROL, everything_stored, everything_that_opens

WHY = "asked for by letter 12"


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """A workspace in a database of its own, so that all of it can be searched."""
    async with bare_house(database_url) as house:
        yield Desk(house)


async def half_signed(desk: Desk, word: str) -> Whole:
    """An agreement with the word in everything that was written, which one of two has signed."""
    whole = await desk.sent(
        "Vera Ltd", "Boris Inc", title=f"Deal of {word}", message=f"Dear {word}", ordered=False
    )
    visitor = await desk.visitor(whole)
    given = {"title-1": f"Head of {word}", "signature-1": {"typed": word}}
    await desk.sign(visitor, write_of(await desk.open(visitor)), given)
    return await desk.now(whole.row.id)


async def signed_by_all(desk: Desk, word: str) -> Whole:
    whole = await half_signed(desk, word)
    visitor = await desk.visitor(whole, 2, "door-2")
    await desk.sign(visitor, write_of(await desk.open(visitor, "w2")), {"signature-2": DRAWN})
    return await desk.now(whole.row.id)


async def done(desk: Desk, word: str) -> Whole:
    whole = await signed_by_all(desk, word)
    await seal_agreement(desk.house.transactions, whole.row.id, desk.house.clock.now)
    async with desk.house.transactions.work() as work:
        await finish_agreement(work, whole.row.id)
    return await desk.now(whole.row.id)


async def draft(desk: Desk, word: str) -> Whole:
    party = await desk.party()
    return await desk.draft(party.id, title=f"Deal of {word}", message=f"Dear {word}")


async def erase(desk: Desk, agreement_id: UUID, rationale: str = WHY) -> Whole:
    async with desk.house.transactions.work() as work:
        return await erase_agreement(work, desk.target(agreement_id), rationale)


async def events(desk: Desk, event: AuditEvent) -> list[AuditRow]:
    return [each for each in await desk.house.all(AuditRow) if each.event == event]


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (draft, "cancelled"),
        (half_signed, "cancelled"),
        (signed_by_all, "cancelled"),
        (done, "done"),
    ],
)
async def test_nothing_that_is_left_tells_of_an_erased_agreement(
    desk: Desk, make: Any, state: str
) -> None:
    whole, control = await make(desk, CANARY), await make(desk, CONTROL)
    member = await make_member(desk.house)
    async with desk.house.transactions.work() as work:
        work.db.add(
            EditingSessionRow(
                workspace_id=whole.row.workspace_id,
                agreement_id=whole.row.id,
                member_id=member.id,
                member_session_id=new_id(),
                opened_at=work.at,
                heard_at=work.at,
                active_at=work.at,
                left_behind=[{"content": {"title": CANARY}}],
            )
        )
    assert CANARY.encode() in await everything_that_opens(desk.house)
    erased = await erase(desk, whole.row.id)
    assert (erased.row.title, erased.version.fields, erased.signers[0].values) == ("", [], {})
    left, stored = await everything_that_opens(desk.house), await everything_stored(desk.house)
    assert CANARY.encode() not in left + stored
    assert CONTROL.encode() in left
    for known in (whole.version.sha256, whole.version.paper_sha256, whole.row.sealed_sha256):
        assert not known or known == control.version.paper_sha256 or known.encode() not in stored
    after = await desk.now(whole.row.id)
    assert (after.row.state, after.row.erased_at) == (state, START)
    assert [each.name for each in after.signers] == [""] * len(whole.signers)
    assert [each.signed_at for each in after.signers] == [each.signed_at for each in whole.signers]
    papers = [each for each in await desk.house.all(PaperRow) if each.owner_id == whole.row.id]
    assert {(each.content, each.size) for each in papers} == {(b"", 0)}
    key = desk.house.transactions.vault.known(whole.row.id)
    assert key is not None
    assert key.is_destroyed


async def test_the_sessions_that_asked_for_it_go_with_it_those_of_before_too(desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    other = await desk.sent("Vera Ltd")
    first = await desk.house.session(await desk.session_of(whole))
    async with desk.house.transactions.work() as work:
        await reissue(work, desk.house.target(first), "lost the mail")
    await erase(desk, whole.row.id)
    kept = await desk.session_of(other)
    rows = await desk.house.all(PublicSessionRow)
    assert len(rows) == 4
    assert {each.id for each in rows if each.erased_at is None} == {kept}
    assert {each.end_reason for each in rows if each.id != kept} == {"revoked", "reissued"}
    # Nobody is mailed that it is over.
    assert {each.kind for each in await desk.house.all(MailRow)} == {"signature_request"}


async def test_who_erased_it_when_and_why_stays_readable_and_the_tree_whole(desk: Desk) -> None:
    whole = await half_signed(desk, CANARY)
    await erase(desk, whole.row.id)
    (event,) = await events(desk, AuditEvent.AGREEMENT_ERASED)
    assert (event.actor, event.at, event.subject) == (str(ANNA), START, f"agreement:{whole.row.id}")
    assert (event.details["rationale"], event.details["state"]) == (WHY, "cancelled")
    assert len(event.details["public_sessions"]) == 2
    for before in (AuditEvent.AGREEMENT_CREATED, AuditEvent.AGREEMENT_CANCELLED):
        (one,) = await events(desk, before)
        assert (one.told, one.commitment is None) == ({}, False)
    async with desk.house.transactions.work() as work:
        await extend_tree(work, desk.house.workspace_id)
    for row in await desk.house.all(AuditRow):
        assert leaf_hash(leaf_of(row).canonical()) == row.leaf_hash, row.event


async def test_twice_is_once(desk: Desk) -> None:
    whole = await desk.sent()
    first = await erase(desk, whole.row.id)
    desk.house.clock.turn(minutes=1)
    again = await erase(desk, whole.row.id, "once more")
    assert again.row.erased_at == first.row.erased_at
    assert len(await events(desk, AuditEvent.AGREEMENT_ERASED)) == 1
    found = select(TombstoneRow).where(TombstoneRow.fate == Fate.AGREEMENT_ERASED)
    async with desk.house.transactions.work() as work:
        assert [each.subject_id for each in await work.db.scalars(found)] == [whole.row.id]


async def test_verbs_and_files_of_an_erased_one_are_refused(desk: Desk) -> None:
    whole = await done(desk, CANARY)
    session_id = await desk.session_of(whole)
    await erase(desk, whole.row.id)
    after, target = await desk.now(whole.row.id), desk.target(whole.row.id)
    async with desk.house.transactions.work() as work:
        for read in (version_pdf(work, after, 1, ANNA), read_sealed(work, after, ANNA)):
            with pytest.raises(Erased):
                await read
        # An export of the party leaves out what is not there.
        assert await copies_of_session(work, session_id) == ()
        for verb in (
            cancel_agreement(work, target, "why"),
            send_agreement(work, target, after.value.current),
            change_agreement(work, target, after.value.current, {"title": CANARY}),
        ):
            with pytest.raises(AgreementClosed):
                await verb


async def test_what_comes_late_is_kept_nowhere(desk: Desk) -> None:
    # A worker that was asking, sealing or mailing meanwhile.
    whole = await signed_by_all(desk, CANARY)
    await erase(desk, whole.row.id)
    await seal_agreement(desk.house.transactions, whole.row.id, desk.house.clock.now)
    async with desk.house.transactions.work() as work:
        step = await advance_agreement(work, whole.row.id)
        await note_blocked(work, whole.row.id, CANARY)
        outcome = await finish_agreement(work, whole.row.id)
    assert (step.step, outcome.state) == ("over", "cancelled")
    row = (await desk.now(whole.row.id)).row
    assert (row.seal_error, row.sealed, row.sealed_paper_id) == ("", None, None)
    found = select(IntentRow.signal).where(IntentRow.workflow == AGREEMENT)
    async with desk.house.transactions.work() as work:
        assert "cancelled" in (await work.db.scalars(found)).all()


async def test_what_came_with_a_task_is_erased_with_its_session_and_not_by_itself(
    desk: Desk,
) -> None:
    await furnish(desk.house)
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    session = (await desk.house.issue_to(await desk.party(), "contract")).session
    (task,) = await desk.house.tasks(session.id)
    assert task.agreement_id is not None
    with pytest.raises(NotFound):
        await erase(desk, task.agreement_id)
    async with desk.house.transactions.work() as work:
        await erase_session(work, desk.house.target(session), WHY)
    (row,) = await desk.house.all(AgreementRow)
    assert (row.erased_at, row.digest) == (START, "")
    (version,) = await desk.house.all(AgreementVersionRow)
    assert (version.sha256, version.paper_sha256, version.pages) == ("", "", [])
    (signer,) = await desk.house.all(AgreementSignerRow)
    assert signer.name == ""
    # The hash stands in what the audit tells of the agreement, too, under the workspace's own key.
    (event,) = await events(desk, AuditEvent.AGREEMENT_CANCELLED)
    assert (event.subject, event.told) == (f"agreement:{row.id}", {})
    async with desk.house.transactions.work() as work:
        await extend_tree(work, desk.house.workspace_id)
    for each in await desk.house.all(AuditRow):
        assert leaf_hash(leaf_of(each).canonical()) == each.leaf_hash, each.event


async def test_what_was_erased_with_its_session_before_an_upgrade_says_so_after_it(
    desk: Desk, database_url: str
) -> None:
    await furnish(desk.house)
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    party = await desk.party()
    session, _ = [
        (await desk.house.issue_to(party, "contract", cause)).session for cause in ("one", "two")
    ]
    async with desk.house.transactions.work() as work:
        await erase_session(work, desk.house.target(session), WHY)
    await asyncio.to_thread(migrate.downgrade, database_url, "0014")
    async with desk.house.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE agreement SET digest = 'known', state = 'sent'")
        told = "UPDATE audit SET sealed = 'known' WHERE starts_with(subject, 'agreement:')"
        await connection.exec_driver_sql(told)
        await connection.exec_driver_sql("UPDATE agreement_version SET sha256 = 'known'")
    await asyncio.to_thread(migrate.upgrade, database_url)
    rows = await desk.house.all(AgreementRow)
    assert {(each.erased_at, each.digest) for each in rows} == {(START, ""), (None, "known")}
    assert {(each.erased_at, each.state) for each in rows} == {(START, "cancelled"), (None, "sent")}
    (event,) = await events(desk, AuditEvent.AGREEMENT_CANCELLED)
    assert (event.sealed, event.commitment is None) == (None, False)
    versions = await desk.house.all(AgreementVersionRow)
    assert {each.sha256 for each in versions} == {"", "known"}


async def test_only_ones_own_are_erased(desk: Desk) -> None:
    whole = await desk.sent()
    async with desk.house.transactions.work() as work:
        for wrong in (
            desk.target(new_id()),
            type(desk.target(whole.row.id))(whole.row.id, new_id(), ANNA),
        ):
            with pytest.raises(NotFound):
                await erase_agreement(work, wrong, WHY)
    assert (await desk.now(whole.row.id)).row.erased_at is None


async def test_erasing_a_signer_and_its_agreement_at_once_waits_for_no_ring(desk: Desk) -> None:
    # The sessions of before are locked too, so both begin with the oldest.
    for _ in range(3):
        whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
        old = await desk.house.session(await desk.session_of(whole))
        async with desk.house.transactions.work() as work:
            await reissue(work, desk.house.target(old), "lost the mail")
        await asyncio.gather(
            erase(desk, whole.row.id), erase_signer(desk, whole.signers[1].party_id)
        )
        after = await desk.now(whole.row.id)
        assert (after.row.state, after.row.erased_at) == ("cancelled", START)


async def erase_signer(desk: Desk, party_id: UUID) -> None:
    async with desk.house.transactions.work() as work:
        await erase_party(work, desk.house.workspace_id, party_id, WHY, ANNA)
