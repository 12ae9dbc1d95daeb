"""Members' open pages: warned and ended by the server's clock; one gate, twice (SH-1 to SH-3)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from httpx2 import AsyncClient
from sqlalchemy import event

from api.console_events import member_gate
from api.open_pages import OpenPage
from domain.member_session import MemberSessionEnd
from store.columns import new_id
from store.gate import Gone, Idle, Shut
from store.member_gate import member_gates_of
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.api.test_room_events import Served, next_of, served
from tests.rooms.house import START
from tests.rooms.member_browser import MemberBrowser, set_here
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_console(module_database_url: str) -> AsyncIterator[Console]:
    async with open_console(module_database_url) as console, console.signed_in():
        yield console


def expected(row: MemberSessionRow, at: Any) -> Shut | Idle | None:
    """What the domain's value says."""
    if reason := row.value.end_at(at):
        return Shut(reason)
    return Idle(row.value.ends_at) if at >= row.value.warns_at else None


@pytest.mark.parametrize(
    ("end", "silent", "absolute"),
    list(
        product((None, "killed", "displaced"), (0, 299, 300, 314, 315, 400), (None, -1, 0, 1, 14))
    ),
)
async def test_the_gate_in_sql_is_the_gate_of_the_domain(
    module_console: Console, end: str | None, silent: int, absolute: int | None
) -> None:
    """Silence, the absolute end and written ends: one predicate, twice (C2)."""
    at = START + timedelta(days=1)
    async with module_console.house.transactions.work() as work:
        row = (await module_console.house.all(MemberSessionRow))[0]
        row = await work.db.get_one(MemberSessionRow, row.id)
        row.touch(at - timedelta(seconds=silent))
        row.absolute_at = None if absolute is None else at + timedelta(seconds=absolute)
        row.ended_at, row.end_reason = (at if end else None), end
        await work.db.flush()
        unknown = new_id()
        found = await member_gates_of(work.db, [row.id, unknown], at)
        assert found.get(row.id) == expected(row, at)
        assert found[unknown] == Gone()
        await work.db.rollback()


async def test_one_question_for_all_open_pages(module_console: Console) -> None:
    """As many statements for a hundred sessions as for one."""
    asked: list[str] = []
    engine = module_console.house.engine.sync_engine

    def count(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    async with module_console.house.transactions.work() as work:
        event.listen(engine, "before_cursor_execute", count)
        found = await member_gate(work, [new_id() for _ in range(100)])
        event.remove(engine, "before_cursor_execute", count)
    assert len(found) == 100
    assert len(asked) == 1


def test_after_an_end_a_page_hears_of_nothing_else() -> None:
    page = OpenPage()
    page.tell(Shut("killed"))
    page.tell(Gone())
    assert page.news == Shut("killed")


@asynccontextmanager
async def listening(
    running: Served, browser: MemberBrowser, member: object
) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    """The events of one open page of a member, as (name, values)."""
    cookie = {"cookie": f"gatepass-member={browser.cookie('member') or ''}"}
    path = f"{running.url}{browser.base}/events?member={member}"
    async with AsyncClient(timeout=20) as client, client.stream("GET", path, headers=cookie) as got:
        assert got.status_code == 200
        assert got.headers["content-type"].startswith("text/event-stream")
        yield _events(got.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_the_warning_comes_with_the_servers_countdown_and_goes(console: Console) -> None:
    # SH-1 to SH-3, SX-3
    async with (
        console.signed_in() as anna,
        served(console.house) as running,
        listening(running, anna, console.anna.id) as events,
    ):
        console.house.clock.turn(minutes=5, seconds=3)
        assert await next_of(events) == ("idle", {"seconds_left": 12})
        sent = anna.party.sent | {"sec-fetch-dest": "empty"}
        stayed = await anna.party.client.post(f"{anna.base}/stay", headers=sent)
        assert stayed.status_code == 204
        assert await next_of(events) == ("active", {})
        console.house.clock.turn(minutes=5)
        assert (await next_of(events))[0] == "idle"
        # Any request by a person in any tab is an answer.
        await anna.get("/account")
        assert await next_of(events) == ("active", {})
        console.house.clock.turn(minutes=5, seconds=15)
        assert await next_of(events) == ("ended", {"reason": "inactive"})


async def test_listening_is_not_activity(console: Console) -> None:
    async with console.signed_in() as anna, served(console.house) as running:
        console.house.clock.turn(minutes=4)
        async with listening(running, anna, console.anna.id) as events:
            console.house.clock.turn(minutes=1, seconds=15)
            assert await next_of(events) == ("ended", {"reason": "inactive"})
        # And looking ended nothing: whoever comes next is told the reason.
        page = words(await anna.follow(await anna.get()))
        assert "because nothing was done for a while" in page


async def test_a_newer_sign_in_is_told_to_the_open_page(console: Console) -> None:
    # EE-9
    async with (
        console.signed_in() as older,
        served(console.house) as running,
        listening(running, older, console.anna.id) as events,
        console.signed_in(),
    ):
        assert await next_of(events) == ("ended", {"reason": "displaced"})


async def test_a_session_that_is_gone_ends_the_stream_and_the_next_one_says_why(
    console: Console,
) -> None:
    async with console.signed_in() as anna, served(console.house) as running:
        async with listening(running, anna, console.anna.id) as events:
            await anna.post("/sign-out")
            with pytest.raises(StopAsyncIteration):
                await next_of(events)
        async with listening(running, anna, console.anna.id) as events:
            assert await next_of(events) == ("ended", {"reason": ""})


async def test_a_page_of_somebody_else_is_over(console: Console) -> None:
    # EX-4
    async with (
        console.signed_in(email=BEN) as browser,
        served(console.house) as running,
        listening(running, browser, console.anna.id) as events,
    ):
        assert await next_of(events) == ("ended", {"reason": "different_user"})


async def test_a_new_password_leaves_the_pages_of_this_browser_open(console: Console) -> None:
    async with (
        console.signed_in() as anna,
        served(console.house) as running,
        listening(running, anna, console.anna.id) as events,
    ):
        answer = await anna.post(
            "/account/password", old="correct horse battery", password="another horse battery"
        )
        assert answer.status_code == 303
        console.house.clock.turn(minutes=5, seconds=5)
        assert await next_of(events) == ("idle", {"seconds_left": 10})


async def test_staying_too_late_is_refused(console: Console) -> None:
    # SH-3: T-1 s is allowed, T+1 s is not
    async with console.signed_in() as anna:
        console.house.clock.turn(minutes=5, seconds=14)
        back = await anna.post("/stay")
        assert (back.status_code, back.headers["location"]) == (303, anna.base)
        console.house.clock.turn(minutes=5, seconds=16)
        late = await anna.post("/stay")
        assert late.status_code == 401
        assert "because nothing was done for a while" in words(late)
        assert await console.ends() == [MemberSessionEnd.INACTIVE]


async def test_a_setting_makes_the_countdown_longer(console: Console) -> None:
    # C6
    await set_here(console.house, session_warning_grace=60)
    async with (
        console.signed_in() as anna,
        served(console.house) as running,
        listening(running, anna, console.anna.id) as events,
    ):
        console.house.clock.turn(minutes=5, seconds=1)
        assert await next_of(events) == ("idle", {"seconds_left": 59})
