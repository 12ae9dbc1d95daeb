"""Delivery: in order, at most what is due, leased, waiting while Temporal is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from typing_extensions import override

from adapters.temporal import Delivery, Telegram, Telegraph, TemporalAway
from commands.intent import AWAY_AFTER, IntentCourier
from commands.public_session import revoke
from domain.messages import Revoked
from domain.workflow_names import REVOKE, TAKE_OVER
from store.intent import claim_due
from store.public_session import PublicSessionRow
from tests.rooms.house import Clock, House, furnished_house
from tests.rooms.works import eventually


class Recorder(Telegraph):
    """A telegraph that answers as told and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[Telegram] = []
        self.answer: Callable[[Telegram], Delivery] = lambda _: Delivery.DONE

    @override
    async def deliver(self, telegram: Telegram) -> Delivery:
        """Keeps the telegram and answers."""
        self.given.append(telegram)
        return self.answer(telegram)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A house with a database of its own: a courier takes everything that is due in it."""
    async with furnished_house(database_url) as house:
        yield house


def courier(house: House, telegraph: Telegraph, clock: Clock | None = None) -> IntentCourier:
    settings = house.transactions.settings
    return IntentCourier(house.engine, telegraph, settings, clock or house.clock)


def away(_: Telegram) -> Delivery:
    raise TemporalAway("no answer")


async def issued(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


async def waiting(house: House, session: PublicSessionRow) -> list[str | None]:
    return [each.signal for each in await house.intents(session.id) if each.done_at is None]


async def test_what_was_committed_is_delivered_at_once_and_noted(house: House) -> None:
    recorder = Recorder()
    house.transactions._courier = good = courier(house, recorder)
    session = await issued(house)
    await good.drain()
    assert {each.workflow for each in recorder.given} == {"PublicSession", "Mail"}
    assert await waiting(house, session) == []


async def test_nothing_is_delivered_of_what_was_rolled_back(house: House) -> None:
    recorder = Recorder()
    house.transactions._courier = good = courier(house, recorder)

    async def fails() -> None:
        async with house.transactions.work() as work:
            work.tell_public_session(house.workspace_id, REVOKE, Revoked())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    await good.drain()
    assert recorder.given == []


async def test_intents_of_one_workflow_keep_their_order(house: House) -> None:
    recorder = Recorder()
    session = await issued(house)
    visitor = await house.enter(session.id)
    house.transactions._courier = good = courier(house, recorder)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")
    await good.drain()
    assert [each.payload["task"] for each in recorder.given] == ["profile", "terms"]


async def test_while_temporal_is_away_verbs_answer_and_the_loop_repeats(house: House) -> None:
    # every verb works with Temporal stopped; what follows catches up
    recorder = Recorder()
    recorder.answer = away
    house.transactions._courier = first = courier(house, recorder)
    session = await issued(house)
    await house.enter(session.id)
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    await first.drain()
    assert len(recorder.given) <= AWAY_AFTER, "one that knows it is away does not ask"
    assert await waiting(house, session) == [None, None, TAKE_OVER, REVOKE]
    recorder.answer = lambda _: Delivery.DONE
    assert await first.deliver_due() == 0
    house.clock.turn(seconds=6)
    assert await first.deliver_due() == 4
    assert await waiting(house, session) == []


async def test_an_error_is_shown_and_the_intent_is_tried_again_later(house: House) -> None:
    recorder = Recorder()
    recorder.answer = away
    session = await issued(house)
    house.clock.turn(seconds=6)
    each = courier(house, recorder)
    assert await each.deliver_due() == 0
    assert any("no answer" in row.error for row in await house.intents(session.id))
    house.clock.turn(seconds=4)
    recorder.answer = lambda _: Delivery.DONE
    assert await each.deliver_due() == 0
    house.clock.turn(seconds=2)
    assert await each.deliver_due() == 2
    assert {row.error for row in await house.intents(session.id)} == {""}


async def test_a_signal_waits_until_the_start_was_delivered(house: House) -> None:
    recorder = Recorder()
    session = await issued(house)
    await house.enter(session.id)

    def nothing_started(telegram: Telegram) -> Delivery:
        if telegram.signal is None:
            raise TemporalAway("no answer")
        return Delivery.NOT_THERE

    recorder.answer = nothing_started
    alone = [each for each in await house.intents(session.id) if each.signal]
    each = courier(house, recorder)
    each.hand_over(alone)
    await each.drain()
    assert TAKE_OVER in await waiting(house, session)


async def test_a_signal_to_a_workflow_that_is_over_is_done(house: House) -> None:
    recorder = Recorder()
    session = await issued(house)
    house.clock.turn(seconds=6)
    each = courier(house, recorder)
    await each.deliver_due()
    await house.enter(session.id)
    recorder.answer = lambda _: Delivery.NOT_THERE
    house.clock.turn(seconds=6)
    assert await each.deliver_due() == 1
    assert await waiting(house, session) == []


async def test_two_loops_never_take_the_same_intent(house: House) -> None:
    for _ in range(5):
        await issued(house)
    house.clock.turn(seconds=6)

    async def claimed() -> list[str]:
        async with house.transactions.work() as work:
            rows = await claim_due(work.db, work.at, timedelta(seconds=5))
            return [str(each.id) for each in rows]

    taken = [each for part in await asyncio.gather(*(claimed() for _ in range(4))) for each in part]
    assert len(taken) == len(set(taken)) == 10


async def test_the_loop_runs_until_it_is_told_to_stop(house: House) -> None:
    recorder = Recorder()
    session = await issued(house)
    house.clock.turn(seconds=6)
    stop = asyncio.Event()
    loop = asyncio.create_task(courier(house, recorder).repeat_until_stopped(stop))

    async def delivered() -> bool:
        return await waiting(house, session) == []

    await eventually(delivered)
    stop.set()
    await asyncio.wait_for(loop, 2)


async def test_the_loop_clears_away_what_was_delivered_long_ago(house: House) -> None:
    recorder = Recorder()
    session = await issued(house)
    house.clock.turn(seconds=6)
    await courier(house, recorder).deliver_due()
    house.clock.turn(days=8)
    stop = asyncio.Event()
    loop = asyncio.create_task(courier(house, recorder).repeat_until_stopped(stop))

    async def cleared() -> bool:
        return await house.intents(session.id) == []

    await eventually(cleared)
    stop.set()
    await asyncio.wait_for(loop, 2)
