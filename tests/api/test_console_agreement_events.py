"""Open editors are told who may write on which version, within a second (EX-17, EX-21, EX-22)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from httpx2 import AsyncClient
from sqlalchemy import event

from api.console_agreement_events import editing_gate
from domain.member import Role
from store.columns import new_id
from store.editing_gate import Editing
from store.editing_session import EditingSessionRow
from tests.api.members import BEN, Console, open_console
from tests.api.test_console_agreements import CARL, inputs, opened, saved
from tests.api.test_console_events import _events
from tests.api.test_room_events import Served, next_of, served
from tests.rooms.agreements import Desk
from tests.rooms.member_browser import MemberBrowser, make_member
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await make_member(console.house, CARL, "Carl Lund", Role.PUBLISHER)
        yield console


@pytest.fixture
def desk(console: Console) -> Desk:
    return Desk(console.house)


@asynccontextmanager
async def listening(
    running: Served, browser: MemberBrowser, agreement_id: UUID, status: int = 200
) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    """What an open editor is told."""
    cookie = {"cookie": f"gatepass-member={browser.cookie('member') or ''}"}
    path = f"{running.url}{browser.base}/agreements/{agreement_id}/events"
    async with AsyncClient(timeout=20) as client, client.stream("GET", path, headers=cookie) as got:
        assert got.status_code == status
        yield _events(got.aiter_lines())


async def test_a_takeover_and_a_new_version_are_told_within_a_second(
    console: Console, desk: Desk
) -> None:
    # EX-17, EX-22
    whole = await desk.draft()
    async with (
        console.signed_in() as anna,
        console.signed_in(email=CARL) as carl,
        served(console.house) as running,
    ):
        mine = await opened(anna, whole.row.id)
        async with listening(running, anna, whole.row.id) as events:
            first = {"fence": 1, "member": str(console.anna.id), "version": 1}
            assert await next_of(events) == ("editing", first)
            await saved(anna, mine, title="Other")
            assert await next_of(events) == ("editing", first | {"version": 2})
            await opened(carl, whole.row.id, take_over="yes")
            name, told = await next_of(events)
            assert (name, told["fence"]) == ("editing", 2)
            assert told["member"] != str(console.anna.id)
            assert inputs(mine)["window"] not in str(told)


async def test_nobody_else_listens(console: Console, desk: Desk) -> None:
    whole = await desk.sent()
    async with (
        console.signed_in(email=BEN) as ben,
        console.signed_in() as anna,
        served(console.house) as running,
        listening(running, ben, whole.row.id, 403),
        listening(running, anna, new_id(), 404),
    ):
        pass


async def test_of_any_number_at_once_exactly_one_holds_it(console: Console, desk: Desk) -> None:
    # EX-21: each takeover has a fence of its own, and the last one alone may write
    whole = await desk.draft()
    async with console.signed_in() as anna, console.signed_in(email=CARL) as carl:
        await opened(anna, whole.row.id)
        both = [opened(each, whole.row.id, take_over="yes") for each in (anna, carl) * 3]
        pages = await asyncio.gather(*both)
        (row,) = await console.house.all(EditingSessionRow)
        assert row.fence == 7
        holding = [each for each in pages if row.holder in each.text]
        assert len(holding) == 1
        for at, each in enumerate(pages):
            if each is not holding[0] and each.status_code == 200:
                answer = await saved((anna, carl)[at % 2], each, title="Loser")
                assert "Warning: Session Timeout" in words(answer)
    assert (await desk.now(whole.row.id)).row.title == "Supply agreement"


async def test_one_question_for_all_open_editors(console: Console, desk: Desk) -> None:
    """As many statements for a hundred agreements as for one."""
    whole = await desk.draft()
    asked: list[str] = []
    engine = console.house.engine.sync_engine

    def count(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    async with console.house.transactions.work() as work:
        event.listen(engine, "before_cursor_execute", count)
        found = await editing_gate(work, [whole.row.id, *(new_id() for _ in range(100))])
        event.remove(engine, "before_cursor_execute", count)
    assert found == {whole.row.id: Editing(0, "", 1)}
    assert len(asked) == 1
