"""Members act for each other, and whatever they do says both (EE-13, EE-14, C8)."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from commands.member import disable_member
from domain.actor import OPERATOR
from domain.member import Role
from store.access import PageVisitRow
from store.audit import AuditRow
from store.delegation import DelegationRow
from store.member import MemberRow
from store.member_session import MemberSessionRow
from store.passkey import PasskeyRow
from store.trusted_device import TrustedDeviceRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.authenticator import Phone, give_phone, newest_phone
from tests.rooms.member_browser import PASSWORD, MemberBrowser, make_member
from tests.rooms.party_browser import words
from tests.rooms.passkeys import Device

PATH = "/account/delegations"
FACTOR, PASSKEYS = "/account/second-factor", "/account/passkeys"
CARL = "carl@office.example"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    async with open_console(database_url) as console:
        await make_member(console.house, CARL, "Carl Diaz", Role.ADMIN)
        yield console


def day(console: Console, **later: float) -> str:
    return (console.house.clock() + timedelta(**later)).date().isoformat()


async def granted(console: Console, to: str | None = None) -> DelegationRow:
    """Anna lets Carl, or who is named, act for her until tomorrow is over."""
    carl = await member_id(console, CARL)
    async with console.signed_in() as anna:
        answer = await anna.post(PATH, member=to or carl, until=day(console, days=1))
        assert "It is granted" in words(await anna.follow(answer))
    return (await console.house.all(DelegationRow))[-1]


async def member_id(console: Console, email: str) -> str:
    found = {each.email: each.id for each in await console.house.all(MemberRow)}
    return str(found[email])


async def begin(browser: MemberBrowser, grant: DelegationRow) -> None:
    answer = await browser.post(f"{PATH}/{grant.id}/begin")
    assert "You act for Anna Berg" in words(await browser.follow(answer))


async def rows_about_delegations(console: Console) -> list[tuple[str, str, str | None]]:
    rows = [e for e in await console.house.all(AuditRow) if e.event.startswith("delegation.")]
    return [
        (each.event.partition(".")[2], each.actor, each.details.get("on_behalf_of"))
        for each in sorted(rows, key=lambda row: row.id)
    ]


async def test_the_session_stays_ones_own_and_every_row_says_both(console: Console) -> None:
    # EE-13, EE-14: a new id both times, nobody is asked for anything
    grant = await granted(console)
    carl, anna = await member_id(console, CARL), str(console.anna.id)
    async with console.signed_in(email=CARL) as browser:
        secrets = [browser.cookie("member")]
        await begin(browser, grant)
        secrets.append(browser.cookie("member"))
        for path in ("/account", "/account/delete", "/members", "/nothing"):
            page = await browser.get(path)
            assert "You act for Anna Berg" in words(page), path
            assert "Carl Diaz" in words(page), path
        await browser.post(f"/members/{console.ben.id}/role", role="publisher")
        back = await browser.follow(await browser.post(f"{PATH}/return"))
        secrets.append(browser.cookie("member"))
        assert "You act for" not in words(back)
        assert "Welcome, Carl Diaz" in words(back)
        await browser.post(f"/members/{console.ben.id}/role", role="auditor")
    assert len(set(secrets)) == 3
    assert await rows_about_delegations(console) == [
        ("granted", f"member:{anna}", None),
        ("begun", f"member:{carl}", None),
        ("left", f"member:{carl}", anna),
    ]
    changed = [e for e in await console.house.all(AuditRow) if e.event == "member.changed"]
    assert [e.actor for e in changed] == [f"member:{carl}"] * 2
    assert [e.details.get("on_behalf_of") for e in changed] == [anna, None]
    (session,) = [
        each for each in await console.house.all(MemberSessionRow) if str(each.member_id) == carl
    ]
    assert session.delegation_id is None
    visits = [e for e in await console.house.all(PageVisitRow) if str(e.on_behalf_of) == anna]
    assert {str(each.member_id) for each in visits} == {carl}


async def test_the_password_is_changed_with_both_names(console: Console) -> None:
    grant = await granted(console)
    async with console.signed_in(email=CARL) as browser:
        await begin(browser, grant)
        await browser.post("/account/password", old=PASSWORD, password="a much better horse")
        assert "You act for Anna Berg" in words(await browser.get())
        await browser.post("/sign-out")
    wanted = {"member.password_changed", "member_session.ended"}
    rows = [
        each
        for each in await console.house.all(AuditRow)
        if each.event in wanted and each.actor == f"member:{await member_id(console, CARL)}"
    ]
    assert [each.details["on_behalf_of"] for each in rows] == [str(console.anna.id)] * 2


FACTOR_ROWS = (
    "trusted_device.added",
    "trusted_device.ended",
    "passkey.added",
    "passkey.removed",
    "member.recovery_codes_made",
    "member.second_factor_replaced",
    "member.recovery_code_used",
    "member.second_factor_removed",
)


async def test_factors_and_passkeys_are_changed_with_both_names(console: Console) -> None:
    # EE-13: whoever reads the log sees for whom the session acted
    grant = await granted(console)
    before = len(await console.house.all(AuditRow))
    async with console.browser() as carl:
        phone, _ = await give_phone(console.house, await member_called(console, CARL))
        await carl.sign_in(email=CARL)
        await carl.post("/sign-in/code", code=code_of(console, phone), trust="yes")
        await begin(carl, grant)
        await change_every_factor(console, carl, phone)
    rows = [
        each
        for each in sorted(await console.house.all(AuditRow), key=lambda row: row.id)[before:]
        if each.event in FACTOR_ROWS
    ]
    assert [each.event for each in rows] == list(FACTOR_ROWS)
    assert {each.actor for each in rows} == {f"member:{await member_id(console, CARL)}"}
    both = [each.details.get("on_behalf_of") for each in rows]
    # The first one is of the sign-in, where nobody acts for anybody yet.
    assert both == [None, *[str(console.anna.id)] * (len(FACTOR_ROWS) - 1)]


async def member_called(console: Console, email: str) -> MemberRow:
    (found,) = [each for each in await console.house.all(MemberRow) if each.email == email]
    return found


def code_of(console: Console, phone: Phone) -> str:
    """A code that was not used yet: time goes on."""
    console.house.clock.turn(seconds=30)
    return phone.code(console.house.clock.now)


async def change_every_factor(console: Console, browser: MemberBrowser, phone: Phone) -> None:
    """In the order of `FACTOR_ROWS`."""
    (device,) = await console.house.all(TrustedDeviceRow)
    await browser.post(f"{FACTOR}/devices/{device.id}/end")
    page = await browser.post(f"{PASSKEYS}/begin", password=PASSWORD, code=code_of(console, phone))
    (options,) = re.findall(r'data-passkey-make="([^"]*)"', page.text)
    made = Device().make(html.unescape(options))
    await browser.post(f"{PASSKEYS}/add", credential=made)
    (passkey,) = await console.house.all(PasskeyRow)
    shown = {"password": PASSWORD, "code": code_of(console, phone)}
    await browser.post(f"{PASSKEYS}/{passkey.id}/remove", **shown)
    shown["code"] = code_of(console, phone)
    await browser.post(f"{FACTOR}/recovery-codes", **shown)
    shown["code"] = code_of(console, phone)
    await browser.post(f"{FACTOR}/begin", **shown)
    newer = await newest_phone(console.house)
    done = await browser.post(f"{FACTOR}/set-up", code=code_of(console, newer))
    recovery = re.findall(r"<li><code>([a-z2-7 ]{19})</code>", done.text)
    await browser.post(f"{FACTOR}/remove", password=PASSWORD, code=recovery[0])


async def test_rights_are_what_both_have(console: Console) -> None:
    # C8: an auditor who acts for an administrator is none
    grant = await granted(console, to=str(console.ben.id))
    async with console.signed_in(email=BEN) as ben:
        await begin(ben, grant)
        assert (await ben.get("/members")).status_code == 403
        assert (await ben.get("/reports/logins")).status_code == 200
    async with console.signed_in(email=BEN) as ben:
        await ben.post(PATH, member=str(console.anna.id), until=day(console))
        other = (await console.house.all(DelegationRow))[-1]
    async with console.signed_in() as anna:
        answer = await anna.post(f"{PATH}/{other.id}/begin")
        assert "You act for Ben Okri" in words(await anna.follow(answer))
        assert (await anna.get("/members")).status_code == 403
        await anna.post(f"{PATH}/return")
        assert (await anna.get("/members")).status_code == 200


async def over(console: Console, browser: MemberBrowser) -> None:
    """The next request does nothing and leads on as oneself; the secret is new, nobody is asked."""
    before = browser.cookie("member")
    answer = await browser.post(f"/members/{console.ben.id}/role", role="publisher")
    page = await browser.follow(answer)
    assert "You go on as yourself." in words(page)
    assert "You act for" not in words(page)
    assert browser.cookie("member") != before
    assert (await browser.get("/members")).status_code == 200
    changed = [e for e in await console.house.all(AuditRow) if e.event == "member.changed"]
    assert changed == []


async def test_it_ends_with_its_last_day_and_no_clock_brings_it_back(console: Console) -> None:
    grant = await granted(console)
    async with console.signed_in(email=CARL) as browser:
        end = grant.ends_at - console.house.clock()
        console.house.clock.turn(seconds=end.total_seconds() - 1)
        await browser.sign_in(CARL)
        await begin(browser, grant)
        console.house.clock.turn(seconds=2)
        await over(console, browser)
        console.house.clock.turn(seconds=-2)
        assert "You act for" not in words(await browser.get())


@pytest.mark.parametrize("who", ["owner", "delegate"])
async def test_either_ends_it_at_once(console: Console, who: str) -> None:
    grant = await granted(console)
    async with console.signed_in(email=CARL) as browser:
        await begin(browser, grant)
        if who == "owner":
            async with console.signed_in() as anna:
                asked = await anna.get(f"{PATH}/{grant.id}/end")
                assert "Shall Carl Diaz no longer act for you?" in words(asked)
                for _ in range(2):
                    await anna.post(f"{PATH}/{grant.id}/end")
        else:
            asked = await browser.get(f"{PATH}/{grant.id}/end")
            assert "Do you no longer want to act for Anna Berg?" in words(asked)
            await browser.post(f"{PATH}/{grant.id}/end")
        await over(console, browser)
        assert (await browser.post(f"{PATH}/{grant.id}/begin")).status_code == 404


async def test_it_ends_when_the_owner_is_disabled(console: Console) -> None:
    grant = await granted(console)
    async with console.signed_in(email=CARL) as browser:
        await begin(browser, grant)
        async with console.house.transactions.work() as work:
            await disable_member(work, console.house.workspace_id, console.anna.id, OPERATOR)
        await over(console, browser)
        assert "Anna Berg" not in words(await browser.get(PATH))


async def test_nobody_else_has_anything_of_it(console: Console) -> None:
    grant = await granted(console)
    async with console.signed_in(email=BEN) as ben:
        assert (await ben.get(f"{PATH}/{grant.id}/end")).status_code == 404
        for verb in ("end", "begin"):
            assert (await ben.post(f"{PATH}/{grant.id}/{verb}")).status_code == 404
        assert (await ben.post(f"{PATH}/return")).status_code == 404
    async with console.signed_in() as anna:
        assert (await anna.post(f"{PATH}/{grant.id}/begin")).status_code == 404
    assert len(await rows_about_delegations(console)) == 1


@pytest.mark.parametrize(
    ("member", "until", "said"),
    [
        ("me", "2026-03-03", "Choose another member."),
        ("nobody", "2026-03-03", "Choose another member."),
        ("", "2026-03-03", "Choose another member."),
        ("ben", "2026-03-01", "Type a day within a year"),
        ("ben", "2027-04-01", "Type a day within a year"),
        ("ben", "soon", "Type a day within a year"),
    ],
)
async def test_what_is_wrong_is_at_its_field(
    console: Console, member: str, until: str, said: str
) -> None:
    named = {"me": str(console.anna.id), "ben": str(console.ben.id)}
    async with console.signed_in() as anna:
        page = await anna.post(PATH, member=named.get(member, member), until=until)
    assert page.status_code == 422
    assert words(page).count(said) == 2
    assert f'value="{until}"' in page.text
    assert await console.house.all(DelegationRow) == []
