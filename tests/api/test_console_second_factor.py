"""The pages of the second factor: at the sign-in, on the account, and trusted browsers (SH-11)."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from httpx2 import Response

from store.audit import AuditRow
from store.mail import MailRow
from store.member import MemberRow
from store.second_factor import RecoveryCodeRow, SecondFactorRow
from store.trusted_device import TrustedDeviceRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.authenticator import Phone, give_phone, newest_phone
from tests.rooms.member_browser import PASSWORD, MemberBrowser, set_here
from tests.rooms.party_browser import app_of, words

FACTOR = "/account/second-factor"
SECURE = "https://gate.example"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await set_here(console.house, session_allow_concurrent=True)
        yield console


@pytest_asyncio.fixture
async def anna(console: Console) -> AsyncIterator[MemberBrowser]:
    async with console.signed_in() as browser:
        yield browser


def code_of(console: Console, phone: Phone) -> str:
    return phone.code(console.house.clock.now)


async def mails(console: Console) -> int:
    rows = await console.house.all(MailRow)
    return sum(each.kind == "member_second_factor_changed" for each in rows)


async def set_up(console: Console, browser: MemberBrowser) -> tuple[Phone, Response]:
    begun = await browser.post(f"{FACTOR}/begin", password=PASSWORD)
    shown = await browser.follow(begun)
    phone = await newest_phone(console.house)
    assert phone.key in words(shown).replace(" ", "")
    done = await browser.post(f"{FACTOR}/set-up", code=code_of(console, phone))
    console.house.clock.turn(seconds=30)
    return phone, done


# The account.


async def test_setting_up_asks_for_the_password_first(
    console: Console, anna: MemberBrowser
) -> None:
    # ASVS 7.5.1
    assert (await anna.get(f"{FACTOR}/set-up")).headers["location"].endswith(FACTOR)
    refused = await anna.post(f"{FACTOR}/begin", password="wrong")
    assert refused.status_code == 422
    assert "This is not your present password" in words(refused)
    assert await console.house.all(SecondFactorRow) == []


async def test_an_app_is_set_up_and_everything_else_ends(
    console: Console, anna: MemberBrowser
) -> None:
    # ASVS 7.4.3, 6.3.7, 7.2.4
    before = anna.cookie("member")
    async with console.signed_in() as other:
        phone, done = await set_up(console, anna)
        assert done.status_code == 200
        codes = re.findall(r"<li><code>([a-z2-7 ]{19})</code>", done.text)
        assert len(set(codes)) == 10
        assert (await other.get()).status_code == 303
    assert anna.cookie("member") != before
    assert (await anna.get()).status_code == 200
    assert await mails(console) == 1
    page = await anna.get(FACTOR)
    assert "10 recovery codes are left" in words(page)
    assert codes[0] not in page.text
    assert phone.key not in page.text.replace(" ", "")
    events = [each.event for each in await console.house.all(AuditRow)]
    assert events.count("member.second_factor_added") == 1
    (row,) = await console.house.all(SecondFactorRow)
    assert phone.key.encode() not in (row.sealed or b"")


async def test_the_picture_obeys_our_own_policy(console: Console, anna: MemberBrowser) -> None:
    page = await anna.follow(await anna.post(f"{FACTOR}/begin", password=PASSWORD))
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_wrong_code_confirms_nothing(console: Console, anna: MemberBrowser) -> None:
    await anna.post(f"{FACTOR}/begin", password=PASSWORD)
    refused = await anna.post(f"{FACTOR}/set-up", code="000000")
    assert refused.status_code == 422
    assert "This code is not right" in words(refused)
    assert 'aria-invalid="true"' in refused.text
    console.house.clock.turn(minutes=10)
    phone = await newest_phone(console.house)
    # Signed out meanwhile, and in again: the key was shown to another session.
    await anna.sign_in()
    late = await anna.post(f"{FACTOR}/set-up", code=code_of(console, phone))
    assert "That took too long" in words(await anna.follow(late))


async def test_a_key_is_shown_to_the_session_that_asked(
    console: Console, anna: MemberBrowser
) -> None:
    await anna.post(f"{FACTOR}/begin", password=PASSWORD)
    async with console.signed_in() as other:
        assert (await other.get(f"{FACTOR}/set-up")).status_code == 303
        phone = await newest_phone(console.house)
        await other.post(f"{FACTOR}/set-up", code=code_of(console, phone))
    (row,) = await console.house.all(SecondFactorRow)
    assert row.confirmed_at is None


async def test_replacing_needs_a_code_of_the_one_before(
    console: Console, anna: MemberBrowser
) -> None:
    phone, _ = await set_up(console, anna)
    for code in ("", "000000"):
        refused = await anna.post(f"{FACTOR}/begin", password=PASSWORD, code=code)
        assert refused.status_code == 422
    begun = await anna.post(f"{FACTOR}/begin", password=PASSWORD, code=code_of(console, phone))
    assert begun.status_code == 303
    newer = await newest_phone(console.house)
    assert newer.key != phone.key
    await anna.post(f"{FACTOR}/set-up", code=code_of(console, newer))
    (row,) = await console.house.all(SecondFactorRow)
    assert row.key == newer.key
    events = [each.event for each in await console.house.all(AuditRow)]
    assert events.count("member.second_factor_replaced") == 1
    assert len(await console.house.all(RecoveryCodeRow)) == 10


async def test_wrong_codes_on_the_account_lock_as_at_the_sign_in(
    console: Console, anna: MemberBrowser
) -> None:
    # SX-16
    phone, _ = await set_up(console, anna)
    for _ in range(10):
        await anna.post(f"{FACTOR}/remove", password=PASSWORD, code="000000")
    told = await anna.post(f"{FACTOR}/remove", password=PASSWORD, code=code_of(console, phone))
    assert "Locked for a while" in words(told)
    assert len(await console.house.all(SecondFactorRow)) == 1


async def test_removing_ends_the_other_sessions(console: Console, anna: MemberBrowser) -> None:
    phone, _ = await set_up(console, anna)
    answer = await anna.post(f"{FACTOR}/remove", password=PASSWORD, code=code_of(console, phone))
    assert "Your second factor is removed" in words(await anna.follow(answer))
    assert await console.house.all(SecondFactorRow) == []
    assert await console.house.all(RecoveryCodeRow) == []
    assert await mails(console) == 2
    assert "killed" not in (await console.ends())[1:]


async def test_new_recovery_codes_take_the_place_of_the_old(
    console: Console, anna: MemberBrowser
) -> None:
    phone, _ = await set_up(console, anna)
    before = {each.digest for each in await console.house.all(RecoveryCodeRow)}
    page = await anna.post(
        f"{FACTOR}/recovery-codes", password=PASSWORD, code=code_of(console, phone)
    )
    assert len(re.findall(r"<li><code>", page.text)) == 10
    after = {each.digest for each in await console.house.all(RecoveryCodeRow)}
    assert len(after) == 10
    assert not after & before
    assert (await anna.get(FACTOR)).status_code == 200


async def test_without_a_factor_there_are_no_codes(console: Console, anna: MemberBrowser) -> None:
    answer = await anna.post(f"{FACTOR}/recovery-codes", password=PASSWORD)
    assert answer.status_code == 404
    for path in ("begin", "remove", "recovery-codes", "devices/x/end"):
        assert (await anna.get(f"{FACTOR}/{path}")).headers["location"].endswith(FACTOR)
    assert (await anna.get(f"{FACTOR}/nothing")).status_code == 404


async def test_off_offers_nothing(console: Console, anna: MemberBrowser) -> None:
    await set_here(console.house, login_second_factor="off")
    assert "This workspace has no second factors" in words(await anna.get(FACTOR))
    assert (await anna.post(f"{FACTOR}/begin", password=PASSWORD)).status_code == 404


# The sign-in.


async def with_phone(console: Console, member: MemberRow) -> Phone:
    return (await give_phone(console.house, member))[0]


async def test_the_code_is_asked_for_and_the_way_goes_on(console: Console) -> None:
    phone = await with_phone(console, console.anna)
    async with console.browser() as browser:
        following = f"{browser.base}/account"
        asked = await browser.sign_in(next=following)
        assert "/sign-in/code?next=" in asked.headers["location"]
        assert browser.cookie("member") is None
        page = await browser.follow(asked)
        assert 'autocomplete="one-time-code"' in page.text
        assert "For 30 days only your password" in words(page)
        refused = await browser.post("/sign-in/code", code="000000", next=following)
        assert refused.status_code == 422
        assert "This code is not right" in words(refused)
        code = code_of(console, phone)
        done = await browser.post("/sign-in/code", code=code, next=following)
        assert done.headers["location"] == following
        assert browser.cookie("sign-in-step") is None
        assert (await browser.get("/account")).status_code == 200
        again = await browser.post("/sign-in/code", code=code)
        assert "problem=too_late" in again.headers["location"]


async def test_the_step_of_the_code_opens_nothing_else(console: Console) -> None:
    phone = await with_phone(console, console.anna)
    async with console.browser() as browser:
        for step in ("room", "switch", "set-up"):
            await browser.sign_in()
            answer = await browser.get(f"/sign-in/{step}")
            assert "problem=too_late" in answer.headers["location"]
            await browser.sign_in()
            answer = await browser.post(f"/sign-in/{step}", session=str(console.anna.id))
            assert "problem=too_late" in answer.headers["location"]
        await browser.sign_in()
        assert browser.cookie("member") is None
        assert (await browser.get()).status_code == 303
        done = await browser.post("/sign-in/code", code=code_of(console, phone))
        assert done.status_code == 303


async def test_a_required_factor_is_set_up_on_the_way_in(console: Console) -> None:
    await set_here(console.house, login_second_factor="required")
    async with console.browser() as browser:
        asked = await browser.sign_in(BEN, next=f"{browser.base}/account")
        assert "/sign-in/set-up?next=" in asked.headers["location"]
        page = await browser.follow(asked)
        phone = await newest_phone(console.house)
        assert phone.key in words(page).replace(" ", "")
        # Looking twice shows the same key.
        assert phone.key in words(await browser.follow(asked)).replace(" ", "")
        assert (await browser.get()).status_code == 303
        wrong = await browser.post("/sign-in/set-up", code="000000")
        assert wrong.status_code == 422
        code = code_of(console, phone)
        done = await browser.post("/sign-in/set-up", code=code, next=f"{browser.base}/account")
        assert len(re.findall(r"<li><code>", done.text)) == 10
        assert f'href="{browser.base}/account"' in done.text
        assert (await browser.get("/account")).status_code == 200
        assert await mails(console) == 1


async def test_after_setting_up_the_next_step_is_asked(console: Console) -> None:
    # EX-4
    async with console.signed_in() as browser:
        await set_here(console.house, login_second_factor="required")
        await browser.sign_in(BEN)
        phone = await newest_phone(console.house)
        done = await browser.post("/sign-in/set-up", code=code_of(console, phone))
        assert f'href="{browser.base}/sign-in/switch"' in done.text
        await browser.post("/sign-in/switch")
        assert "Ben Okri" in words(await browser.get())


# Trusted browsers.


async def test_a_browser_can_be_trusted_and_is_listed_until_it_is_not(console: Console) -> None:
    # SH-11
    phone = await with_phone(console, console.anna)
    async with console.browser() as browser:
        await browser.sign_in()
        await browser.post("/sign-in/code", code=code_of(console, phone), trust="yes")
        await browser.post("/sign-out")
        await browser.sign_in()
        page = await browser.get(FACTOR)
        assert "Firefox on Windows This browser" in words(page)
        (row,) = await console.house.all(TrustedDeviceRow)
        async with console.browser() as stranger:
            asked = await stranger.sign_in()
            assert "/sign-in/code" in asked.headers["location"]
        ended = await browser.post(f"{FACTOR}/devices/{row.id}/end")
        assert "That browser is trusted no longer" in words(await browser.follow(ended))
        assert (await browser.post(f"{FACTOR}/devices/{row.id}/end")).status_code == 404
        asked = await browser.sign_in()
        assert "/sign-in/code" in asked.headers["location"]
    events = [each.event for each in await console.house.all(AuditRow)]
    assert events.count("trusted_device.added") == events.count("trusted_device.ended") == 1


async def test_nobody_ends_what_others_trust(console: Console) -> None:
    phone = await with_phone(console, console.anna)
    async with console.browser() as browser:
        await browser.sign_in()
        await browser.post("/sign-in/code", code=code_of(console, phone), trust="yes")
    (row,) = await console.house.all(TrustedDeviceRow)
    async with console.signed_in(email=BEN) as ben:
        assert (await ben.post(f"{FACTOR}/devices/{row.id}/end")).status_code == 404
    assert len(await console.house.all(TrustedDeviceRow)) == 1


async def test_the_cookie_of_trust_is_ours_alone(database_url: str) -> None:
    async with open_console(database_url, public_url=SECURE) as console:
        phone = await with_phone(console, console.anna)
        console.app = app_of(console.house)
        async with console.browser(SECURE) as browser:
            await browser.sign_in()
            done = await browser.post("/sign-in/code", code=code_of(console, phone), trust="yes")
            name = f"__Host-gatepass-trusted-{console.anna.id.hex}="
            (cookie,) = [c for c in done.headers.get_list("set-cookie") if c.startswith(name)]
            for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=2592000"):
                assert part in cookie
