"""Passkeys over HTTP: made after password and code, signed in with alone, a question once."""

import asyncio
import html
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from httpx2 import Response

from commands.member_session import Browser
from commands.passkey import PasskeySignIn, ask_to_sign_in, sign_in_with_passkey
from domain.member_errors import SignInRefused
from store.access import LoginRow
from store.audit import AuditRow
from store.passkey import PasskeyRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.authenticator import give_phone
from tests.rooms.member_browser import PASSWORD, MemberBrowser, set_here
from tests.rooms.party_browser import words
from tests.rooms.passkeys import PRESENT, Device

PAGE = "/account/passkeys"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    # Many may wait for one row; on a busy machine that takes longer than in life.
    patience = timedelta(seconds=10)
    async with open_console(database_url, database_lock_timeout=patience) as console:
        await set_here(console.house, session_allow_concurrent=True)
        yield console


@pytest_asyncio.fixture
async def anna(console: Console) -> AsyncIterator[MemberBrowser]:
    async with console.signed_in() as browser:
        yield browser


async def begin(browser: MemberBrowser, **more: str) -> str:
    page = await browser.post(f"{PAGE}/begin", password=PASSWORD, **more)
    assert page.status_code == 200, page.text
    found = re.search(r'data-passkey-make="([^"]*)"', page.text)
    assert found
    return html.unescape(found[1])


async def make(browser: MemberBrowser, device: Device) -> Response:
    options = await begin(browser)
    return await browser.follow(await browser.post(f"{PAGE}/add", credential=device.make(options)))


async def question(browser: MemberBrowser) -> str:
    answer = await browser.post("/sign-in/passkey/question")
    assert answer.status_code == 200
    return answer.text


async def answer(browser: MemberBrowser, device: Device, **more: str) -> Response:
    told = device.answer(await question(browser))
    return await browser.post("/sign-in/passkey", credential=told, **more)


async def logins(console: Console) -> list[tuple[str, str]]:
    return [(each.mode, each.outcome) for each in await console.house.all(LoginRow)]


async def test_a_passkey_is_made_and_signs_in(console: Console, anna: MemberBrowser) -> None:
    device = Device()
    assert "Your passkey is kept" in words(await make(anna, device))
    assert "Firefox on Windows" in words(await anna.get(PAGE))
    async with console.browser() as browser:
        done = await answer(browser, device, next=f"{browser.base}/account")
        assert done.headers["location"] == f"{browser.base}/account"
        assert "Anna Berg" in words(await browser.get())
        assert browser.cookie("passkey-question") is None
        assert "Passkey" in words(await browser.get("/account/sessions"))
    assert (await logins(console))[-1] == ("passkey", "signed_in")
    events = [each.event for each in await console.house.all(AuditRow)]
    assert events.count("passkey.added") == 1


async def test_another_browser_is_told_of_once(console: Console, anna: MemberBrowser) -> None:
    # ASVS 6.3.5
    device = Device()
    await make(anna, device)
    await anna.post("/sign-out")
    await answer(anna, device)
    assert await console.alerts() == []
    async with console.browser() as other:
        for _ in range(2):
            await answer(other, device)
            await other.post("/sign-out")
    assert len(await console.alerts()) == 1


async def test_making_one_asks_for_password_and_code(console: Console, anna: MemberBrowser) -> None:
    # ASVS 7.5.1
    refused = await anna.post(f"{PAGE}/begin", password="wrong")
    assert refused.status_code == 422
    assert "This is not your present password" in words(refused)
    phone, _ = await give_phone(console.house, console.anna)
    async with console.browser() as browser:
        await browser.sign_in()
        await browser.post("/sign-in/code", code=phone.code(console.house.clock.now))
        console.house.clock.turn(seconds=30)
        refused = await browser.post(f"{PAGE}/begin", password=PASSWORD, code="000000")
        assert refused.status_code == 422
        assert await begin(browser, code=phone.code(console.house.clock.now))


async def test_a_question_is_of_the_session_that_asked(
    console: Console, anna: MemberBrowser
) -> None:
    # Without showing the password again, nobody gets a passkey in.
    device = Device()
    told = device.make(await begin(anna))
    kept = anna.cookie("passkey-question")
    async with console.signed_in(email=BEN) as ben:
        ben.party.client.cookies.set("gatepass-passkey-question", kept or "")
        done = await ben.post(f"{PAGE}/add", credential=told)
        assert "No passkey was kept" in words(await ben.follow(done))
        told = device.make(await question(ben))
        done = await ben.post(f"{PAGE}/add", credential=told)
        assert "No passkey was kept" in words(await ben.follow(done))
    assert await console.house.all(PasskeyRow) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:8000.evil.example"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"id": b"another passkey!"},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_what_is_not_ours_or_not_verified_is_refused(
    console: Console, anna: MemberBrowser, wrong: dict[str, object]
) -> None:
    device = Device()
    await make(anna, device)
    async with console.browser() as browser:
        refused = await answer(browser, replace(device, **wrong))  # type: ignore[arg-type]  # what a test wants wrong
        assert "This passkey is not known here" in words(await browser.follow(refused))
        assert browser.cookie("member") is None
    assert (await logins(console))[-1] == ("passkey", "failed")
    fresh = Device(flags=PRESENT)
    assert "No passkey was kept" in words(await make(anna, fresh))


async def test_another_key_does_not_sign(console: Console, anna: MemberBrowser) -> None:
    device = Device()
    await make(anna, device)
    async with console.browser() as browser:
        refused = await answer(browser, Device(id=device.id))
        assert "problem=passkey" in refused.headers["location"]


async def test_a_count_that_goes_back_is_a_copy(console: Console, anna: MemberBrowser) -> None:
    device = Device()
    await make(anna, device)
    copy = replace(device)
    async with console.browser() as browser:
        for _ in range(2):
            assert "problem" not in (await answer(browser, device)).headers["location"]
        assert "problem=passkey" in (await answer(browser, copy)).headers["location"]


async def test_a_question_is_answered_once_and_soon(console: Console, anna: MemberBrowser) -> None:
    device = Device(counts=False)
    await make(anna, device)
    async with console.browser() as browser:
        told = device.answer(await question(browser))
        kept = browser.cookie("passkey-question")
        console.house.clock.turn(minutes=5)
        late = await browser.post("/sign-in/passkey", credential=told)
        assert "problem=passkey" in late.headers["location"]
        for junk in ("", "1", "1.9.x", "9.99999999999.x", f"{kept}x", "1.99999999999.x"):
            browser.party.client.cookies.set(
                "gatepass-passkey-question", junk, domain="localhost.local"
            )
            refused = await browser.post("/sign-in/passkey", credential=told)
            assert "problem=passkey" in refused.headers["location"]
    for junk in ("", "{}", "[]", "x" * 20_000, '{"id": 1}', '{"id":"a","rawId":"a"}'):
        async with console.browser() as browser:
            await question(browser)
            refused = await browser.post("/sign-in/passkey", credential=junk)
            assert "problem=passkey" in refused.headers["location"]


@pytest.mark.load
async def test_of_sixteen_uses_of_one_answer_one_wins(
    console: Console, anna: MemberBrowser
) -> None:
    # RELIABILITY 4
    device = Device(counts=False)
    await make(anna, device)
    house = console.house
    async with house.transactions.work() as work:
        asked = ask_to_sign_in(work, house.workspace_id)
    told = device.answer(asked.options)

    async def use() -> object:
        wanted = PasskeySignIn(house.workspace_id, asked.kept, told, Browser())
        async with house.transactions.work() as work:
            return await sign_in_with_passkey(work, wanted)

    fared = await asyncio.gather(*(use() for _ in range(16)))
    assert Counter(type(each).__name__ for each in fared) == {
        "Begun": 1,
        SignInRefused.__name__: 15,
    }


async def test_locks_and_somebody_else_hold_as_after_a_password(
    console: Console, anna: MemberBrowser
) -> None:
    # SX-16, EX-4
    device = Device()
    await make(anna, device)
    async with console.signed_in(email=BEN) as browser:
        asked = await answer(browser, device)
        assert "/sign-in/switch" in asked.headers["location"]
        for _ in range(10):
            await browser.sign_in(password="wrong")
        refused = await answer(browser, device)
        assert "problem=passkey" in refused.headers["location"]
    assert (await logins(console))[-1] == ("passkey", "locked")


async def test_removing_needs_the_password_and_ends_other_sessions(
    console: Console, anna: MemberBrowser
) -> None:
    # ASVS 7.4.3
    device = Device()
    await make(anna, device)
    (row,) = await console.house.all(PasskeyRow)
    async with console.signed_in(email=BEN) as ben:
        assert (await ben.post(f"{PAGE}/{row.id}/remove", password=PASSWORD)).status_code == 404
    async with console.browser() as other:
        await answer(other, device)
        assert (await anna.post(f"{PAGE}/{row.id}/remove", password="x")).status_code == 422
        done = await anna.post(f"{PAGE}/{row.id}/remove", password=PASSWORD)
        assert "The passkey is removed" in words(await anna.follow(done))
        assert (await other.get()).status_code == 303
        refused = await answer(other, device)
        assert "problem=passkey" in refused.headers["location"]


async def test_asking_tells_nothing_of_anybody(console: Console) -> None:
    async with console.browser() as browser:
        asked = await question(browser)
        assert '"allowCredentials": []' in asked
        assert '"userVerification": "required"' in asked
        assert (await browser.get(f"{PAGE}/begin")).status_code == 303


@pytest.mark.parametrize("name", ["\0", "\ud800", "AA=="])
async def test_what_no_browser_answers_is_refused_and_no_fault(console: Console, name: str) -> None:
    response = {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}
    whole = {"id": name, "rawId": "AA", "type": "public-key", "response": response}
    async with console.browser() as browser:
        for each in (json.dumps(whole), "[" * 16_000, "{}", "null", "7"):
            await question(browser)
            told = await browser.post("/sign-in/passkey", credential=each)
            assert "problem=passkey" in told.headers["location"], each[:80]
