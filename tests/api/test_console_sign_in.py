"""The sign-in pages of members, and what may come in between (EX-2, EX-4, EX-7, SH-5, N9)."""

from collections.abc import AsyncIterator
from time import perf_counter

import pytest
import pytest_asyncio

from api.ended_hint import LASTS
from commands import answer_time
from domain.member_session import MemberSessionEnd
from store.access import LoginRow
from store.member_session import MemberSessionRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.member_browser import EMAIL, PASSWORD, MemberBrowser, set_here
from tests.rooms.party_browser import app_of, words

SECURE = "https://gate.example"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        yield console


@pytest_asyncio.fixture
async def browser(console: Console) -> AsyncIterator[MemberBrowser]:
    async with console.browser() as browser:
        yield browser


async def test_signing_in_leads_to_the_page_that_was_asked_for(browser: MemberBrowser) -> None:
    # EX-2, EX-7
    asked = await browser.get("/account/sessions?done=one")
    page = await browser.follow(asked)
    assert 'autocomplete="username"' in page.text
    assert 'autocomplete="current-password"' in page.text
    following = f"{browser.base}/account/sessions?done=one"
    assert f'value="{following}"' in page.text
    answer = await browser.sign_in(next=following)
    assert answer.headers["location"] == following
    assert "Firefox on Windows" in words(await browser.follow(answer))


async def test_nobody_is_led_elsewhere(browser: MemberBrowser) -> None:
    for wanted in ("https://evil.example/", "//evil.example", "/console/other", "/s/link"):
        page = await browser.get("/sign-in", params={"next": wanted})
        assert "evil" not in page.text
        answer = await browser.sign_in(next=wanted)
        assert answer.headers["location"] == browser.base


async def test_strangers_wrong_passwords_and_locks_read_alike(console: Console) -> None:
    # ASVS 6.3.8, RELIABILITY 28: same status, headers and body
    await set_here(console.house, login_failures=3)
    for _ in range(3):
        async with console.browser() as guessing:
            await guessing.sign_in(BEN, "wrong")
    told = []
    for email, password in ((EMAIL, "wrong"), ("nobody@x.example", PASSWORD), (BEN, PASSWORD)):
        async with console.browser() as browser:
            page = await browser.sign_in(email, password)
            kept = page.text.replace(email, "…")
            headers = dict(page.headers) | {"x-request-id": "", "content-length": ""}
            told.append((page.status_code, kept, headers))
    assert told[0] == told[1] == told[2]
    assert told[0][0] == 403
    assert "set-cookie" not in told[0][2]
    assert "is not right, or signing in is locked" in told[0][1]


async def test_refusals_leave_at_the_same_time(
    browser: MemberBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ASVS 6.3.8
    monkeypatch.setattr(answer_time, "ANSWERS_AFTER", 0.2)
    for email, password in ((EMAIL, "wrong"), ("nobody@x.example", PASSWORD)):
        began = perf_counter()
        await browser.sign_in(email, password)
        assert perf_counter() - began >= 0.2


async def test_what_was_typed_stays_but_the_password(browser: MemberBrowser) -> None:
    page = await browser.sign_in(EMAIL, "wrong password here")
    assert f'value="{EMAIL}"' in page.text
    assert "wrong password here" not in page.text


async def test_a_get_begins_and_ends_nothing(console: Console) -> None:
    # C15
    async with console.signed_in() as browser:
        before = browser.cookie("member")
        for path in ("/sign-in", "/sign-in?next=x", "/sign-in/room", "/sign-in/switch"):
            await browser.get(path)
        await browser.party.client.head(f"{browser.base}/sign-in")
        assert (await browser.get("/sign-out")).status_code == 405
        assert (await browser.get()).status_code == 200
        assert browser.cookie("member") == before
        page = words(await browser.get("/sign-in"))
        assert "Anna Berg is signed in on this browser" in page
        assert "Go on as Anna Berg" in page


async def test_somebody_else_is_warned_first(console: Console) -> None:
    # EX-4, C15: and the browser has a new secret
    async with console.signed_in() as browser:
        annas = browser.cookie("member")
        asked = await browser.sign_in(BEN, next=f"{browser.base}/account")
        assert "/sign-in/switch?next=" in asked.headers["location"]
        warning = words(await browser.follow(asked))
        assert "Anna Berg is signed in on this browser" in warning
        assert "What Anna Berg has not saved is lost" in warning
        assert "Anna Berg" in words(await browser.get())
        assert await console.ends() == []
        done = await browser.post("/sign-in/switch", next=f"{browser.base}/account")
        assert done.headers["location"] == f"{browser.base}/account"
        assert BEN in words(await browser.follow(done))
        assert await console.ends() == ["different_user"]
        assert browser.cookie("member") != annas
        assert browser.cookie("sign-in-step") is None
        # The tabs of the one before come here, and read why.
        told = words(await browser.get("/sign-in"))
        assert "Somebody else has signed in on this browser" in told
        assert "Go on as Ben Okri" in told


async def test_a_step_is_taken_once_and_soon(console: Console) -> None:
    async with console.signed_in() as browser:
        await browser.sign_in(BEN)
        step = browser.cookie("sign-in-step")
        assert step
        console.house.clock.turn(minutes=5)
        late = await browser.post("/sign-in/switch")
        assert "That took too long" in words(await browser.follow(late))
        assert (await browser.post("/sign-in/switch")).status_code == 303
        assert await console.ends() == []
        await browser.sign_in(BEN)
        # The step of one page opens no other.
        wrong = await browser.post("/sign-in/room", session=str(console.anna.id))
        assert "problem=too_late" in wrong.headers["location"]


async def test_at_the_limit_one_of_ones_own_may_end(console: Console) -> None:
    # SH-5: after the right password alone
    await set_here(console.house, session_allow_concurrent=True, session_concurrent_limit=2)
    async with console.signed_in(), console.signed_in(), console.browser() as third:
        asked = await third.sign_in(next=f"{third.base}/account")
        step = third.cookie("sign-in-step")
        assert step
        assert step not in asked.headers["location"]
        page = await third.follow(asked)
        assert "You are signed in 2 times already" in words(page)
        first, second = await console.house.all(MemberSessionRow)
        assert str(first.id) in page.text
        assert str(second.id) in page.text
        junk = await third.post("/sign-in/room", session="junk")
        assert junk.status_code == 404
        done = await third.post(
            "/sign-in/room", session=str(first.id), next=f"{third.base}/account"
        )
        assert done.headers["location"] == f"{third.base}/account"
        assert (await third.get()).status_code == 200
        assert await console.ends() == ["killed"]
        outcomes = [each.outcome for each in await console.house.all(LoginRow)]
        assert sorted(outcomes) == ["limit_reached", *["signed_in"] * 3]


async def test_at_the_limit_somebody_elses_session_frees_nothing(console: Console) -> None:
    # SH-5, SH-19: a foreign id ends nothing, and asks again
    await set_here(console.house, session_allow_concurrent=True, session_concurrent_limit=1)
    async with (
        console.signed_in(),
        console.signed_in(email=BEN) as bens,
        console.browser() as third,
    ):
        await third.sign_in()
        rows = await console.house.all(MemberSessionRow)
        foreign = next(each for each in rows if each.member_id == console.ben.id)
        again = await third.post("/sign-in/room", session=str(foreign.id))
        assert again.headers["location"] == f"{third.base}/sign-in/room"
        assert (await bens.get()).status_code == 200
        assert (await third.get()).status_code == 303


REASONS = {
    MemberSessionEnd.LOGGED_OUT: "You have logged out",
    MemberSessionEnd.INACTIVE: "because nothing was done for a while",
    MemberSessionEnd.ABSOLUTE_TIMEOUT: "has reached its longest time",
    MemberSessionEnd.DISPLACED: "You have signed in somewhere else",
    MemberSessionEnd.DIFFERENT_USER: "Somebody else has signed in on this browser",
    MemberSessionEnd.OPEN_AS_SIGNER: "This browser was handed over to sign",
    MemberSessionEnd.KILLED: "Your session was ended",
    MemberSessionEnd.TOKEN_REUSED: "The access of a program was ended",
}


@pytest.mark.parametrize("reason", MemberSessionEnd)
async def test_each_reason_is_said(browser: MemberBrowser, reason: MemberSessionEnd) -> None:
    # N9
    workspace = browser.base.rpartition("/")[2]
    cookie = {"cookie": f"gatepass-ended={reason}.{workspace}"}
    assert REASONS[reason] in words(await browser.get("/sign-in", headers=cookie))


@pytest.mark.parametrize("kept", ["{}", "killed", "killed.other", "<b>.{}", "KILLED.{}", ".{}"])
async def test_a_hint_is_one_of_our_reasons_here_or_nothing(
    browser: MemberBrowser, kept: str
) -> None:
    hint = kept.format(browser.base.rpartition("/")[2])
    page = await browser.get("/sign-in", headers={"cookie": f"gatepass-ended={hint}"})
    assert "notice" not in page.text


async def test_silence_is_said_to_every_request_after_it(console: Console) -> None:
    # EX-6, EX-7, SH-13: the row goes, the reason stays for a while
    async with console.signed_in() as browser:
        console.house.clock.turn(minutes=5, seconds=15)
        looked = words(await browser.get("/sign-in"))
        assert REASONS[MemberSessionEnd.INACTIVE] in looked
        for _ in range(2):
            answer = await browser.get("/account")
            assert answer.headers["location"].endswith(
                f"?next=%2Fconsole%2F{_key(browser)}%2Faccount"
            )
            page = words(await browser.follow(answer))
            assert REASONS[MemberSessionEnd.INACTIVE] in page
        assert await console.house.all(MemberSessionRow) == []
        assert await console.ends() == ["inactive"]
        await browser.sign_in()
        assert browser.cookie("ended") is None


def _key(browser: MemberBrowser) -> str:
    return browser.base.rpartition("/")[2]


async def test_a_newer_sign_in_is_said_to_the_older_one(console: Console) -> None:
    # EE-9
    async with console.signed_in() as older, console.signed_in():
        page = words(await older.follow(await older.get()))
        assert REASONS[MemberSessionEnd.DISPLACED] in page


async def test_the_absolute_end_is_said(console: Console) -> None:
    # EE-1
    await set_here(console.house, session_absolute_timeout=300)
    async with console.signed_in() as browser:
        console.house.clock.turn(seconds=300)
        page = words(await browser.follow(await browser.get()))
        assert REASONS[MemberSessionEnd.ABSOLUTE_TIMEOUT] in page


async def test_cookies_are_the_strictest_there_are(console: Console) -> None:
    # ASVS 3.3, EE-18: nothing secret in them but what is HttpOnly
    await set_here(console.house, session_allow_concurrent=True, session_concurrent_limit=1)
    for host, prefix, secure in ((None, "", False), (SECURE, "__Host-", True)):
        console.house.clock.turn(hours=1)
        if host:
            console.app = app_of(console.house, public_url=host)
        async with console.browser(host or "http://localhost:8000") as browser:
            given = (await browser.sign_in()).headers.get_list("set-cookie")
            async with console.browser(host or "http://localhost:8000") as second:
                given += (await second.sign_in()).headers.get_list("set-cookie")
            given += (await browser.post("/sign-out")).headers.get_list("set-cookie")
        names = {each.partition("=")[0] for each in given}
        kinds = ("member", "device", "sign-in-step", "ended")
        assert names == {f"{prefix}gatepass-{x}" for x in kinds}
        for cookie in given:
            assert "; HttpOnly" in cookie
            assert "; SameSite=lax" in cookie
            assert "; Path=/" in cookie
            assert ("; Secure" in cookie) is secure
        lasting = [each for each in given if "ended=logged_out" in each]
        assert f"Max-Age={int(LASTS.total_seconds())}" in lasting[0]


async def test_a_planted_secret_is_never_adopted(browser: MemberBrowser) -> None:
    # EE-18, ASVS 7.2.4
    planted = "chosen-by-somebody-else"
    cookie = {"cookie": f"gatepass-member={planted}"}
    page = await browser.get(headers=cookie)
    assert page.status_code == 303
    browser.party.client.cookies.set("gatepass-member", planted, domain="localhost.local")
    answer = await browser.party.client.post(
        f"{browser.base}/sign-in",
        data={"email": EMAIL, "password": PASSWORD},
        headers=browser.party.sent | cookie,
    )
    assert "gatepass-member=" in answer.headers["set-cookie"]
    assert planted not in answer.headers["set-cookie"]
    browser.party.client.cookies.clear()
    assert (await browser.get(headers=cookie)).status_code == 303


async def test_an_unknown_workspace_has_no_sign_in(browser: MemberBrowser) -> None:
    for path in ("/console/nowhere", "/console/nowhere/sign-in", "/console/nowhere/account"):
        page = await browser.party.get(path)
        assert page.status_code == 404
        assert "There is no such page" in words(page)


async def test_pages_speak_german(console: Console, browser: MemberBrowser) -> None:
    page = await browser.get("/sign-in", headers={"accept-language": "de"})
    assert '<html lang="de"' in page.text
    assert "Passwort vergessen?" in words(page)
    assert f"{browser.base}/forgot-password" in page.text
