"""A party that begins in a browser where a member is signed in (EX-4, C15)."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from httpx2 import Response

from commands.door import open_door
from tests.api.members import Console, open_console
from tests.rooms.house import furnish
from tests.rooms.member_browser import EMAIL, PASSWORD, MemberBrowser
from tests.rooms.party_browser import words


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await furnish(console.house)
        yield console


async def code_page(console: Console, browser: MemberBrowser, **party: str) -> tuple[str, Response]:
    """A party's link, and the page where its code is typed."""
    session = (await console.house.create(**party)).issued[0].id
    link = await console.house.link(session)
    await browser.party.ask_code(link)
    return link, await browser.party.get(f"/s/{link}/code")


def announced(page: Response) -> str:
    """What the page says that confirming ends."""
    found = re.search(r'name="ends" value="([^"]+)"', page.text)
    return found[1] if found else ""


async def verify(console: Console, browser: MemberBrowser, link: str, **fields: str) -> Response:
    async with console.house.transactions.work() as work:
        session = (await open_door(work, link)).session.id
    code = await browser.party.mailed_code(session)
    return await browser.party.post(f"/s/{link}/verify", code=code, **fields)


async def test_after_a_warning_the_members_session_ends(console: Console) -> None:
    # EX-4, C15
    async with console.signed_in() as browser:
        link, page = await code_page(console, browser)
        assert "Anna Berg is signed in here as a member." in words(page)
        answer = await verify(console, browser, link, ends=announced(page))
        assert answer.headers["location"].startswith("/sessions/")
        assert await console.ends() == ["different_user"]
        asked = await browser.follow(await browser.get())
        assert "somebody else" in words(asked).lower()


async def test_moving_between_account_and_room_needs_no_logging_out(console: Console) -> None:
    """SX-4: nothing of the member is left for the party, and each comes back by its own way."""
    async with console.signed_in() as browser:
        link, page = await code_page(console, browser)
        room = (await verify(console, browser, link, ends=announced(page))).headers["location"]
        assert (await browser.party.get(room)).status_code == 200
        for path in ("", "/account", "/members"):
            assert (await browser.get(path)).status_code == 303, path
        assert (await browser.post("/account/password", old=PASSWORD)).status_code == 401
        assert (await browser.sign_in()).status_code == 303
        assert (await browser.get("/account")).status_code == 200
        assert (await browser.party.get(room)).status_code == 200
        await browser.post("/sign-out")
        assert (await browser.party.get(room)).status_code == 200


async def test_without_the_warning_nothing_is_looked_at(console: Console) -> None:
    """The page was open before the member signed in: the code is good once the end is announced."""
    async with console.browser() as browser:
        link, page = await code_page(console, browser)
        assert announced(page) == ""
        await browser.sign_in()
        told = await verify(console, browser, link)
        assert told.status_code == 409
        assert "this did not count as a try" in words(told)
        assert (await browser.get()).status_code == 200
        answer = await verify(console, browser, link, ends=announced(told))
        assert answer.status_code == 303
        assert await console.ends() == ["different_user"]


async def test_a_wrong_code_ends_nothing(console: Console) -> None:
    async with console.signed_in() as browser:
        link, page = await code_page(console, browser)
        wrong = await browser.party.post(f"/s/{link}/verify", code="00000000", ends=announced(page))
        assert wrong.status_code == 403
        assert (await browser.get()).status_code == 200
        assert await console.ends() == []


async def test_who_is_both_is_nobody_else(console: Console) -> None:
    async with console.signed_in() as browser:
        link, page = await code_page(console, browser, email=EMAIL.upper())
        assert announced(page) == ""
        assert (await verify(console, browser, link)).status_code == 303
        assert (await browser.get()).status_code == 200


async def test_other_browsers_go_on(console: Console) -> None:
    async with console.signed_in() as browser, console.browser() as other:
        link, page = await code_page(console, other)
        assert announced(page) == ""
        assert (await verify(console, other, link)).status_code == 303
        assert (await browser.get()).status_code == 200
