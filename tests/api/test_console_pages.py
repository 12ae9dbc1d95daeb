"""What holds for every members' page: headers, same-origin posts, whole documents, true errors."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from adapters.embedded.ports import free_port
from api.member_call import ConsoleCall
from commands.work import Transactions
from domain.permission import Permission
from domain.settings import Settings
from store.database import connect
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.api.test_browser_rules import FOREIGN
from tests.rooms.house import KEYRING, DiesAfterCommit
from tests.rooms.member_browser import EMAIL, PASSWORD, MemberBrowser, set_here
from tests.rooms.party_browser import words

DENIED = "Report"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await set_here(console.house, session_allow_concurrent=True, session_concurrent_limit=2)
        yield console


SETTINGS = "/settings/session-and-links"
ADMINISTRATION = [
    SETTINGS,
    "/members",
    "/members/invite",
    "/members/{ben}",
    "/members/{ben}/role?role=publisher",
    "/members/{ben}/disable",
    "/reports/logins",
    "/reports/access",
    "/account/delegations",
]


async def pages_of(console: Console, anna: MemberBrowser) -> dict[str, str]:
    """The HTML of each kind of page by a name, error pages too."""
    async with console.signed_in() as other, console.browser() as third:
        got = {"sign-in": await third.get("/sign-in"), "wrong": await third.sign_in(EMAIL, "x")}
        got["room"] = await third.follow(await third.sign_in())
        for path in ("", "/account", "/account/sessions", "/account/sessions/end-others"):
            got[path or "home"] = await anna.get(path)
        for path in ADMINISTRATION:
            got[path] = await anna.get(path.format(ben=console.ben.id))
        got["setting faults"] = await anna.post(SETTINGS, **{"link.account": "x"})
        got["setting changes"] = await anna.post(SETTINGS, **{"password.shortest": "13"})
        got["invite faults"] = await anna.post("/members/invite", email="x")
        got["faults"] = await anna.post("/account/password", old="x", password="x")
        rows = await console.house.all(MemberSessionRow)
        got["end"] = await anna.get(f"/account/sessions/{rows[1].id}/end")
        got["here"] = await anna.get("/sign-in")
        got["switch"] = await anna.follow(await anna.sign_in(BEN))
        got["missing"] = await anna.get("/nothing")
        got["no workspace"] = await anna.party.get("/console/nowhere")
        await other.post("/sign-out")
        got["too late"] = await other.post("/account/sessions/end-others")
        got["logged out"] = await other.get("/sign-in")
    for name, answer in got.items():
        assert answer.headers["content-type"] == "text/html; charset=utf-8", name
        assert answer.headers["cache-control"] == "no-store", name
        assert "default-src 'none'" in answer.headers["content-security-policy"], name
        assert answer.headers["x-content-type-options"] == "nosniff", name
    return {name: answer.text for name, answer in got.items()}


async def test_every_page_is_whole_and_loads_nothing_inline(console: Console) -> None:
    """Title, language, one heading, landmarks, labels; no inline script or style (CSP)."""
    async with console.signed_in() as anna:
        pages = await pages_of(console, anna)
        for name, page in pages.items():
            assert page.startswith("<!doctype html>"), name
            assert re.search(r"<title>[^<]*\w[^<]*</title>", page), name
            assert len(re.findall(r"<h1\b", page)) == 1, name
            assert 'class="skip" href="#main"' in page, name
            ids = re.findall(r'\bid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), name
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page), name
            for script in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL):
                assert script == "", name
            for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
                assert (await anna.party.get(address)).status_code == 200, address
        assert "Nothing was done" in pages["too late"]
        assert 'aria-current="page"' in pages["home"]


UNSAFE = [
    "/sign-in",
    "/sign-in/room",
    "/sign-in/switch",
    "/sign-out",
    "/stay",
    "/account/password",
    "/account/sessions/end-others",
    "/account/sessions/{id}/end",
    SETTINGS,
    "/account/delegations",
    "/account/delegations/return",
    "/account/delegations/{id}/begin",
    "/account/delegations/{id}/end",
    "/members/invite",
    "/members/{ben}/disable",
    "/members/{ben}/role",
    "/members/{ben}/sessions/{id}/end",
]


@pytest.mark.parametrize("path", UNSAFE)
async def test_other_sites_can_make_a_browser_do_nothing(console: Console, path: str) -> None:
    """ASVS 3.5.1, at the sign-in too."""
    async with console.signed_in() as anna, console.signed_in() as other:
        await anna.sign_in(BEN)
        rows = await console.house.all(MemberSessionRow)
        fields = {"email": BEN, "password": PASSWORD, "old": PASSWORD, "session": str(rows[1].id)}
        for headers in FOREIGN:
            anna.party.sent = headers
            page = await anna.post(path.format(id=rows[1].id, ben=console.ben.id), **fields)
            assert page.status_code == 403, headers
            assert "did not come from one of our own pages" in words(page)
        assert await console.ends() == []
        assert "Anna Berg" in words(await anna.get())
        assert (await other.get()).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/account",
        "/account/password",
        "/account/sessions",
        "/account/sessions/x/end",
        SETTINGS,
        "/members",
        "/members/invite",
        "/reports/logins",
        "/reports/access?format=csv",
    ],
)
async def test_without_a_session_a_page_leads_to_the_sign_in(console: Console, path: str) -> None:
    # EX-7
    async with console.browser() as browser:
        answer = await browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"{browser.base}/sign-in")
        assert ("next=" in answer.headers["location"]) is bool(path)


@pytest.mark.parametrize(
    "path",
    ["/stay", "/account/password", "/account/sessions/end-others", "/account/sessions/x/end"],
)
async def test_a_form_that_comes_too_late_says_that_nothing_was_done(
    console: Console, path: str
) -> None:
    async with console.browser() as browser:
        page = await browser.post(path)
        assert page.status_code == 401
        assert "Nothing was done" in words(page)
        assert f'href="{browser.base}/sign-in' in page.text


async def test_what_a_role_may_not_is_named(console: Console) -> None:
    # EE-16, EE-21: and the whole frame stays, for the session goes on
    async def report(call: ConsoleCall) -> None:
        call.needs(Permission.MEMBERS_MANAGE)

    path = "/console/{workspace}/report"
    console.app.add_api_route(path, report, name=DENIED + "x" * 90, include_in_schema=False)
    async with console.signed_in(email=BEN) as ben:
        page = await ben.get("/report")
        assert page.status_code == 403
        assert re.search("<h1>Access Denied : Reportx{74}</h1>", page.text)
        assert "Your role, Auditor, does not allow this." in words(page)
        assert "Ben Okri" in words(page)
        assert (await ben.get()).status_code == 200


async def test_without_the_database_pages_say_so(console: Console) -> None:
    """503 with Retry-After, and never the sign-in: what is unknown is no end."""
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    away = replace(Settings(), database_url=url)
    engine = connect(away)
    async with console.signed_in() as anna:
        console.app.state.transactions = Transactions(
            engine, away, KEYRING, DiesAfterCommit(), console.house.clock
        )
        for page in (
            await anna.get(),
            await anna.get("/sign-in"),
            await anna.get("/events"),
            await anna.sign_in(),
            await anna.post("/stay"),
            await anna.post("/sign-out"),
        ):
            assert page.status_code == 503
            assert int(page.headers["retry-after"]) > 0
            assert "Nothing you saved is lost" in words(page)
            assert "set-cookie" not in page.headers
    await engine.dispose()


async def test_a_large_body_is_refused(console: Console) -> None:
    async with console.browser() as browser:
        page = await browser.sign_in(password="x" * 70_000)
        assert page.status_code == 413
        assert "64 KiB at most" in words(page)
