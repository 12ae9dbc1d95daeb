"""Members whom a trusted reverse proxy signs in: silently, again and again (EE-3, EE-12, EE-17)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from adapters.settings import SettingsError
from api.vouched import read_vouching
from commands.member import disable_member
from domain.actor import OPERATOR
from domain.settings import Settings
from store.access import LoginRow
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.member_browser import EMAIL, MemberBrowser
from tests.rooms.party_browser import app_of, words

HEADER = "X-Member"
PROXY = "127.0.0.1/32"
"""The peer of every request that is made here."""


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    more = {"trusted_proxies": PROXY, "login_integrated_header": HEADER}
    async with open_console(database_url, **more) as console:
        yield console


@pytest_asyncio.fixture
async def browser(console: Console) -> AsyncIterator[MemberBrowser]:
    async with console.browser() as browser:
        vouch(browser, EMAIL)
        yield browser


def vouch(browser: MemberBrowser, email: str) -> None:
    """The proxy says from now on that this person is there."""
    browser.party.client.headers[HEADER] = email


async def come_in(browser: MemberBrowser, path: str = "") -> str:
    """Opens a page and is led through the sign-in and back; the words of the page."""
    signing_in = await browser.follow(await browser.get(path))
    assert signing_in.headers["location"] == browser.base + path
    return words(await browser.follow(signing_in))


async def sessions(console: Console) -> list[MemberSessionRow]:
    return await console.house.all(MemberSessionRow)


async def logins(console: Console) -> list[tuple[str, str]]:
    return [(each.mode, each.outcome) for each in await console.house.all(LoginRow)]


async def test_nobody_is_asked(console: Console, browser: MemberBrowser) -> None:
    # EE-3, EE-17
    assert "Firefox on Windows" in await come_in(browser, "/account/sessions")
    (session,) = await sessions(console)
    assert (session.member_id, session.mode) == (console.anna.id, "integrated")
    assert await logins(console) == [("integrated", "signed_in")]
    again = await browser.get("/sign-in")
    assert again.status_code == 303
    assert len(await sessions(console)) == 1


@pytest.mark.parametrize("passed", [timedelta(minutes=6), timedelta(hours=25)])
async def test_after_its_end_the_next_page_begins_another_session(
    console: Console, browser: MemberBrowser, passed: timedelta
) -> None:
    # EE-3: after silence and after the absolute end
    await come_in(browser)
    (before,) = await sessions(console)
    console.house.clock.turn(seconds=passed.total_seconds())
    assert "Welcome, Anna Berg" in await come_in(browser)
    (after,) = await sessions(console)
    assert after.id != before.id
    assert await logins(console) == [("integrated", "signed_in")] * 2


async def test_a_form_that_came_after_the_end_is_taken(
    console: Console, browser: MemberBrowser
) -> None:
    # EE-3: what was typed is not lost
    await come_in(browser)
    console.house.clock.turn(hours=25)
    again = await browser.post("/stay")
    assert (again.status_code, again.headers["location"]) == (307, f"{browser.base}/stay")
    assert (await browser.post("/stay")).status_code == 303


async def test_a_form_is_not_sent_in_another_name(browser: MemberBrowser) -> None:
    # C15
    await come_in(browser)
    vouch(browser, BEN)
    assert (await browser.post("/stay")).status_code == 401


async def test_there_is_nothing_to_log_out_of(browser: MemberBrowser) -> None:
    page = await come_in(browser, "/account")
    assert "there is nothing to log out of" in page
    assert "Log out" not in page
    missing = words(await browser.get("/nowhere"))
    assert "there is nothing to log out of" in missing


async def test_several_sessions_are_fixed_and_never_a_sixth(console: Console) -> None:
    # EE-12, C17: on whatever the workspace sets; the oldest ends for the newest
    for _ in range(6):
        async with console.browser() as browser:
            vouch(browser, EMAIL)
            await come_in(browser)
            console.house.clock.turn(seconds=1)
    assert len([each for each in await sessions(console) if each.ended_at is None]) == 5
    assert await console.ends() == ["displaced"]


async def test_another_browser_is_told_of_once(console: Console, browser: MemberBrowser) -> None:
    # ASVS 6.3.5: also where the sign-in comes between a form and its address
    await come_in(browser)
    console.house.clock.turn(days=2)
    async with console.browser() as other:
        for _ in range(2):
            vouch(other, EMAIL)
            await come_in(other)
            console.house.clock.turn(days=2)
        assert (await other.post("/account/sessions/end-others")).status_code == 307
    assert len(await console.alerts()) == 1


async def test_twelve_browsers_at_once_have_five_sessions(console: Console) -> None:
    # EE-12
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(console.browser()) for _ in range(12)]
        for each in browsers:
            vouch(each, EMAIL)
        answers = await asyncio.gather(*(each.get("/sign-in") for each in browsers))
    assert {each.status_code for each in answers} == {303}
    assert len([each for each in await sessions(console) if each.ended_at is None]) == 5


async def test_somebody_else_behind_the_proxy_gets_nothing_of_the_one_before(
    console: Console, browser: MemberBrowser
) -> None:
    await come_in(browser)
    vouch(browser, BEN)
    assert "Welcome, Ben Okri" in await come_in(browser)
    assert await console.ends() == ["different_user"]
    (session,) = await sessions(console)
    assert session.member_id == console.ben.id


async def test_the_cookie_alone_opens_nothing(console: Console, browser: MemberBrowser) -> None:
    await come_in(browser)
    del browser.party.client.headers[HEADER]
    page = await browser.follow(await browser.get())
    assert "Address and password" in words(page)


async def test_whoever_signed_in_by_password_is_not_put_out_unasked(console: Console) -> None:
    # EX-4, C15
    async with console.signed_in() as browser:
        vouch(browser, BEN)
        assert "Welcome, Anna Berg" in words(await browser.get())
        asked = await browser.get("/sign-in")
        warning = words(await browser.follow(asked))
        assert "Anna Berg is signed in on this browser" in warning
        done = await browser.post("/sign-in/switch")
        assert "Welcome, Ben Okri" in words(await browser.follow(done))


@pytest.mark.parametrize("email", ["nobody@office.example", "", "no address"])
async def test_strangers_are_told_what_to_do(
    console: Console, browser: MemberBrowser, email: str
) -> None:
    # EE-17: an attempt that failed is in the report; an empty header names nobody
    vouch(browser, email)
    page = await browser.follow(await browser.get())
    assert page.status_code == (403 if email else 200)
    assert ("no active account here has that mail address" in words(page)) == bool(email)
    assert await logins(console) == [("integrated", "failed")] * bool(email)


async def test_a_disabled_member_is_a_stranger(console: Console, browser: MemberBrowser) -> None:
    await come_in(browser)
    vouch(browser, BEN)
    async with console.house.transactions.work() as work:
        await disable_member(work, console.house.workspace_id, console.ben.id, OPERATOR)
    page = await browser.follow(await browser.get())
    assert page.status_code == 403


async def test_the_header_from_elsewhere_is_refused(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.app = app_of(console.house, trusted_proxies="10.0.0.0/8")
    async with console.browser() as browser:
        assert (await browser.get("/sign-in")).status_code == 200
        vouch(browser, EMAIL)
        for path in ("", "/sign-in"):
            answer = await browser.get(path)
            assert answer.status_code == 403
            assert answer.json()["type"] == "/problems/not-from-the-proxy"
            assert answer.headers["cache-control"] == "no-store"
    told = capsys.readouterr().out
    assert "integrated_header_refused" in told
    assert EMAIL not in told
    assert await sessions(console) == []


async def test_two_headers_are_refused(browser: MemberBrowser) -> None:
    # A proxy that adds its own to what was sent proves nothing.
    answer = await browser.party.client.get(browser.base, headers=[(HEADER, EMAIL), (HEADER, BEN)])
    assert answer.status_code == 403


async def test_without_the_setting_the_header_is_nothing(console: Console) -> None:
    console.app = app_of(console.house, login_integrated_header="")
    async with console.browser() as browser:
        vouch(browser, EMAIL)
        assert "Address and password" in words(await browser.get("/sign-in"))


def test_a_header_that_nobody_may_set_is_a_fault_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="GATEPASS_TRUSTED_PROXIES"):
        read_vouching(replace(Settings(), login_integrated_header=HEADER))
