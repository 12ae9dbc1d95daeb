"""What follows an end: written back, advanced, told; each once."""

import asyncio
from typing import Any

import pytest
from sqlmodel import select

from commands.definition import retire_template
from commands.party import Move, change_party, pass_transition
from commands.public_session import check_bound, revoke
from commands.settlement import retry_advance, settle
from domain.errors import NotFound, NothingToAdvance
from domain.messages import PublicSessionOutcome
from domain.public_session import Advance
from store.audit import AuditRow
from store.columns import new_id
from store.party import PassageRow
from store.public_session import PublicSessionRow
from store.sealed import opened
from tests.rooms.house import ANNA, INTAKE, LIFECYCLE, House


async def settled(house: House, session: PublicSessionRow) -> PublicSessionOutcome | None:
    async with house.transactions.work() as work:
        return await settle(work, session.id)


async def completed(house: House, **party: Any) -> PublicSessionRow:
    (session,) = (await house.create(**party)).issued
    visitor = await house.enter(session.id)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")
    return await house.session(session.id)


async def kinds(house: House, session: PublicSessionRow) -> list[str]:
    return [each.kind for each in await house.mails(session.id)]


async def move(house: House, session: PublicSessionRow, transition: str) -> None:
    async with house.transactions.work() as work:
        wanted = Move(transition, f"{transition}:{new_id()}", ANNA)
        await pass_transition(work, house.workspace_id, session.party_id, wanted)


async def test_an_open_session_has_nothing_to_settle(house: House) -> None:
    (session,) = (await house.create()).issued
    assert await settled(house, session) is None
    assert (await house.session(session.id)).settled_at is None


async def test_nobodys_session_is_not_found(house: House) -> None:
    async with house.transactions.work() as work:
        with pytest.raises(NotFound):
            await settle(work, new_id())


async def test_a_completed_session_advances_the_lifecycle_which_issues_the_next(
    house: House,
) -> None:
    # PS-19
    session = await completed(house)
    assert session.advance == Advance.PENDING
    assert await settled(house, session) == PublicSessionOutcome("completed", "done")
    assert (await house.party(session.party_id)).state == "review"
    issued = [each.template_key for each in await house.all(PublicSessionRow)]
    assert issued == ["intake", "diligence"]
    assert (await house.audit(session.id))[-2:] == ["party.changed", "advanced"]
    assert await kinds(house, session) == ["invitation", "completed", "issuer_completed"]


async def test_settling_again_or_at_the_same_moment_does_nothing_more(house: House) -> None:
    # PS-36
    session = await completed(house)
    outcomes = await asyncio.gather(*(settled(house, session) for _ in range(8)))
    assert set(outcomes) == {PublicSessionOutcome("completed", "done")}
    assert len(await house.all(PublicSessionRow)) == 2
    assert len(await house.all(PassageRow)) == 2
    assert await kinds(house, session) == ["invitation", "completed", "issuer_completed"]


async def test_answers_are_written_back_and_the_old_value_stays_in_the_audit(
    house: House,
) -> None:
    session = await completed(house, attributes={"company": "Old Ltd", "other": 1})
    await settled(house, session)
    party = await house.party(session.party_id)
    assert party.attributes == {"company": "ACME", "other": 1}
    async with house.transactions.work() as work:
        found = select(AuditRow).where(
            AuditRow.session_id == session.id, AuditRow.event == "party.changed"
        )
        (row,) = await opened(work.db, (await work.db.scalars(found)).all())
    path = "party.attributes.company"
    assert row.details == {"before": {path: "Old Ltd"}, "after": {path: "ACME"}}


async def test_the_same_answer_as_before_changes_nothing(house: House) -> None:
    session = await completed(house, attributes={"company": "ACME"})
    await settled(house, session)
    assert "party.changed" not in await house.audit(session.id)


async def test_a_name_is_written_back_too(house: House) -> None:
    hints = {"prefill": "party.name", "write_back": True}
    company = {"type": "string", "title": "Company", "maxLength": 99, "x-ui": hints}
    schema = {"type": "object", "properties": {"company": company}, "required": ["company"]}
    await house.save("form", "profile", {"title": "Profile", "schema": schema})
    await house.publish("intake", INTAKE)
    session = await completed(house)
    await settled(house, session)
    assert (await house.party(session.party_id)).name == "ACME"


async def test_a_party_that_moved_meanwhile_blocks_the_advance_visibly(house: House) -> None:
    # PS-39: nothing is written back, nothing issued; the reason shows and is audited
    session = await completed(house)
    await move(house, session, "look")
    before = len(await house.all(PublicSessionRow))
    assert await settled(house, session) == PublicSessionOutcome("completed", "blocked")
    row = await house.session(session.id)
    assert row.advance_reason == "The party is in the state 'review', not in 'new'."
    assert (await house.audit(session.id))[-1] == "advance_blocked"
    assert (await house.party(session.party_id)).attributes == {}
    assert len(await house.all(PublicSessionRow)) == before
    mails = {f"mail:{each.id}" for each in await house.mails(session.id)}
    assert {each.workflow_id for each in await house.intents(session.id)} >= mails


async def test_a_blocked_advance_is_tried_again_and_then_there_is_none(house: House) -> None:
    # PS-39
    session = await completed(house)
    await move(house, session, "look")
    await settled(house, session)
    await _retry(house, session)
    assert (await house.session(session.id)).advance == "blocked"
    await move(house, session, "back")
    await _retry(house, session)
    row = await house.session(session.id)
    assert (row.advance, row.advance_reason) == ("done", "")
    assert (await house.party(session.party_id)).state == "review"
    with pytest.raises(NothingToAdvance):
        await _retry(house, session)


async def _retry(house: House, session: PublicSessionRow) -> None:
    async with house.transactions.work() as work:
        await retry_advance(work, house.target(session))


async def test_a_block_within_what_the_move_issues_undoes_the_move(house: House) -> None:
    # the next template is gone: neither the move nor the write-back stays
    session = await completed(house)
    async with house.transactions.work() as work:
        await retire_template(work, house.workspace_id, "diligence", ANNA)
    assert await settled(house, session) == PublicSessionOutcome("completed", "blocked")
    party = await house.party(session.party_id)
    assert (party.state, party.attributes) == ("new", {})
    assert [each.transition for each in await house.all(PassageRow)] == [None]
    signals = [each.workflow for each in await house.intents(session.id) if each.signal is None]
    assert signals.count("PublicSession") == 1


async def test_a_template_without_completion_advances_nothing(house: House) -> None:
    await house.save("lifecycle", "vendor", LIFECYCLE | {"completions": []})
    session = await completed(house)
    assert await settled(house, session) == PublicSessionOutcome("completed", "none")
    assert (await house.party(session.party_id)).attributes == {"company": "ACME"}


async def test_an_expired_session_closes_without_effect(house: House) -> None:
    # PS-19, PS-29
    (session,) = (await house.create()).issued
    visitor = await house.enter(session.id)
    await house.complete(visitor, "profile")
    house.clock.turn(days=14)
    async with house.transactions.work() as work:
        await check_bound(work, session.id)
    assert await settled(house, session) == PublicSessionOutcome("bound_reached", "none")
    party = await house.party(session.party_id)
    assert (party.state, party.attributes) == ("new", {})
    assert await kinds(house, session) == ["invitation", "expired", "issuer_expired"]


async def test_a_revoked_session_tells_the_party_only(house: House) -> None:
    # PS-30
    (session,) = (await house.create()).issued
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "wrong vendor", "Sorry.")
    assert await settled(house, session) == PublicSessionOutcome("revoked", "none")
    assert await kinds(house, session) == ["invitation", "revoked"]


async def test_without_an_address_the_party_is_told_nothing(house: House) -> None:
    # PS-37
    session = await completed(house)
    async with house.transactions.work() as work:
        await change_party(work, house.workspace_id, session.party_id, {"email": ""}, ANNA)
    await settled(house, session)
    assert await kinds(house, session) == ["invitation", "issuer_completed"]
