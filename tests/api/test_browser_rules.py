"""What holds for every page: headers, cookies, same-origin posts, bounds, and a whole document."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from fastapi import FastAPI

from adapters.embedded.ports import free_port
from api import static_files
from commands.work import Transactions
from domain.settings import Settings
from store.binding import BindingRow
from store.database import connect
from store.public_session import PublicSessionRow, SubmissionRow
from tests.rooms.house import KEYRING, DiesAfterCommit, House, furnished_house
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at, rows, words

OURS = "https://gate.example"


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with furnished_house(database_url) as house:
        yield house


@pytest_asyncio.fixture
async def session(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


@pytest.fixture
def app(house: House) -> FastAPI:
    return app_of(house)


@pytest_asyncio.fixture
async def browser(app: FastAPI, house: House) -> AsyncIterator[PartyBrowser]:
    async with browser_at(app, house) as browser:
        yield browser


async def pages_of(browser: PartyBrowser, session: PublicSessionRow) -> list[tuple[str, str]]:
    """(path, HTML) of each kind of page on the party's way, error pages too."""
    link = await browser.house.link(session.id)
    got = {"unknown link": await browser.get("/s/nothing"), "door": await browser.get(f"/s/{link}")}
    await browser.ask_code(link)
    got["code"] = await browser.get(f"/s/{link}/code")
    got["wrong code"] = await browser.post(f"/s/{link}/verify", code="1")
    code = await browser.mailed_code(session.id)
    room = (await browser.post(f"/s/{link}/verify", code=code)).headers["location"]
    for path in ("", "/tasks/profile", "/tasks/terms", "/decline"):
        got[path or "room"] = await browser.get(room + path)
    got["form errors"] = await browser.post(f"{room}/tasks/profile")
    await browser.post(f"{room}/tasks/profile", company="ACME")
    got["done task"] = await browser.get(f"{room}/tasks/profile")
    got["terms"] = await browser.get(f"{room}/tasks/terms")
    got["no tick"] = await browser.post(f"{room}/tasks/terms")
    got["no reason"] = await browser.post(f"{room}/decline")
    got["left"] = await browser.post(f"{room}/quit")
    got["stranger"] = await browser.get(room)
    got["clean"] = await browser.post("/clean", link=link)
    browser.house.clock.turn(days=15)
    got["ended"] = await browser.get(f"/s/{link}")
    for name, answer in got.items():
        assert answer.headers["content-type"] == "text/html; charset=utf-8", name
        assert answer.headers["cache-control"] == "no-store", name
        assert "default-src 'none'" in answer.headers["content-security-policy"], name
    return [(name, answer.text) for name, answer in got.items()]


async def test_every_page_is_whole_and_loads_nothing_inline(
    browser: PartyBrowser, session: PublicSessionRow
) -> None:
    """Title, language, one heading, landmarks, a skip link; no inline script or style (CSP)."""
    for name, page in await pages_of(browser, session):
        assert page.startswith("<!doctype html>"), name
        assert re.search(r'<html lang="en" dir="ltr">', page), name
        assert re.search(r"<title>[^<]*\w[^<]*</title>", page), name
        assert len(re.findall(r"<h1\b", page)) == 1, name
        assert len(re.findall(r"<main\b", page)) == 1, name
        assert 'class="skip" href="#main"' in page, name
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), name
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page), name
        for script in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL):
            assert script == "", name
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert (await browser.get(address)).status_code == 200, address


async def test_headers_of_every_answer(app: FastAPI, house: House, browser: PartyBrowser) -> None:
    """ASVS 3.4: also on errors and static files."""
    for path in ("/s/nothing", "/nowhere", static_files.address_of("gatepass.css")):
        headers = (await browser.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-robots-tag"].startswith("noindex")
        assert "camera=()" in headers["permissions-policy"]
        for rule in ("script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "strict-transport-security" not in headers
    async with browser_at(app_of(house, public_url=OURS), house, OURS) as secure:
        headers = (await secure.get("/s/nothing")).headers
        assert headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("public_url", "prefix", "is_secure"),
    [("http://localhost:8000", "", False), (OURS, "__Host-", True)],
)
async def test_cookies_are_the_strictest_there_are(
    house: House, session: PublicSessionRow, public_url: str, prefix: str, is_secure: bool
) -> None:
    """ASVS 3.3: `__Host-`, Secure, HttpOnly, SameSite; on plain http the nearest there is."""
    app = app_of(house, public_url=public_url)
    async with browser_at(app, house, public_url) as browser:
        link = await house.link(session.id)
        door = await browser.get(f"/s/{link}")
        await browser.ask_code(link)
        code = await browser.mailed_code(session.id)
        bound = await browser.post(f"/s/{link}/verify", code=code)
        given = [*door.headers.get_list("set-cookie"), *bound.headers.get_list("set-cookie")]
        names = [each.partition("=")[0] for each in given]
        assert names == [f"{prefix}gatepass-door", f"{prefix}gatepass-{session.id.hex}"]
        for cookie in given:
            assert "; HttpOnly" in cookie
            assert "; SameSite=lax" in cookie
            assert "; Path=/" in cookie
            assert "domain" not in cookie.lower()
            assert ("; Secure" in cookie) is is_secure
        assert (await browser.get(bound.headers["location"])).status_code == 200


async def test_verifying_gives_a_new_secret_each_time(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    """ASVS 7.2.4: a preset cookie is never adopted, an old one is dead after the next code."""
    name = f"gatepass-{session.id.hex}"
    browser.client.cookies.set(name, "chosen-by-somebody-else", domain="localhost.local")
    room = await browser.verify(session.id)
    first = [each.value for each in browser.client.cookies.jar if each.name == name]
    house.clock.turn(minutes=2)
    await browser.verify(session.id)
    second = [each.value for each in browser.client.cookies.jar if each.name == name]
    assert not set(first[-1:]) & set(second[-1:])
    stale = {"cookie": f"{name}={first[-1]}"}
    browser.client.cookies.clear()
    assert (await browser.get(room, headers=stale)).status_code == 403


UNSAFE = [
    "/s/{link}/code",
    "/s/{link}/verify",
    "/clean",
    "/sessions/{id}/tasks/profile",
    "/sessions/{id}/decline",
    "/sessions/{id}/quit",
    "/sessions/{id}/stay",
]
FOREIGN = [
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:8001"},
]


@pytest.mark.parametrize("path", UNSAFE)
async def test_other_sites_can_make_a_browser_do_nothing(
    house: House, session: PublicSessionRow, browser: PartyBrowser, path: str
) -> None:
    """ASVS 3.5.1: Sec-Fetch-Site decides, else Origin; neither means no."""
    await browser.verify(session.id)
    house.clock.turn(minutes=2)
    link, mails = await house.link(session.id), len(await house.mails(session.id))
    for headers in FOREIGN:
        browser.sent = headers
        page = await browser.post(
            path.format(link=link, id=session.id), code="1", company="A", reason="B"
        )
        assert page.status_code == 403, headers
        assert "did not come from one of our own pages" in words(page)
    assert len(await house.mails(session.id)) == mails
    assert not await rows(house, SubmissionRow)
    assert [each.end_reason for each in await rows(house, BindingRow)] == [None]
    assert (await house.session(session.id)).status == "in_progress"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost:8000"},
        {"origin": "http://127.0.0.1:8000"},
    ],
)
async def test_our_own_pages_may_post(
    app: FastAPI, house: House, session: PublicSessionRow, headers: dict[str, str]
) -> None:
    host = "http://127.0.0.1:8000" if "127" in headers.get("origin", "") else OURS
    async with browser_at(app, house, host) as browser:
        browser.sent = headers
        assert (await browser.ask_code(await house.link(session.id))).status_code == 303


async def test_a_body_over_the_limit_is_refused_with_the_limit(
    house: House, session: PublicSessionRow, browser: PartyBrowser
) -> None:
    room = await browser.verify(session.id)
    page = await browser.post(f"{room}/tasks/profile", company="x" * 70_000)
    assert page.status_code == 413
    assert "64 KiB at most" in words(page)
    assert not await rows(house, SubmissionRow)
    for content, kind, status in (
        (b"{}", "application/json", 415),
        (b"company=%FF", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(1001)), "application/x-www-form-urlencoded", 400),
    ):
        answer = await browser.client.post(
            f"{room}/tasks/profile", content=content, headers=browser.sent | {"content-type": kind}
        )
        assert answer.status_code == status


async def test_static_files_may_be_kept_for_good(browser: PartyBrowser) -> None:
    address = static_files.address_of("gatepass.css")
    answer = await browser.get(address)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    older = await browser.get("/static/0123456789abcdef/room.js")
    assert older.headers["cache-control"] == "no-cache"
    assert older.headers["content-type"].startswith("text/javascript")
    for path in ("/static/x/nothing.css", "/static/x/..%2f..%2fapp.py", "/static/x/"):
        assert (await browser.get(path)).status_code == 404


async def test_without_the_database_pages_say_so(house: House, session: PublicSessionRow) -> None:
    """503 with Retry-After and plain words, never a 500 and never an end."""
    link = await house.link(session.id)
    app = app_of(house)
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    away = replace(Settings(), database_url=url)
    engine = connect(away)
    app.state.transactions = Transactions(engine, away, KEYRING, DiesAfterCommit(), house.clock)
    async with browser_at(app, house) as browser:
        cookie = {"cookie": f"gatepass-{session.id.hex}=x"}
        for page in (
            await browser.get(f"/s/{link}"),
            await browser.ask_code(link),
            await browser.get(f"/sessions/{session.id}", headers=cookie),
            await browser.get(f"/sessions/{session.id}/events", headers=cookie),
        ):
            assert page.status_code == 503
            assert int(page.headers["retry-after"]) > 0
            assert "Nothing you saved is lost" in words(page)
    await engine.dispose()
