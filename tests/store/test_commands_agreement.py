"""Agreements as members have them: drafts, versions, editing windows, tasks of templates."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from commands.agreement import cancel_agreement, whole_agreement
from commands.agreement_copy import copies_of_session
from commands.editing_session import (
    EditingPlace,
    Editor,
    hear_editor,
    keep_left_behind,
    let_go,
    open_editor,
    why_lost,
)
from commands.erasure import erase_session
from commands.member_session import SignedIn
from commands.public_session import reissue, revoke
from commands.signing import SigningWrite
from commands.signing_session import (
    OpenWindow,
    confirm_changes,
    open_signing,
)
from domain.agreement import Pinned
from domain.agreement_errors import (
    AgreementClosed,
    AgreementFaulty,
    AgreementSigned,
    AgreementStale,
    ChangesUnconfirmed,
    NoSigningCertificate,
    WindowHeld,
    WindowLost,
)
from domain.audit import AuditEvent
from domain.errors import DefinitionFaulty, NotFound
from domain.window import Place, WindowEnd
from store.audit import AuditRow
from store.columns import new_id
from store.editing_session import EditingSessionRow
from store.member import MemberRow
from store.member_session import MemberSessionRow
from store.public_session import session_by_id
from store.signing_session import signing_sessions_of
from tests.rooms.agreements import CONTRACT, DRAWN, OTHER_PAPER, Desk, place, write_of
from tests.rooms.house import ANNA, House


@pytest_asyncio.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    """A desk in a furnished house."""
    yield Desk(house)


async def member(desk: Desk, name: str) -> SignedIn:
    """A member who is signed in."""
    at, workspace_id = desk.house.clock(), desk.house.workspace_id
    row = MemberRow(
        id=new_id(),
        workspace_id=workspace_id,
        role="publisher",
        state="active",
        email_digest=str(uuid4()),
        created_at=at,
        updated_at=at,
        name=name,
        email=f"{name.lower()}@demo.example",
    )
    async with desk.house.transactions.work() as work:
        work.db.add(row)
    return SignedIn(row, await session_of(desk, row))


async def session_of(desk: Desk, member: MemberRow) -> MemberSessionRow:
    """One more browser that a member is signed in with."""
    at = desk.house.clock()
    session = MemberSessionRow(
        workspace_id=desk.house.workspace_id,
        member_id=member.id,
        digest=str(uuid4()),
        key_version=1,
        mode="form",
        signed_in_at=at,
        seen_at=at,
        idle=timedelta(minutes=5),
        grace=timedelta(seconds=15),
        idles_out_at=at + timedelta(minutes=6),
    )
    async with desk.house.transactions.work() as work:
        work.db.add(session)
    return session


def editing_place(by: SignedIn, agreement: UUID, place: Place) -> EditingPlace:
    return EditingPlace(Editor(by, ANNA, agreement, place.window), place)


async def edit(
    desk: Desk, by: SignedIn, agreement: UUID, window: str, *, take_over: bool = False
) -> EditingSessionRow:
    editor = Editor(by, ANNA, agreement, window)
    async with desk.house.transactions.work() as work:
        return await open_editor(work, editor, take_over=take_over)


async def test_a_draft_is_changed_under_its_version_and_hash(desk: Desk) -> None:
    # EX-1, EX-20: editing is a write like any other.
    whole = await desk.draft((await desk.party()).id)
    assert (whole.row.version, whole.row.state) == (1, "draft")
    after = await desk.change(whole, {"title": "Supply, second"}, OTHER_PAPER)
    assert (after.row.version, after.row.title) == (2, "Supply, second")
    assert after.version.pages == ["page-1", "page-2"]
    with pytest.raises(AgreementStale):
        await desk.change(whole, {"title": "third"})
    with pytest.raises(AgreementFaulty):
        await desk.change(after, {"signers": [{"party": str(uuid4())}], "fields": []})


async def test_sending_needs_a_certificate_and_something_to_sign(desk: Desk) -> None:
    # PS-43
    whole = await desk.draft((await desk.party()).id)
    with pytest.raises(NoSigningCertificate):
        await desk.send(whole)
    await desk.certify()
    bare = await desk.draft((await desk.party("Bare Ltd")).id, fields=[])
    with pytest.raises(AgreementFaulty):
        await desk.send(bare)
    sent = await desk.send(whole)
    assert sent.row.state == "sent"
    with pytest.raises(AgreementClosed):
        await desk.send(sent)


async def test_who_signs_is_settled_by_sending_and_nothing_changes_under_a_signature(
    desk: Desk,
) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc")
    with pytest.raises(AgreementFaulty):
        await desk.change(whole, {"signers": [{"party": str(whole.signers[0].party_id)}]})
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    with pytest.raises(AgreementSigned):
        await desk.change(await desk.now(whole.row.id), {"title": "Too late"})


async def test_a_second_member_is_told_who_is_in_it_and_may_edit_anyway(desk: Desk) -> None:
    # EX-15, EX-16, EX-17, SX-1: a session to create a transaction, beside those to sign one.
    whole = await desk.draft((await desk.party()).id)
    anna, boris = await member(desk, "Anna"), await member(desk, "Boris")
    first = await edit(desk, anna, whole.row.id, "a")
    with pytest.raises(WindowHeld) as held:
        await edit(desk, boris, whole.row.id, "b")
    assert held.value.who == "Anna"
    second = await edit(desk, boris, whole.row.id, "b", take_over=True)
    assert (first.fence, second.fence) == (1, 2)
    with pytest.raises(WindowLost) as lost:
        await desk.change(
            whole, {"title": "Anna's"}, held=editing_place(anna, whole.row.id, Place("a", 1))
        )
    assert lost.value.reason == WindowEnd.TAKEN_OVER
    with pytest.raises(WindowHeld):
        await desk.change(whole, {"title": "A program's"})
    place = editing_place(boris, whole.row.id, Place("b", 2))
    assert (await desk.change(whole, {"title": "Boris'"}, held=place)).row.version == 2


async def test_a_window_is_its_members_own_in_one_session(desk: Desk) -> None:
    # EX-15: whoever knows its id and fence has neither.
    whole = await desk.draft((await desk.party()).id)
    anna, boris = await member(desk, "Anna"), await member(desk, "Boris")
    first = await edit(desk, anna, whole.row.id, "a")
    elsewhere = SignedIn(anna.member, await session_of(desk, anna.member))
    place = Place("a", first.fence)
    for other in (boris, elsewhere):
        with pytest.raises(WindowHeld) as asked:
            await edit(desk, other, whole.row.id, "a")
        assert asked.value.who == "Anna"
        editor = Editor(other, ANNA, whole.row.id, "a")
        with pytest.raises(WindowLost):
            await desk.change(whole, {"title": "x"}, held=EditingPlace(editor, place))
        async with desk.house.transactions.work() as work:
            assert await why_lost(work, editor, place)
            with pytest.raises(WindowLost):
                await hear_editor(work, editor, place, leaving=True)
            with pytest.raises(WindowLost):
                await let_go(work, editor, place, str(whole.row.id))
    second = await edit(desk, boris, whole.row.id, "a", take_over=True)
    assert (second.fence, second.member_id) == (2, boris.member.id)
    taken = [
        each.details["from"]
        for each in await desk.house.all(AuditRow)
        if each.event == AuditEvent.EDITING_TAKEN_OVER
    ]
    assert taken == [f"member:{anna.member.id}"]


async def test_a_member_whose_session_is_over_is_told_that_also_in_the_next(desk: Desk) -> None:
    # EX-12
    whole = await desk.draft((await desk.party()).id)
    anna = await member(desk, "Anna")
    await edit(desk, anna, whole.row.id, "a")
    async with desk.house.transactions.work() as work:
        row = await work.db.get(MemberSessionRow, anna.session.id)
        assert row is not None
        row.ended_at, row.end_reason = work.at, "logged_out"
    again = SignedIn(anna.member, await session_of(desk, anna.member))
    editor = Editor(again, ANNA, whole.row.id, "a")
    async with desk.house.transactions.work() as work:
        lost = await why_lost(work, editor, Place("a", 1))
    assert lost is not None
    assert lost.reason == WindowEnd.SESSION_ENDED
    assert (await edit(desk, again, whole.row.id, "a")).fence == 2


async def test_what_the_loser_had_not_saved_is_kept_apart(desk: Desk) -> None:
    # N8, C7
    whole = await desk.draft((await desk.party()).id)
    anna, boris = await member(desk, "Anna"), await member(desk, "Boris")
    await edit(desk, anna, whole.row.id, "a")
    second = await edit(desk, boris, whole.row.id, "b", take_over=True)
    editor = Editor(anna, ANNA, whole.row.id, "a")
    async with desk.house.transactions.work() as work:
        await keep_left_behind(work, editor, Place("a", 1), {"title": "Anna's"})
    again = await edit(desk, boris, whole.row.id, "b")
    assert again.fence == second.fence
    async with desk.house.transactions.work():
        assert again.drafts[0].content == {"title": "Anna's"}
    assert (await desk.now(whole.row.id)).row.title == "Supply agreement"


async def test_a_member_who_left_or_was_signed_out_is_in_no_window(desk: Desk) -> None:
    # C16, C18
    whole = await desk.draft((await desk.party()).id)
    anna, boris = await member(desk, "Anna"), await member(desk, "Boris")
    await edit(desk, anna, whole.row.id, "a")
    async with desk.house.transactions.work() as work:
        editor = Editor(anna, ANNA, whole.row.id, "a")
        await hear_editor(work, editor, Place("a", 1), leaving=False)
        await hear_editor(work, editor, Place("a", 1), leaving=True)
    assert (await edit(desk, boris, whole.row.id, "b")).fence == 2
    async with desk.house.transactions.work() as work:
        row = await work.db.get(MemberSessionRow, boris.session.id)
        assert row is not None
        row.ended_at, row.end_reason = work.at, "killed"
    assert (await edit(desk, anna, whole.row.id, "a")).fence == 3
    async with desk.house.transactions.work() as work:
        with pytest.raises(WindowLost):
            await hear_editor(
                work, Editor(boris, ANNA, whole.row.id, "b"), Place("b", 2), leaving=False
            )
        with pytest.raises(NotFound):
            await hear_editor(work, Editor(anna, ANNA, uuid4(), "a"), Place("a", 3), leaving=False)
    with pytest.raises(NotFound):
        await edit(desk, anna, uuid4(), "a")


async def test_a_task_of_a_template_brings_an_agreement_of_its_own(desk: Desk) -> None:
    # PS-10, PS-43
    house = desk.house
    await house.save("template", "contract", CONTRACT)
    with pytest.raises(NoSigningCertificate):
        await house.publish("contract", CONTRACT)
    await desk.certify()
    await house.publish("contract", CONTRACT)
    session = (await house.issue_to(await desk.party(), "contract")).session
    visitor = await house.enter(session.id)
    async with house.transactions.work() as work:
        found = await open_signing(work, visitor, OpenWindow("sign", "w1"))
    assert found.agreement.session_id == session.id
    kinds = [each.kind for each in found.fields]
    assert "signature" in kinds
    values: dict[str, Any] = {
        each.key: {"typed": "Vera"} if each.kind == "signature" else "Vera" for each in found.fields
    }
    for each in found.fields:
        if each.kind == "date":
            values[each.key] = "2026-03-02"
    room = await desk.sign(visitor, write_of(found), values)
    assert room.value.end_reason == "completed"


async def test_fields_beyond_the_document_are_refused_when_it_is_published(desk: Desk) -> None:
    await desk.certify()
    tasks = [CONTRACT["tasks"][0] | {"fields": [place("s", "signature", 1, page=9)]}]
    with pytest.raises(DefinitionFaulty) as refused:
        await desk.house.publish("contract", CONTRACT | {"tasks": tasks})
    assert refused.value.faults[0].pointer == "/tasks/0/fields/0/page"


async def test_an_end_of_the_session_ends_what_it_brought_and_an_issue_brings_another(
    desk: Desk,
) -> None:
    # PS-34, EX-23
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    session = (await desk.house.issue_to(await desk.party(), "contract")).session
    (task,) = await desk.house.tasks(session.id)
    async with desk.house.transactions.work() as work:
        new = (await reissue(work, desk.house.target(session), "lost")).session
    (other,) = await desk.house.tasks(new.id)
    assert task.agreement_id is not None
    assert other.agreement_id not in {None, task.agreement_id}
    assert (await desk.now(task.agreement_id)).row.state == "cancelled"


async def test_a_signer_who_is_asked_again_signs_the_same_agreement(desk: Desk) -> None:
    # PS-34
    whole = await desk.sent()
    session = await desk.house.session(await desk.session_of(whole))
    async with desk.house.transactions.work() as work:
        new = (await reissue(work, desk.house.target(session), "lost the mail")).session
    assert await desk.session_of(whole) == new.id
    visitor = await desk.house.enter(new.id)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    assert (await desk.now(whole.row.id)).row.signed_at is not None


async def test_a_cancelled_agreement_asks_nobody_again(desk: Desk) -> None:
    whole = await desk.sent()
    session_id = await desk.session_of(whole)
    async with desk.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "no longer wanted")
    session = await desk.house.session(session_id)
    assert session.end_reason == "revoked"
    async with desk.house.transactions.work() as work:
        with pytest.raises(AgreementClosed):
            await reissue(work, desk.house.target(session), "again")
    with pytest.raises(AgreementClosed):
        async with desk.house.transactions.work() as work:
            await cancel_agreement(work, desk.target(whole.row.id), "twice")


async def test_cancelling_goes_on_past_a_signer_whose_session_ended_before(desk: Desk) -> None:
    whole = await desk.sent("Vera Ltd", "Boris Inc", ordered=False)
    async with desk.house.transactions.work() as work:
        row = await desk.house.session(await desk.session_of(whole))
        await revoke(work, desk.house.target(row), "first")
    desk.house.clock.turn(days=15)
    async with desk.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "late")
    assert (await desk.now(whole.row.id)).row.state == "cancelled"


async def test_changes_are_confirmed_one_by_one(desk: Desk) -> None:
    # EX-19, N7
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor)
    await desk.change(whole, {"title": "Supply, second"}, OTHER_PAPER)
    write = write_of(await desk.open(visitor))
    async with desk.house.transactions.work() as work:
        with pytest.raises(ChangesUnconfirmed) as left:
            await confirm_changes(work, visitor, write, frozenset({"title"}))
    assert left.value.changes == ("page-2",)
    async with desk.house.transactions.work() as work:
        after = await confirm_changes(work, visitor, write, frozenset({"title", "page-2"}))
        assert after.changes == ()
        await confirm_changes(work, visitor, write, frozenset())
    await desk.sign(visitor, write)


async def test_another_browser_asks_nobody_and_the_first_has_lost(desk: Desk) -> None:
    # SX-11, C16
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    write = write_of(await desk.open(visitor, "w1"))
    other = await desk.visitor(whole, door="door-2")
    assert write_of(await desk.open(other, "w2")).place.fence == 2
    with pytest.raises(WindowLost):
        await desk.sign(other, write)


async def test_erasing_a_session_leaves_nothing_of_its_own_agreement(desk: Desk) -> None:
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    session = (await desk.house.issue_to(await desk.party(), "contract")).session
    (task,) = await desk.house.tasks(session.id)
    async with desk.house.transactions.work() as work:
        await erase_session(work, desk.house.target(session), "asked to")
    assert task.agreement_id is not None
    whole = await desk.now(task.agreement_id)
    assert (whole.row.title, whole.version.fields) == ("", [])
    async with desk.house.transactions.work() as work:
        assert await copies_of_session(work, session.id) == ()


async def test_what_came_with_a_task_is_no_members_own(desk: Desk) -> None:
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    session = (await desk.house.issue_to(await desk.party(), "contract")).session
    (task,) = await desk.house.tasks(session.id)
    assert task.agreement_id is not None
    whole = await desk.now(task.agreement_id)
    for verb in (
        desk.change(whole, {"title": "Other"}),
        desk.send(whole),
        desk.cancel(whole),
    ):
        with pytest.raises(NotFound):
            await verb
    assert (await desk.now(task.agreement_id)).row.state == "sent"


async def test_a_write_of_another_hash_or_window_is_refused_in_the_commit(desk: Desk) -> None:
    # EX-20
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    write = write_of(await desk.open(visitor))
    for wrong, error in (
        (replace(write, given=Pinned(1, "0" * 64)), AgreementStale),
        (replace(write, given=Pinned(2, write.given.sha256)), AgreementStale),
        (replace(write, place=Place("other", 1)), WindowLost),
        (SigningWrite("sign", Place("w1", 7), write.given), WindowLost),
    ):
        with pytest.raises(error):
            await desk.sign(visitor, wrong, {"signature-1": DRAWN})


async def test_cancelling_meets_a_signer_who_is_asked_anew_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await desk.sent()
    row = await desk.house.session(await desk.session_of(whole))
    real, again = session_by_id, [True]

    async def late(*given: Any, **more: Any) -> Any:
        if again.pop() if again else False:
            async with desk.house.transactions.work() as other:
                await reissue(other, desk.house.target(row), "lost")
        return await real(*given, **more)

    monkeypatch.setattr("commands.agreement.session_by_id", late)
    async with desk.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "no longer wanted")
    new = await desk.house.session(await desk.session_of(whole))
    assert (new.id != row.id, new.end_reason) == (True, "revoked")


async def test_a_revocation_waits_for_a_beat_and_not_the_other_way_round(desk: Desk) -> None:
    """The beat has the agreement and then wants its window's row."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor)
    session = await desk.house.session(visitor.session_id)

    async def revoked() -> None:
        async with desk.house.transactions.work() as work:
            await revoke(work, desk.house.target(session), "now")

    async with desk.house.transactions.work() as work:
        await whole_agreement(work, whole.row.id, desk.house.workspace_id, lock=True)
        ending = asyncio.create_task(revoked())
        await asyncio.sleep(0.3)
        assert await signing_sessions_of(work.db, session.id)
    await ending


async def events(desk: Desk, event: AuditEvent) -> list[dict[str, Any]]:
    """The details of every row of an event."""
    rows = [each for each in await desk.house.all(AuditRow) if each.event == event]
    return [each.details for each in rows]


async def test_what_was_changed_is_named_without_its_words(desk: Desk) -> None:
    whole = await desk.sent()
    await desk.change(whole, {"step_up": True, "time_bound_days": 3, "message": "A secret"})
    [details] = await events(desk, AuditEvent.AGREEMENT_CHANGED)
    assert details["changed"] == {"step_up": True, "time_bound_days": 3, "message": True}


async def test_what_came_with_a_session_is_cancelled_with_a_row(desk: Desk) -> None:
    await desk.certify()
    await desk.house.publish("contract", CONTRACT)
    session = (await desk.house.issue_to(await desk.party(), "contract")).session
    async with desk.house.transactions.work() as work:
        await revoke(work, desk.house.target(session), "now")
    [details] = await events(desk, AuditEvent.AGREEMENT_CANCELLED)
    assert details["public_session"] == str(session.id)
