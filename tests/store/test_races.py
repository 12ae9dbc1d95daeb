"""Real connections at the same moment: exactly one wins, and the audit says which."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from commands.binding import Verify, verify
from commands.public_session import revoke
from commands.room import Visitor
from commands.settlement import settle
from domain.errors import CodeSpent, SessionEnded, TaskDone
from store.party import PartyRow, PassageRow
from store.public_session import PublicSessionRow, submissions_of
from tests.rooms.house import INTAKE, TASKS, House, bare_house, furnish

pytestmark = [pytest.mark.timeout(240), pytest.mark.load]

AT_ONCE = 16
TIMES = 100


@pytest_asyncio.fixture(scope="module")
async def race_house(module_database_url: str) -> AsyncIterator[House]:
    """A furnished house whose intake has one task."""
    # A contestant may wait for all others; on a busy machine that takes longer than in life.
    patience = timedelta(seconds=10)
    limits: dict[str, Any] = {
        "database_lock_timeout": patience,
        "code_failures_per_party": 100_000,
    }
    async with bare_house(module_database_url, **limits) as house:
        await furnish(house, tasks=list(TASKS[1:]))
        yield house


async def outcomes(contestants: list[Awaitable[Any]]) -> Counter[str]:
    """How the contestants fared: names of what they returned or were refused with."""
    ended = await asyncio.gather(*contestants, return_exceptions=True)
    return Counter(type(each).__name__ for each in ended)


async def party_of(house: House) -> PartyRow:
    return (await house.create()).party


async def test_of_sixteen_browsers_with_one_code_one_gets_in(race_house: House) -> None:
    # PS-26: one-time means one time
    (session,) = (await race_house.create()).issued
    link = await race_house.link(session.id)
    for number in range(1, TIMES + 1):
        code = await race_house.fresh_code(session.id)
        doors = [Verify(link, f"door-{number}-{each}", code) for each in range(AT_ONCE)]
        fared = await outcomes([verify(race_house.transactions, each) for each in doors])
        assert fared == {"Bound": 1, CodeSpent.__name__: AT_ONCE - 1}
    row = await race_house.session(session.id)
    assert row.fence == TIMES
    trail = Counter(await race_house.audit(session.id))
    assert trail == {"issued": 1, "activated": 1, "taken_over": TIMES - 1}


async def test_of_sixteen_submits_of_one_task_one_completes_it(race_house: House) -> None:
    # SX-2: the first of two tasks leaves the session open, the last one ends it
    await race_house.publish("double", INTAKE)
    party = await party_of(race_house)
    for number in range(10):
        session = (await race_house.issue_to(party, "double", f"submit-{number}")).session
        visitor = await race_house.enter(session.id)
        for task, lost in (("profile", TaskDone), ("terms", SessionEnded)):
            fared = await outcomes([race_house.complete(visitor, task) for _ in range(AT_ONCE)])
            assert fared == {"Room": 1, lost.__name__: AT_ONCE - 1}
        async with race_house.transactions.work() as work:
            assert len(await submissions_of(work.db, session.id)) == 2
        trail = Counter(await race_house.audit(session.id))
        assert (trail["task.completed"], trail["completed"]) == (2, 1)
        told = [each.signal for each in await race_house.intents(session.id)]
        assert told.count("task_completed") == 2


async def test_sixteen_settlements_of_one_session_advance_once(race_house: House) -> None:
    # PS-36
    (session,) = (await race_house.create()).issued
    visitor = await race_house.enter(session.id)
    await outcomes([race_house.complete(visitor, "terms") for _ in range(AT_ONCE)])
    moves = len(await race_house.all(PassageRow))
    advanced = await outcomes([_settled(race_house, session) for _ in range(AT_ONCE)])
    assert advanced == {"PublicSessionOutcome": AT_ONCE}
    assert len(await race_house.all(PassageRow)) == moves + 1
    assert (await race_house.audit(session.id)).count("advanced") == 1


async def _settled(house: House, session: PublicSessionRow) -> object:
    async with house.transactions.work() as work:
        return await settle(work, session.id)


async def test_submit_against_revoke_has_one_stated_winner(race_house: House) -> None:
    # PS-30
    party = await party_of(race_house)
    winners: Counter[str] = Counter()
    for number in range(TIMES):
        session = (await race_house.issue_to(party, "intake", f"revoke-{number}")).session
        visitor = await race_house.enter(session.id)
        winners[await _duel(race_house, session, visitor, submit_first=number % 2 == 0)] += 1
    assert winners.total() == TIMES
    assert set(winners) == {"completed", "revoked"}


async def _duel(
    house: House, session: PublicSessionRow, visitor: Visitor, *, submit_first: bool
) -> str:
    async def revoked() -> None:
        async with house.transactions.work() as work:
            await revoke(work, house.target(session), "why")

    submitted = house.complete(visitor, "terms")
    duel = (submitted, revoked()) if submit_first else (revoked(), submitted)
    ended = await asyncio.gather(*duel, return_exceptions=True)
    (lost,) = [each for each in ended if isinstance(each, BaseException)]
    assert isinstance(lost, SessionEnded)
    row = await house.session(session.id)
    assert lost.end_reason == row.end_reason
    assert (await house.audit(session.id))[-1] == row.end_reason
    async with house.transactions.work() as work:
        kept = len(await submissions_of(work.db, session.id))
    assert kept == (1 if row.end_reason == "completed" else 0)
    signals = [each.signal for each in await house.intents(session.id) if each.signal]
    assert signals[1:] == ["task_completed" if kept else "revoke"]
    return str(row.end_reason)
