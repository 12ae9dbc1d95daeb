"""The application report shows members' pages and people, and what was denied (EE-16, EE-21)."""

from collections.abc import AsyncIterator

import pytest_asyncio

from api.member_call import ConsoleCall
from domain.permission import Permission
from store.access import PageVisitRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.member_browser import PASSWORD


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


async def visited(console: Console) -> list[tuple[str, bool]]:
    rows = await console.house.all(PageVisitRow)
    return [(each.page, each.denied) for each in sorted(rows, key=lambda row: row.id)]


async def test_every_page_is_one_line_by_its_name(console: Console) -> None:
    # EE-16
    async with console.signed_in() as anna:
        for path in ("", "/account", "/account/sessions", "/account/delete", "/nothing"):
            await anna.get(path)
        await anna.post("/account/password", old="wrong", password="wrong")
        await anna.post("/account/password", old=PASSWORD, password="a much better horse")
        await anna.get("/events?member=nobody")
    assert await visited(console) == [
        ("Home", False),
        ("Account", False),
        ("Sessions", False),
        ("Delete your account", False),
        ("Password", False),
        ("Password", False),
    ]
    (row, *_) = await console.house.all(PageVisitRow)
    assert (row.member_id, row.mode) == (console.anna.id, "password")


async def test_who_is_not_signed_in_opens_nothing(console: Console) -> None:
    async with console.browser() as browser:
        await browser.get()
        await browser.get("/account/delete")
    assert await visited(console) == []


async def test_a_denial_is_a_line_though_nothing_else_was_kept(console: Console) -> None:
    # EE-16, EE-21
    async def report(call: ConsoleCall) -> None:
        call.work.db.add(PageVisitRow(workspace_id=call.workspace_id, page="x", at=call.work.at))
        await call.work.db.flush()
        call.needs(Permission.MEMBERS_MANAGE)

    path = "/console/{workspace}/report"
    console.app.add_api_route(path, report, name="Report", include_in_schema=False)
    async with console.signed_in(email=BEN) as ben:
        assert (await ben.get("/report")).status_code == 403
    assert await visited(console) == [("Report", True)]
    (row,) = await console.house.all(PageVisitRow)
    assert row.member_id == console.ben.id
