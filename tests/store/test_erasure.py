"""Erased for good: no key opens it any more, lists stay whole, the tree verifies (PS-28)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import select

from adapters.audit_verify import verify_file
from adapters.objects import ObjectMissing, ObjectStore
from commands.agreement import Whole, cancel_agreement, change_agreement
from commands.agreement_advance import advance_agreement
from commands.audit_export import LogExport, export_log
from commands.audit_tree import extend_tree
from commands.erasure import discard_files, erase_party, erase_session
from commands.mail import note_bounce, note_refused
from commands.mail_draft import compose_mail
from commands.party import Move, change_party, pass_transition, unlock_verification
from commands.public_session import (
    correct_address,
    extend,
    reissue,
    resend,
    revoke,
)
from commands.public_session_terms import idle_policy
from commands.settlement import retry_advance, settle
from domain.audit import AuditEvent
from domain.audit_tree import leaf_hash
from domain.errors import Erased, NotFound
from domain.public_session import Advance, EndReason
from domain.workflow_names import AGREEMENT
from store.audit import AuditFilter, AuditRow, audit_page
from store.audit_tree import leaf_of
from store.code import CodeRow, CodeTryRow
from store.columns import new_id
from store.data_key import DataKeyRow
from store.gate import Shut, gates_of
from store.intent import IntentRow
from store.mail import MailRow
from store.party import PartyFilter, PartyRow, parties_page, party_names
from store.public_session import PublicSessionRow, submissions_of
from store.upload import UploadRow
from store.visit import VisitRow
from tests.rooms.agreements import DRAWN, Desk, write_of
from tests.rooms.house import ANNA, START, House, bare_house, furnish
from tests.rooms.traces import (
    CANARY,
    CONTROL,
    bound,
    everything_stored,
    everything_that_opens,
    sessions_of,
    somebody,
)

WHY = "asked for by letter 12"
AT_ONCE = 16


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Where files lie."""
    return ObjectStore.at(str(tmp_path / "objects"))


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A furnished workspace in a database of its own, so that all of it can be searched."""
    patience: dict[str, Any] = {"database_lock_timeout": timedelta(seconds=10)}
    async with bare_house(database_url, **patience) as house:
        await furnish(house)
        yield house


async def erase(house: House, party: PartyRow, rationale: str = WHY) -> PartyRow:
    async with house.transactions.work() as work:
        return await erase_party(work, house.workspace_id, party.id, rationale, ANNA)


async def erase_one(house: House, session: PublicSessionRow) -> PublicSessionRow:
    async with house.transactions.work() as work:
        return await erase_session(work, house.target(session), WHY)


async def test_nothing_that_is_left_tells_of_an_erased_party(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    await somebody(house, objects, CONTROL)
    readable = await everything_that_opens(house)
    assert readable.count(CANARY.encode()) > 20
    assert b"browser " + CANARY.encode() in readable
    assert CANARY.encode() not in await everything_stored(house), "it lies in clear nowhere"
    await erase(house, known.party)
    assert CANARY.encode() not in await everything_stored(house)
    left = await everything_that_opens(house)
    assert CANARY.encode() not in left
    # Another party's is all there: the search does find what can be found.
    assert left.count(CONTROL.encode()) > 20
    # A process that goes on has forgotten the keys, too.
    vault = house.transactions.vault
    for subject in (known.party.id, *known.ids):
        key = vault.known(subject)
        assert key is not None
        assert key.is_destroyed


async def test_files_of_an_erased_party_are_gone_from_the_object_store(
    house: House, objects: ObjectStore
) -> None:
    known, other = [await somebody(house, objects, each) for each in (CANARY, CONTROL)]
    await erase(house, known.party)
    await discard_files(house.transactions, objects, known.party.id)
    with pytest.raises(ObjectMissing):
        await objects.size(known.file.object_name)
    assert await objects.size(other.file.object_name) > 0
    row = next(each for each in await house.all(UploadRow) if each.id == known.file.id)
    assert (row.name, row.sha256, row.removed_at, row.object_gone_at) == ("", "", START, START)


async def test_an_erased_party_keeps_its_place_and_nothing_else(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    before = {each.id: each for each in known.sessions}
    erased = await erase(house, known.party)
    assert (erased.name, erased.email, erased.attributes) == ("", "", {})
    async with house.transactions.work() as work:
        rows, _ = await parties_page(work.db, house.workspace_id, PartyFilter(), None, 10)
        names = await party_names(work.db, house.workspace_id, [known.party.id])
        assert not await party_names(work.db, new_id(), [known.party.id])
        for q in (CANARY, known.party.email):
            found = await parties_page(work.db, house.workspace_id, PartyFilter(q=q), None, 10)
            assert found[0] == []
    assert [(each.id, each.erased_at, each.state) for each in rows] == [
        (known.party.id, START, "review")
    ]
    assert names == {known.party.id: "erased"}
    for row in await sessions_of(house, known.party.id):
        assert row.erased_at == START
        assert (row.subject, row.rationale, row.message, row.mail_detail) == ("", "", "", "")
        assert (row.title, row.issued_at) == (before[row.id].title, before[row.id].issued_at)
        assert row.end_reason == (before[row.id].end_reason or EndReason.REVOKED)
        assert row.settled_at is not None
        assert [each.completed_at for each in await house.tasks(row.id)]
    for table in (CodeRow, CodeTryRow, VisitRow):
        async with house.transactions.work() as work:
            assert (await work.db.scalars(select(table))).all() == []


async def test_who_erased_what_when_and_why_stays_readable(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    await erase(house, known.party)
    await erase(house, known.party, "again")
    (row,) = await events(house, AuditEvent.PARTY_ERASED)
    assert (row.subject, row.actor, row.actor_label) == (
        f"party:{known.party.id}",
        str(ANNA),
        ANNA.label,
    )
    assert row.details["rationale"] == WHY
    assert row.details["public_sessions"] == [str(each) for each in known.ids]
    of_sessions = await events(house, AuditEvent.SESSION_ERASED)
    assert {each.subject for each in of_sessions} == {f"public_session:{e}" for e in known.ids}
    assert {each.details["rationale"] for each in of_sessions} == {WHY}
    # What happened before is still listed, without what it told.
    async with house.transactions.work() as work:
        wanted = AuditFilter(party=known.party.id)
        found, _ = await audit_page(work.db, house.workspace_id, wanted, None, 200)
    assert len(found) >= 20
    assert {(each.reason, each.actor_label, len(each.details)) for each in found} == {("", "", 0)}


async def events(house: House, event: AuditEvent) -> list[AuditRow]:
    return [each for each in await house.all(AuditRow) if each.event == event]


async def test_the_tree_stays_whole(house: House, objects: ObjectStore, tmp_path: Path) -> None:
    # N10: some events are numbered before the erasure, some after it
    known = await somebody(house, objects, CANARY)
    before = await exported(house, tmp_path / "before.jsonl")
    assert CANARY in before.read_text()
    await erase_one(house, known.sessions[0])
    await erase(house, known.party)
    async with house.transactions.work() as work:
        assert (await extend_tree(work, house.workspace_id)).events > 0
    after = await exported(house, tmp_path / "after.jsonl")
    assert CANARY not in after.read_text()
    report = verify_file(after, checkpoints=[before])
    assert report.size == len(await house.all(AuditRow))
    assert sum(report.events.values()) >= 20
    for row in await house.all(AuditRow):
        assert leaf_hash(leaf_of(row).canonical()) == row.leaf_hash, row.event


async def exported(house: House, path: Path) -> Path:
    lines = [
        each async for each in export_log(house.transactions, LogExport(house.workspace_id, ANNA))
    ]
    await asyncio.to_thread(path.write_text, "".join(lines))
    return path


@pytest.mark.parametrize("is_planted", [False, True])
async def test_an_event_from_before_the_tree_gets_its_place_when_it_is_erased(
    house: House, monkeypatch: pytest.MonkeyPatch, is_planted: bool
) -> None:
    # An older release wrote it in clear, and nobody has sealed it yet; or somebody only says so.
    monkeypatch.setattr(house.transactions.keyring, "reads_clear", not is_planted)
    moved = await house.create()
    async with house.transactions.work() as work:
        row = AuditRow(
            workspace_id=house.workspace_id,
            event=AuditEvent.PARTY_CHANGED,
            actor=str(ANNA),
            party_id=moved.party.id,
            unsealed={"text": f'{{"reason": "{CANARY}"}}'},
            at=START,
        )
        work.db.add(row)
    await erase(house, moved.party)
    assert CANARY.encode() not in await everything_stored(house)
    async with house.transactions.work() as work:
        await extend_tree(work, house.workspace_id)
    found = next(each for each in await house.all(AuditRow) if each.id == row.id)
    assert (found.position is None) == is_planted
    assert found.text == ""


async def test_an_open_session_is_revoked_and_its_workflow_and_its_page_are_told(
    house: House,
) -> None:
    # PS-30
    (session,) = (await house.create()).issued
    await bound(house, session.id, "x")
    binding = (await house.session(session.id)).binding_id
    assert binding is not None
    await erase_one(house, session)
    async with house.transactions.work() as work:
        told = await gates_of(work.db, [binding], work.at, idle_policy(work.settings))
    assert told == {binding: Shut(EndReason.REVOKED)}
    signals = [each.signal for each in await house.intents(session.id)]
    assert signals[-1] == "revoke"
    assert (await house.audit(session.id))[-1] == "revoked"


async def test_one_that_is_overdue_is_erased_as_expired(house: House) -> None:
    (session,) = (await house.create()).issued
    house.clock.turn(days=20)
    assert (await erase_one(house, session)).end_reason == EndReason.BOUND_REACHED


async def test_erasing_a_session_leaves_its_party_and_its_other_sessions(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    first, *others = known.sessions
    await erase_one(house, first)
    await erase_one(house, first)
    assert (await house.party(known.party.id)).name == known.party.name
    assert len(await events(house, AuditEvent.SESSION_ERASED)) == 1
    async with house.transactions.work() as work:
        (body, _) = [each.body for each in await submissions_of(work.db, first.id)]
    assert body == {}
    rows = {each.id: each.erased_at for each in await house.all(PublicSessionRow)}
    assert rows == {first.id: START} | {each.id: None for each in others}


async def test_nothing_follows_the_end_of_an_erased_session(house: House) -> None:
    # It was completed, and had not settled yet.
    moved = await house.create()
    (session,) = moved.issued
    visitor = await bound(house, session.id, "x")
    for task in ("profile", "terms"):
        await house.complete(visitor, task)
    mails = len(await house.mails(session.id))
    await erase_one(house, session)
    async with house.transactions.work() as work:
        outcome = await settle(work, session.id)
    assert outcome is not None
    assert (outcome.end_reason, outcome.advance) == (EndReason.COMPLETED, Advance.NONE)
    assert (await house.party(moved.party.id)).state == "new"
    assert len(await house.mails(session.id)) == mails


async def test_a_mail_under_way_is_never_sent_after_the_erasure(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    digests = {each.recipient_digest for each in await house.all(MailRow)}
    queued = [each for each in await house.all(MailRow) if each.state == "queued"]
    assert queued
    await erase(house, known.party)
    for mail in queued:
        async with house.transactions.work() as work:
            composed, state = await compose_mail(work, mail.id)
        assert (composed, state) == (None, "refused")
    assert not digests & {each.recipient_digest for each in await house.all(MailRow)}
    assert len({each.recipient_digest for each in await house.all(MailRow)}) > 1


async def test_what_a_mail_server_says_later_is_not_kept(
    house: House, objects: ObjectStore
) -> None:
    known = await somebody(house, objects, CANARY)
    mails = await house.all(MailRow)
    await erase(house, known.party)
    for mail in mails:
        async with house.transactions.work() as work:
            await note_bounce(work, mail.id, f"no such user {CANARY}")
        async with house.transactions.work() as work:
            await note_refused(work, mail.id, f"no such user {CANARY}")
    assert (await house.audit(known.ids[-1])).count("mail.bounced") >= 1
    assert CANARY.encode() not in await everything_that_opens(house)
    assert CANARY.encode() not in await everything_stored(house)


async def test_verbs_on_what_is_erased_are_refused(house: House, objects: ObjectStore) -> None:
    known = await somebody(house, objects, CANARY)
    party, session = known.party, known.sessions[0]
    await erase(house, party)
    target, workspace = house.target(session), house.workspace_id
    later = START + timedelta(days=30)
    with pytest.raises(Erased):
        await house.issue_to(party, "diligence", "afterwards")
    for verb in (
        lambda work: change_party(work, workspace, party.id, {"name": "X"}, ANNA),
        lambda work: change_party(work, workspace, party.id, {"email": "x@x.example"}, ANNA),
        lambda work: pass_transition(work, workspace, party.id, Move("back", "m", ANNA)),
        lambda work: unlock_verification(work, workspace, party.id, ANNA),
        lambda work: revoke(work, target, "why"),
        lambda work: extend(work, target, later, "why"),
        lambda work: resend(work, target),
        lambda work: reissue(work, target, "why"),
        lambda work: correct_address(work, target, "x@x.example"),
        lambda work: retry_advance(work, target),
    ):
        with pytest.raises(Erased):
            async with house.transactions.work() as work:
                await verb(work)
    assert (await house.party(party.id)).email == ""


async def test_only_ones_own_are_erased(house: House) -> None:
    (session,) = (await house.create()).issued
    elsewhere = replace(house.target(session), workspace_id=new_id())
    with pytest.raises(NotFound):
        async with house.transactions.work() as work:
            await erase_session(work, elsewhere, WHY)
    with pytest.raises(NotFound):
        async with house.transactions.work() as work:
            await erase_party(work, new_id(), session.party_id, WHY, ANNA)
    assert (await house.session(session.id)).erased_at is None


async def test_one_that_never_sealed_anything_never_will(house: House) -> None:
    # As one that an older release ended: it has no key before, and gets none afterwards.
    (session,) = (await house.create()).issued
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    async with house.transactions.work() as work:
        await work.db.delete(await work.db.get_one(DataKeyRow, session.id))
    house.transactions.vault.forget(session.id)
    await erase_one(house, session)
    house.transactions.vault.forget(session.id)
    async with house.transactions.work() as work:
        row = await work.db.get_one(PublicSessionRow, session.id)
        row.message = CANARY
    async with house.transactions.work() as work:
        key = await work.db.get_one(DataKeyRow, session.id)
    assert (key.wrapped, key.destroyed_at) == (None, START)
    assert (await house.session(session.id)).message == ""


# Races: exactly one wins, and nothing is left readable.


async def outcomes(contestants: list[Any]) -> Counter[str]:
    ended = await asyncio.gather(*contestants, return_exceptions=True)
    return Counter(type(each).__name__ for each in ended)


async def test_sixteen_erasures_are_one(house: House, objects: ObjectStore) -> None:
    known = await somebody(house, objects, CANARY)
    fared = await outcomes([erase(house, known.party) for _ in range(AT_ONCE)])
    assert fared == {"PartyRow": AT_ONCE}
    assert len(await events(house, AuditEvent.PARTY_ERASED)) == 1
    assert CANARY.encode() not in await everything_that_opens(house)


@pytest.mark.parametrize("first", range(4))
async def test_an_erasure_among_sixteen_issues(house: House, first: int) -> None:
    party = (await house.create(name=CANARY)).party
    issues: list[Any] = [
        house.issue_to(party, "intake", f"race-{each}", subject=CANARY) for each in range(AT_ONCE)
    ]
    issues.insert(first * 5, erase(house, party))
    fared = await outcomes(issues)
    assert fared["PartyRow"] == 1
    assert fared["Issued"] + fared["Erased"] == AT_ONCE, fared
    rows = await sessions_of(house, party.id)
    assert len(rows) == fared["Issued"] + 1
    assert all(each.erased_at and each.end_reason == EndReason.REVOKED for each in rows)
    assert CANARY.encode() not in await everything_that_opens(house)


@pytest.mark.parametrize("erased_at", [0, 5, 10, 15])
async def test_an_erasure_among_sixteen_submits(house: House, erased_at: int) -> None:
    moved = await house.create(name=CANARY)
    (session,) = moved.issued
    visitor = await bound(house, session.id, CANARY)
    await house.complete(visitor, "profile", {"company": CANARY})
    submits: list[Any] = [house.complete(visitor, "terms") for _ in range(AT_ONCE)]
    whole = erased_at % 2 == 0
    submits.insert(erased_at, erase(house, moved.party) if whole else erase_one(house, session))
    fared = await outcomes(submits)
    row = await house.session(session.id)
    won = row.end_reason == EndReason.COMPLETED
    assert fared == {
        "PartyRow" if whole else "PublicSessionRow": 1,
        "SessionEnded": AT_ONCE - won,
    } | ({"Room": 1} if won else {})
    assert row.erased_at is not None
    async with house.transactions.work() as work:
        assert [each.body for each in await submissions_of(work.db, session.id)] == [{}] * (1 + won)
    if whole:
        assert CANARY.encode() not in await everything_that_opens(house)


async def half_signed(desk: Desk, word: str) -> Whole:
    """An agreement that one of two has signed, with the word in everything it gave."""
    whole = await desk.sent(f"{word} Ltd", "Boris Inc")
    visitor = await desk.visitor(whole)
    given = {"title-1": f"Head of {word}", "signature-1": {"typed": word}}
    await desk.sign(visitor, write_of(await desk.open(visitor)), given)
    return await desk.now(whole.row.id)


@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_what_an_erased_party_gave_to_an_agreement_that_nobody_sealed_is_gone(
    house: House, is_cancelled: bool
) -> None:
    desk = Desk(house)
    whole, control = await half_signed(desk, CANARY), await half_signed(desk, CONTROL)
    if is_cancelled:
        async with house.transactions.work() as work:
            await cancel_agreement(work, desk.target(whole.row.id), "One declined")
    assert f"head of {CANARY}".encode() in await everything_that_opens(house)
    await erase(house, await house.party(whole.signers[0].party_id))
    assert CANARY.encode() not in await everything_that_opens(house)
    assert CANARY.encode() not in await everything_stored(house)
    after = await desk.now(whole.row.id)
    assert (after.row.state, after.row.ended_at) == ("cancelled", START)
    one = after.signers[0]
    assert (one.name, one.values, one.evidence) == ("erased", {}, {})
    assert (one.signed_at, after.signers[1].name) == (START, "Boris Inc")
    assert (await desk.now(control.row.id)).signers[0].values["title-1"] == f"Head of {CONTROL}"
    await erase(house, await house.party(whole.signers[0].party_id))
    assert len(await events(house, AuditEvent.AGREEMENT_CANCELLED)) == 1


async def test_an_agreement_that_goes_on_is_cancelled_for_everybody_when_a_signer_is_erased(
    house: House,
) -> None:
    # EX-23: in the same way as a member cancels
    desk = Desk(house)
    whole = await desk.sent(f"{CANARY} Ltd", "Boris Inc", ordered=False)
    await erase(house, await house.party(whole.signers[0].party_id))
    assert (await house.session(await desk.session_of(whole, 2))).end_reason == EndReason.REVOKED
    found = select(IntentRow.signal).where(IntentRow.workflow == AGREEMENT)
    async with house.transactions.work() as work:
        assert set((await work.db.scalars(found)).all()) == {None, "cancelled"}
    (event,) = await events(house, AuditEvent.AGREEMENT_CANCELLED)
    assert (event.actor, event.details["rationale"]) == (str(ANNA), WHY)


async def test_an_agreement_that_all_have_signed_keeps_what_its_document_is_made_of(
    house: House,
) -> None:
    desk = Desk(house)
    whole = await half_signed(desk, CANARY)
    async with house.transactions.work() as work:
        await advance_agreement(work, whole.row.id)
    visitor = await desk.visitor(whole, 2, "door-2")
    opened = await desk.open(visitor, "w2")
    await desk.sign(visitor, write_of(opened), {"signature-2": DRAWN})
    await erase(house, await house.party(whole.signers[0].party_id))
    after = await desk.now(whole.row.id)
    assert (after.row.state, after.value.is_signed) == ("active", True)
    assert after.signers[0].values["title-1"] == f"Head of {CANARY}"


async def test_a_draft_loses_the_name_of_an_erased_party_and_stays_a_draft(house: House) -> None:
    desk = Desk(house)
    party = await desk.party(f"{CANARY} Ltd")
    whole = await desk.draft(party.id)
    await erase(house, party)
    assert CANARY.encode() not in await everything_that_opens(house)
    after = await desk.now(whole.row.id)
    assert (after.row.state, after.signers[0].name) == ("draft", "erased")


async def test_a_draft_written_meanwhile_does_not_keep_the_name_of_who_is_erased(
    house: House,
) -> None:
    desk = Desk(house)
    party = await desk.party(f"{CANARY} Ltd")
    async with house.transactions.work() as work:
        await erase_party(work, house.workspace_id, party.id, WHY, ANNA)
        writing = asyncio.create_task(desk.draft(party.id))
        await asyncio.sleep(0.3)
    await writing
    assert CANARY.encode() not in await everything_that_opens(house)


async def test_a_draft_that_lets_go_of_a_signer_does_not_undo_its_erasure(house: House) -> None:
    desk = Desk(house)
    party, other = await desk.party(f"{CANARY} Ltd"), await desk.party("Boris Inc")
    whole = await desk.draft(party.id)
    async with house.transactions.work() as work:
        target, changes = desk.target(whole.row.id), {"signers": [{"party": str(other.id)}]}
        await change_agreement(work, target, whole.value.current, changes)
        await work.db.flush()
        erasing = asyncio.create_task(erase(house, party))
        await asyncio.sleep(0.3)
    await erasing
    assert (await house.party(party.id)).erased_at == START
