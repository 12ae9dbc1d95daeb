"""A member's home, account, password and sessions, and the way out (EX-3, EE-8, SH-19, SX-14)."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from commands.workspace import CreateWorkspace, create_workspace, find_workspace
from domain.member_session import MemberSessionEnd
from store.audit import AuditRow
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.house import House
from tests.rooms.member_browser import (
    EMAIL,
    PASSWORD,
    MemberBrowser,
    make_member,
    set_here,
)
from tests.rooms.party_browser import words

NEW = "another horse battery"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await set_here(console.house, session_allow_concurrent=True)
        yield console


@pytest_asyncio.fixture
async def anna(console: Console) -> AsyncIterator[MemberBrowser]:
    async with console.signed_in() as browser:
        yield browser


async def test_home_says_who_is_signed_in(anna: MemberBrowser) -> None:
    page = await anna.get()
    assert "Welcome, Anna Berg" in words(page)
    assert "Administrator" in words(page)
    for path in ("/account", "/account/sessions"):
        assert f'href="{anna.base}{path}"' in page.text
    assert f'action="{anna.base}/sign-out"' in page.text


async def test_the_account_says_what_is_known(console: Console) -> None:
    async with console.signed_in(email=BEN) as browser:
        page = words(await browser.get("/account"))
    for known in ("Ben Okri", BEN, "Auditor", "English", "Europe/Berlin", "2 March 2026, 10:00"):
        assert known in page


# Logging out.


async def test_logging_out_ends_this_session_and_no_other(
    console: Console, anna: MemberBrowser
) -> None:
    # EX-3, EE-8
    async with console.signed_in() as other:
        answer = await anna.post("/sign-out")
        assert answer.headers["clear-site-data"] == '"cache"'
        assert anna.cookie("member") is None
        assert "You have logged out" in words(await anna.follow(answer))
        assert (await anna.get()).status_code == 303
        assert (await other.get()).status_code == 200
        assert await console.ends() == ["logged_out"]
        # A double click, or the warning's button in a second tab.
        again = await anna.post("/sign-out")
        assert "You have logged out" in words(await anna.follow(again))
        assert await console.ends() == ["logged_out"]


async def test_workspaces_in_one_browser_are_left_one_by_one(
    console: Console, anna: MemberBrowser
) -> None:
    # EE-5, SX-14: the cookie goes with the last of them
    async with console.house.transactions.work() as work:
        await create_workspace(work, CreateWorkspace("second", "Second Ltd"))
    async with console.house.transactions.work() as work:
        other = await find_workspace(work, "second")
    second = House(console.house.engine, console.house.transactions, console.house.clock, other.id)
    await make_member(second)
    there = MemberBrowser(anna.party, "/console/second")
    await there.sign_in()
    assert (await anna.get()).status_code == (await there.get()).status_code == 200
    await anna.post("/sign-out")
    assert (await anna.get()).status_code == 303
    assert (await there.get()).status_code == 200
    assert "You have logged out" not in words(await there.get("/sign-in"))
    await there.post("/sign-out")
    assert there.cookie("member") is None


async def test_cookies_of_parties_stay(anna: MemberBrowser) -> None:
    anna.party.client.cookies.set("gatepass-door", "x" * 32, domain="localhost.local")
    answer = await anna.post("/sign-out")
    assert not [each for each in answer.headers.get_list("set-cookie") if "door" in each]
    assert "cookies" not in answer.headers["clear-site-data"]


# The password.


async def test_a_new_password_ends_every_other_session(
    console: Console, anna: MemberBrowser
) -> None:
    # ASVS 7.4.3, 7.2.4: and this browser has a new secret
    async with console.signed_in() as other:
        before = anna.cookie("member")
        answer = await anna.post("/account/password", old=PASSWORD, password=NEW)
        assert "Your password is changed" in words(await anna.follow(answer))
        assert anna.cookie("member") not in {before, None}
        stale = {"cookie": f"gatepass-member={before}"}
        anna.party.client.cookies.clear()
        assert (await anna.get(headers=stale)).status_code == 303
        page = words(await other.follow(await other.get()))
        assert "Your session was ended" in page
    assert await console.ends() == ["killed"]
    async with console.browser() as browser:
        assert (await browser.sign_in()).status_code == 403
        assert (await browser.sign_in(password=NEW)).status_code == 303
    events = [each.event for each in await console.house.all(AuditRow)]
    assert "member.password_changed" in events


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", NEW, "This is not your present password."),
        (PASSWORD, "short", "Use 12 to 128 characters."),
        (PASSWORD, "a" * 129, "Use 12 to 128 characters."),
        (PASSWORD, "aaaaaaaaaaaaaaaa", "This password is too easy to guess."),
        (PASSWORD, EMAIL, "This password is too easy to guess."),
        ("", "", "Use 12 to 128 characters."),
    ],
)
async def test_a_password_is_refused_with_its_reason(
    console: Console, anna: MemberBrowser, old: str, new: str, said: str
) -> None:
    async with console.signed_in() as other:
        page = await anna.post("/account/password", old=old, password=new)
        assert page.status_code == 422
        assert said in words(page)
        assert not re.search(r'type="password"[^>]*value=', page.text)
        assert 'aria-invalid="true"' in page.text
        assert (await other.get()).status_code == 200
    async with console.browser() as browser:
        assert (await browser.sign_in()).status_code == 303


async def test_a_taken_session_is_no_place_to_guess(console: Console, anna: MemberBrowser) -> None:
    # SX-16: wrong old passwords lock as wrong ones at the sign-in do
    await set_here(console.house, login_failures=3)
    for _ in range(3):
        page = await anna.post("/account/password", old="wrong", password=NEW)
        assert "This is not your present password." in words(page)
    page = await anna.post("/account/password", old=PASSWORD, password=NEW)
    assert "Locked for a while" in words(page)
    console.house.clock.turn(minutes=2)
    assert (await anna.get()).status_code == 200
    events = [each.event for each in await console.house.all(AuditRow)]
    assert events.count("member.locked") == 1


async def test_the_passwords_page_is_the_account(anna: MemberBrowser) -> None:
    answer = await anna.get("/account/password")
    assert answer.headers["location"] == f"{anna.base}/account"


# The list of sessions.


async def sessions_of(console: Console, browser: MemberBrowser) -> list[MemberSessionRow]:
    """All of Anna's sessions but that of this browser."""
    page = (await browser.get("/account/sessions")).text
    rows = await console.house.all(MemberSessionRow)
    return [each for each in rows if f"/{each.id}/end" in page]


async def test_sessions_are_listed_and_this_one_is_marked(
    console: Console, anna: MemberBrowser
) -> None:
    # SH-19
    async with console.signed_in(), console.signed_in(email=BEN):
        page = await anna.get("/account/sessions")
        assert words(page).count("Firefox on Windows") == 2 + 1
        assert words(page).count("This browser") == 1
        assert "Password" in words(page)
        [other] = await sessions_of(console, anna)
        assert other.member_id == console.anna.id


async def test_one_is_ended_after_a_question(console: Console, anna: MemberBrowser) -> None:
    # SH-14, SH-19: at once; its row is shown for a while
    async with console.signed_in() as other:
        [row] = await sessions_of(console, anna)
        path = f"/account/sessions/{row.id}/end"
        assert "End this session?" in words(await anna.get(path))
        assert (await other.get()).status_code == 200
        done = await anna.post(path)
        page = words(await anna.follow(done))
        assert "The session has ended." in page
        assert page.count("Ended") >= 2
        assert (await other.get()).status_code == 303
        # Twice is once.
        assert (await anna.post(path)).status_code == 303
    assert await console.ends() == ["killed"]
    assert (await anna.get(path)).status_code == 404


async def test_all_others_are_ended_after_a_question(console: Console, anna: MemberBrowser) -> None:
    async with (
        console.signed_in() as one,
        console.signed_in() as two,
        console.signed_in(email=BEN) as bens,
    ):
        assert "End 2 sessions" in words(await anna.get("/account/sessions/end-others"))
        done = await anna.post("/account/sessions/end-others")
        assert "All the other sessions have ended." in words(await anna.follow(done))
        assert [(await each.get()).status_code for each in (anna, one, two, bens)] == [
            200,
            303,
            303,
            200,
        ]
        assert "You are signed in nowhere else." in words(
            await anna.get("/account/sessions/end-others")
        )
    assert await console.ends() == ["killed", "killed"]


async def test_sessions_of_others_and_junk_are_missing(
    console: Console, anna: MemberBrowser
) -> None:
    async with console.signed_in(email=BEN) as bens:
        rows = await console.house.all(MemberSessionRow)
        foreign = next(each.id for each in rows if each.member_id == console.ben.id)
        own = next(each.id for each in rows if each.member_id == console.anna.id)
        for wanted in (foreign, own, "junk", "01890000-0000-7000-8000-000000000000"):
            path = f"/account/sessions/{wanted}/end"
            pages = [await anna.get(path), await anna.post(path)]
            assert [each.status_code for each in pages] == [404, 404]
            assert "There is no such page" in words(pages[0])
        assert (await bens.get()).status_code == 200
    assert MemberSessionEnd.KILLED not in await console.ends()
