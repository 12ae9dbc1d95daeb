"""Open pages hear of the end within the poll's interval, and of nothing unknown (PS-30)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import event
from starlette.datastructures import State

from adapters.embedded.ports import free_port
from api.open_pages import OpenPages, open_pages_of, poll_until_stopped
from api.room_events import room_gate
from commands.public_session import revoke
from commands.work import Transactions
from domain.binding import IdlePolicy
from domain.settings import Settings
from store.binding import BindingRow, binding_value
from store.columns import new_id
from store.database import connect
from store.gate import Idle, Shut, gates_of
from store.public_session import PublicSessionRow, tasks_of, value_of
from tests.rooms.house import KEYRING, START, DiesAfterCommit, House, furnished_house
from tests.rooms.party_browser import app_of, browser_at

POLICY = IdlePolicy(timedelta(minutes=30), timedelta(seconds=60))
POLL = timedelta(milliseconds=100)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with furnished_house(database_url) as house:
        yield house


@pytest_asyncio.fixture
async def session(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


# The gate as one statement says what the domain's value says.


def expected(session: PublicSessionRow, binding: BindingRow, at: datetime) -> Shut | Idle | None:
    """What a request of this browser would meet, by the domain's rules alone."""
    here = session.binding_id == binding.id
    value = value_of(session, (), binding if here else None)
    if reason := value.end_at(at):
        return Shut(reason)
    if binding.end_reason or not here:
        return Shut(binding.end_reason or "opened_elsewhere")
    mine = binding_value(binding)
    if silence := mine.end_at(at, POLICY):
        return Shut(silence)
    return Idle(mine.idles_out_at(POLICY)) if at >= mine.warns_at(POLICY) else None


@pytest.mark.parametrize(
    ("end", "place", "silent", "later"),
    list(
        product(
            (None, "completed", "revoked"),
            ("mine", "other", "none", "quit"),
            (0, 29, 30, 30.9, 31, 40),
            (0, 14),
        )
    ),
)
async def test_the_gate_in_sql_is_the_gate_of_the_domain(
    module_house: House, end: str | None, place: str, silent: float, later: int
) -> None:
    """Deadlines, ends, other browsers and silence: one predicate, twice."""
    at = START + timedelta(days=later)
    async with module_house.transactions.work() as work:
        session = (await work.db.scalars(_first_session())).one()
        binding = await work.db.get_one(BindingRow, UUID(int=7))
        binding.last_seen_at = at - timedelta(minutes=silent)
        binding.end_reason = "quit" if place == "quit" else None
        session.end_reason = end
        session.expires_at = START + timedelta(days=14)
        session.binding_id = {"mine": binding.id, "other": new_id()}.get(place)
        await work.db.flush()
        found = await gates_of(work.db, [binding.id, new_id()], at, POLICY)
        assert found.get(binding.id) == expected(session, binding, at)
        assert set(found) <= {binding.id}
        refusal = value_of(
            session, await tasks_of(work.db, session.id), binding if place == "mine" else None
        ).refuses_browser(binding.id, at, POLICY)
        assert isinstance(found.get(binding.id), Shut) is (refusal is not None)
        await work.db.rollback()


def _first_session() -> Any:
    from sqlmodel import select

    return select(PublicSessionRow).limit(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_house(module_database_url: str) -> AsyncIterator[House]:
    async with furnished_house(module_database_url) as house:
        session = (await house.create()).issued[0]
        async with house.transactions.work() as work:
            work.db.add(
                BindingRow(
                    id=UUID(int=7),
                    workspace_id=house.workspace_id,
                    session_id=session.id,
                    fence=1,
                    door_digest="d",
                    digest="x",
                    key_version=1,
                    bound_at=START,
                    last_seen_at=START,
                )
            )
        yield house


# Streams, over a real socket.


@dataclass(slots=True)
class Served:
    """The application on a socket, with its poll."""

    app: FastAPI
    url: str
    stop: asyncio.Event


@asynccontextmanager
async def served(house: House) -> AsyncIterator[Served]:
    """Serves until the block ends; the poll runs ten times a second."""
    port = free_port()
    app = app_of(house, room_poll_interval=POLL, public_url=f"http://127.0.0.1:{port}")
    config = uvicorn.Config(
        app, port=port, lifespan="off", log_level="error", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    stop = asyncio.Event()
    poll = asyncio.create_task(poll_until_stopped(app.state, stop))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.01)
    try:
        yield Served(app, f"http://127.0.0.1:{port}", stop)
    finally:
        stop.set()
        await poll
        server.should_exit = True
        await serving


@asynccontextmanager
async def listening(
    served: Served, session_id: UUID, secret: str
) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    """The events of one open page, as (name, values)."""
    cookie = {"cookie": f"gatepass-{session_id.hex}={secret}"}
    async with (
        AsyncClient(timeout=10) as client,
        client.stream("GET", f"{served.url}/sessions/{session_id}/events", headers=cookie) as got,
    ):
        assert got.status_code == 200
        assert got.headers["content-type"].startswith("text/event-stream")
        assert got.headers["cache-control"] == "no-store"
        yield _events(got.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def next_of(events: AsyncIterator[tuple[str, dict[str, Any]]]) -> tuple[str, dict[str, Any]]:
    """The next event, which comes well within a second."""
    async with asyncio.timeout(1):
        return await anext(events)


async def test_a_revocation_reaches_every_open_page_within_a_second(
    house: House, session: PublicSessionRow
) -> None:
    """PS-30: row first, then the pages are told; the stream ends after that."""
    visitor = await house.enter(session.id)
    async with (
        served(house) as running,
        listening(running, session.id, visitor.secret) as one,
        listening(running, session.id, visitor.secret) as two,
    ):
        async with house.transactions.work() as work:
            await revoke(work, house.target(session), "rationale", "message")
        for events in (one, two):
            assert await next_of(events) == ("ended", {"reason": "revoked"})
            with pytest.raises(StopAsyncIteration):
                await next_of(events)
        assert len(open_pages_of(running.app.state)) == 0


async def test_another_browser_taking_over_is_told_to_the_first_alone(
    house: House, session: PublicSessionRow
) -> None:
    """C3: the first hears the true reason; the second hears nothing."""
    first = await house.enter(session.id, "door-1")
    async with served(house) as running, listening(running, session.id, first.secret) as events:
        second = await house.enter(session.id, "door-2")
        assert await next_of(events) == ("ended", {"reason": "opened_elsewhere"})
        async with listening(running, session.id, second.secret) as others:
            with pytest.raises(TimeoutError):
                await next_of(others)


async def test_what_is_over_already_is_told_at_once(
    house: House, session: PublicSessionRow
) -> None:
    visitor = await house.enter(session.id)
    house.clock.turn(days=14)
    async with served(house) as running, listening(running, session.id, visitor.secret) as events:
        assert await next_of(events) == ("ended", {"reason": "bound_reached"})


async def test_the_idle_warning_comes_goes_and_ends(
    house: House, session: PublicSessionRow
) -> None:
    """C18, WCAG 2.2.1: a warning with the time left; activity takes it back; silence ends it."""
    visitor = await house.enter(session.id)
    async with served(house) as running, listening(running, session.id, visitor.secret) as events:
        house.clock.turn(minutes=30, seconds=10)
        assert await next_of(events) == ("idle", {"seconds_left": 50})
        cookie = {"cookie": f"gatepass-{session.id.hex}={visitor.secret}"}
        stay = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
        async with AsyncClient() as client:
            path = f"{running.url}/sessions/{session.id}/stay"
            assert (await client.post(path, headers=cookie | stay)).status_code == 204
        assert await next_of(events) == ("active", {})
        house.clock.turn(minutes=31)
        assert await next_of(events) == ("ended", {"reason": "inactive"})


async def test_listening_is_not_activity(house: House, session: PublicSessionRow) -> None:
    visitor = await house.enter(session.id)
    house.clock.turn(minutes=20)
    async with served(house) as running, listening(running, session.id, visitor.secret) as events:
        house.clock.turn(minutes=11)
        assert await next_of(events) == ("ended", {"reason": "inactive"})


async def test_a_stopping_server_ends_its_streams_without_claiming_an_end(
    house: House, session: PublicSessionRow
) -> None:
    visitor = await house.enter(session.id)
    async with served(house) as running, listening(running, session.id, visitor.secret) as events:
        running.stop.set()
        with pytest.raises(StopAsyncIteration):
            await next_of(events)


async def test_a_stranger_hears_nothing(house: House, session: PublicSessionRow) -> None:
    async with browser_at(app_of(house), house) as stranger:
        assert (await stranger.get(f"/sessions/{session.id}/events")).status_code == 404


async def test_one_question_for_all_open_pages(house: House, session: PublicSessionRow) -> None:
    """One poll a process: as many statements for a hundred pages as for one."""
    visitor = await house.enter(session.id)
    app = app_of(house, room_poll_interval=POLL)
    pages, asked = open_pages_of(app.state), []
    binding = (await house.session(session.id)).binding_id
    assert binding is not None
    del visitor

    @event.listens_for(house.engine.sync_engine, "before_cursor_execute")
    def count(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    stop = asyncio.Event()
    with _opened(pages, [binding, *(new_id() for _ in range(99))]):
        poll = asyncio.create_task(poll_until_stopped(app.state, stop))
        await asyncio.sleep(0.55)
        stop.set()
        await poll
    event.remove(house.engine.sync_engine, "before_cursor_execute", count)
    assert 3 <= len(asked) <= 6
    assert all("FROM binding" in each for each in asked)


def _opened(pages: OpenPages, bindings: list[UUID]) -> Any:
    from contextlib import ExitStack

    stack = ExitStack()
    for each in bindings:
        stack.enter_context(pages.opened(room_gate, each))
    return stack


async def test_while_the_database_is_away_nothing_is_told(house: House) -> None:
    """What is unknown is never called an end; the poll goes on."""
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    settings = replace(Settings(), database_url=url, room_poll_interval=POLL)
    engine = connect(settings)
    state, stop = State(), asyncio.Event()
    state.transactions = Transactions(engine, settings, KEYRING, DiesAfterCommit(), house.clock)
    with open_pages_of(state).opened(room_gate, new_id()) as page:
        poll = asyncio.create_task(poll_until_stopped(state, stop))
        await asyncio.sleep(0.5)
        assert page.news is None
        assert not poll.done()
        stop.set()
        await poll
        assert page.is_closing
    await engine.dispose()
