"""Nothing that a signer's window does waits in a ring for who ends it (RELIABILITY: no deadlock).

Whoever acts in a room notes that its browser was heard of: that row is locked behind the session.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from commands.agreement import cancel_agreement, locked_with_sessions
from commands.public_session import lock_session, revoke
from commands.signing_session import hear_signing, look_at_signing
from commands.step_up import StepUp, ask_step_up, step_up
from domain.errors import SessionEnded
from tests.rooms.agreements import SIGN, Desk, write_of
from tests.rooms.house import bare_house

UNTIL_IT_WAITS = 0.3
"""Seconds: until the other transaction stands where it has to wait."""


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with bare_house(database_url) as house:
        yield Desk(house)


async def test_a_beat_while_the_agreement_is_cancelled_waits_in_no_ring(desk: Desk) -> None:
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    place = write_of(await desk.open(visitor)).place
    desk.house.clock.turn(seconds=30)

    async def beat() -> None:
        async with desk.house.transactions.work() as work:
            await hear_signing(work, visitor, SIGN, place, active=True)

    async with desk.house.transactions.work() as work:
        target = desk.target(whole.row.id)
        await locked_with_sessions(work, target)
        beating = asyncio.create_task(beat())
        await asyncio.sleep(UNTIL_IT_WAITS)
        await cancel_agreement(work, target, "not any more")
    with pytest.raises(SessionEnded):
        await beating


async def test_a_page_looked_at_while_the_agreement_is_cancelled_waits_in_no_ring(
    desk: Desk,
) -> None:
    """It notes activity on the browser's row and its windows' without the session's lock (SX-3)."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor)
    desk.house.clock.turn(seconds=30)
    target = desk.target(whole.row.id)

    async def look() -> None:
        async with desk.house.transactions.work() as work:
            await look_at_signing(work, visitor, SIGN)

    async def cancel() -> None:
        async with desk.house.transactions.work() as work:
            await cancel_agreement(work, target, "not any more")

    async with desk.house.transactions.work() as work:
        await look_at_signing(work, visitor, SIGN)
        cancelling = asyncio.create_task(cancel())
        await asyncio.sleep(UNTIL_IT_WAITS)
        assert not cancelling.done()
        looking = [asyncio.create_task(look()) for _ in range(3)]
        await asyncio.sleep(UNTIL_IT_WAITS)
    await cancelling
    done = await asyncio.gather(*looking, return_exceptions=True)
    assert all(each is None or isinstance(each, SessionEnded) for each in done), done


async def test_a_code_typed_while_the_session_is_revoked_waits_in_no_ring(desk: Desk) -> None:
    whole = await desk.sent(step_up=True)
    visitor = await desk.visitor(whole)
    place = write_of(await desk.open(visitor)).place
    async with desk.house.transactions.work() as work:
        await ask_step_up(work, visitor, SIGN, place)
    digits = await desk.house.mailed_code(visitor.session_id)
    desk.house.clock.turn(seconds=30)
    target = desk.house.target(await desk.house.session(visitor.session_id))
    async with desk.house.transactions.work() as work:
        await lock_session(work, target)
        wanted = StepUp(visitor, SIGN, place, digits)
        typing = asyncio.create_task(step_up(desk.house.transactions, wanted))
        await asyncio.sleep(UNTIL_IT_WAITS)
        await revoke(work, target, "not any more")
    with pytest.raises(SessionEnded):
        await typing
