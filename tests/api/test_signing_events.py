"""Open pages hear what becomes of the windows in their room (EX-13, EX-19, EX-22, SX-3)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.open_pages import OpenPage, Signings, news_of, open_pages_of, poll_until_stopped
from api.room_events import signing_room_gate
from commands.public_session import Target, revoke
from commands.room import enter
from commands.signing import window_of, window_policy
from commands.signing_session import signing_in
from domain.window import WindowEnd
from store.gate import Shut
from store.signing_gate import signings_of
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import OTHER_PAPER, SIGN, Desk
from tests.rooms.house import ANNA, House, bare_house
from tests.rooms.party_browser import app_of


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with bare_house(database_url) as house:
        yield house


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


@pytest.mark.parametrize("end", [None, *WindowEnd])
async def test_the_gate_in_sql_is_the_gate_of_the_domain(desk: Desk, end: WindowEnd | None) -> None:
    """One predicate, twice: ended, another browser's, silent, warned, at ease."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    row = (await desk.open(visitor)).row
    assert row is not None
    for silent, mine in product((0, 4.9, 5, 5.9, 6, 9), (True, False)):
        async with desk.house.transactions.work() as work:
            room = await enter(work, visitor)
            own = await work.db.get_one(SigningSessionRow, row.id)
            own.active_at = work.at - timedelta(minutes=silent)
            own.end_reason = end
            own.binding_id = room.binding.id if mine else None
            await work.db.flush()
            policy = window_policy(work)
            [told] = (await signings_of(work.db, [room.binding.id], work.at, policy))[
                room.binding.id
            ]
            window = window_of(work, await signing_in(work, room, SIGN))
            ended = window.end_at(work.at, policy)
            assert told.reason == (ended or "")
            warned = ended is None and work.at >= window.warns_at(policy)
            expected = window.idles_out_at(policy) if warned else None
            assert told.idles_out_at == expected
            await work.db.rollback()


class Page:
    """An open page that listens at the room's gate."""

    def __init__(self, app: FastAPI, desk: Desk, binding_id: Any) -> None:
        self.app, self.desk, self.binding_id = app, desk, binding_id
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def ask(self) -> Any:
        """What the gate says now."""
        async with self.desk.house.transactions.work() as work:
            gate = await signing_room_gate(work, [self.binding_id])
            return gate.get(self.binding_id)


async def page_of(app: FastAPI, desk: Desk, visitor: Any) -> Page:
    async with desk.house.transactions.work() as work:
        return Page(app, desk, (await enter(work, visitor)).binding.id)


@asynccontextmanager
async def listening(page: Page) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
    """What the page hears of windows, one after the other, each within a second."""
    state, stop = page.app.state, asyncio.Event()
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def listen(opened: OpenPage) -> None:
        async for each in news_of(opened, state.transactions):
            if each.event == "signing":
                heard.put_nowait(each.data)

    async def told() -> dict[str, Any]:
        async with asyncio.timeout(1):
            return dict(await heard.get())

    with open_pages_of(state).opened(signing_room_gate, page.binding_id) as opened:
        tasks = [
            asyncio.create_task(poll_until_stopped(state, stop)),
            asyncio.create_task(listen(opened)),
        ]
        yield told
        assert heard.empty()
        stop.set()
        await asyncio.gather(*tasks)


async def test_a_takeover_a_new_version_and_silence_are_told(desk: Desk) -> None:
    """EX-13, EX-19, EX-22: who holds the place, which fence, which version, how it ended."""
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    page = await page_of(app_of(desk.house), desk, visitor)
    assert await page.ask() is None, "nothing was opened yet"
    async with listening(page) as told:
        await desk.open(visitor, "w1")
        assert await told() == {
            "task": SIGN,
            "holder": "w1",
            "fence": 1,
            "version": 1,
            "reason": "",
            "seconds_left": None,
        }
        await desk.open(visitor, "w2", take_over=True)
        said = await told()
        assert (said["holder"], said["fence"], said["reason"]) == ("w2", 2, "")
        await desk.change(whole, {}, OTHER_PAPER)
        assert (await told())["version"] == 2
        desk.house.clock.turn(minutes=5, seconds=20)
        assert (await told())["seconds_left"] == 40
        desk.house.clock.turn(seconds=41)
        assert (await told())["reason"] == "inactive"


async def test_signs_of_life_are_no_news(desk: Desk) -> None:
    """SX-3: nobody is woken by a heartbeat."""
    from commands.signing_session import hear_signing
    from domain.window import Place

    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor, "w1")
    page = await page_of(app_of(desk.house), desk, visitor)
    before = await page.ask()
    desk.house.clock.turn(seconds=10)
    async with desk.house.transactions.work() as work:
        await hear_signing(work, visitor, SIGN, Place("w1", 1), active=True)
    after = await page.ask()
    assert before == after
    assert isinstance(before, Signings)


async def test_another_browser_hears_of_its_own_end_alone(desk: Desk) -> None:
    whole = await desk.sent()
    first = await desk.visitor(whole)
    await desk.open(first, "w1")
    page = await page_of(app_of(desk.house), desk, first)
    await desk.visitor(whole, door="door-2")
    assert await page.ask() == Shut("opened_elsewhere")


async def test_a_document_that_is_cancelled_is_called_so(desk: Desk) -> None:
    """EX-23: the sender's word for it, in an open page as on the one after it."""
    whole = await desk.sent("Vera Ltd", "Walt Ltd", ordered=False)
    app = app_of(desk.house)
    vera = await page_of(app, desk, await desk.visitor(whole))
    walt = await page_of(app, desk, await desk.visitor(whole, 2))
    async with desk.house.transactions.work() as work:
        target = Target(await desk.session_of(whole, 2), desk.house.workspace_id, ANNA)
        await revoke(work, target, "one of them only")
    assert (await vera.ask(), await walt.ask()) == (None, Shut("revoked"))
    await desk.cancel(await desk.now(whole.row.id))
    assert await vera.ask() == Shut("cancelled")
    assert await walt.ask() == Shut("cancelled")
