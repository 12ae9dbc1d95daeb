"""Pages behind links mailed to members, and those that ask for one (SH-7, SH-8, SH-18)."""

from collections.abc import AsyncIterator
from time import perf_counter

import pytest
import pytest_asyncio
import structlog
from httpx2 import Response

from commands import answer_time
from commands.member_link import LinkKind
from commands.member_session import Browser
from commands.sign_in import PasswordSignIn, sign_in
from commands.workspace import CreateWorkspace, create_workspace
from domain.member import Role
from store.audit import AuditRow
from store.mail import MailRow
from store.member import MemberRow
from store.member_link import MemberLinkRow
from store.workspace import workspace_by_id
from tests.rooms.house import House
from tests.rooms.members import PASSWORD, invite, newest_link, register
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at, words

EMAIL = "anna@office.example"
NEW = "another good password"
SENT_AWAY = {303, 401}
"""Where somebody has to sign in first."""


@pytest_asyncio.fixture
async def browser(house: House) -> AsyncIterator[PartyBrowser]:
    """A browser in front of the application on the house's database."""
    async with browser_at(app_of(house), house) as built:
        yield built


@pytest_asyncio.fixture
async def base(house: House) -> str:
    """The path that the workspace's pages begin with."""
    async with house.transactions.work() as work:
        return f"/console/{(await workspace_by_id(work.db, house.workspace_id)).key}"


async def sign(house: House, browser: PartyBrowser, password: str = PASSWORD) -> None:
    """Gives the browser a session, as the sign-in page does."""
    wanted = PasswordSignIn(house.workspace_id, EMAIL, password, Browser())
    begun = await sign_in(house.transactions, wanted)
    browser.client.cookies.set("gatepass-member", begun.secret)


async def count(house: House) -> tuple[int, int, int]:
    tables = (AuditRow, MailRow, MemberLinkRow)
    return tuple([len(await house.all(each)) for each in tables])  # type: ignore[return-value]  # three of them


async def invitation(house: House) -> str:
    member = await invite(house, EMAIL)
    return await newest_link(house, member.id, LinkKind.INVITATION)


async def deletion(house: House, browser: PartyBrowser, base: str) -> str:
    """A link that deletes an account, asked for on the page."""
    await register(house, "root@office.example", Role.ADMIN)
    anna = await register(house, EMAIL)
    await sign(house, browser)
    answer = await browser.post(f"{base}/account/delete", password=PASSWORD)
    assert answer.status_code == 200, words(answer)
    assert EMAIL in words(answer)
    return await newest_link(house, anna.id, LinkKind.DELETE_ACCOUNT)


# Links.


async def test_an_invitation_asks_for_a_password_and_makes_the_account(
    house: House, browser: PartyBrowser, base: str
) -> None:
    token = await invitation(house)
    page = await browser.get(f"{base}/links/{token}")
    assert (page.status_code, EMAIL in page.text) == (200, True)
    assert "Activate your account" in words(page)
    assert "11:00 (Europe/Berlin, UTC+01:00)" in words(page)
    done = await browser.post(f"{base}/links/{token}", password=NEW)
    assert (done.status_code, "The account is yours" in words(done)) == (200, True)
    await sign(house, browser, NEW)


async def test_opening_changes_nothing(house: House, browser: PartyBrowser, base: str) -> None:
    # SX-7
    token = await invitation(house)
    before = await count(house)
    for _ in range(3):
        assert (await browser.get(f"{base}/links/{token}")).status_code == 200
        assert (await browser.client.head(f"{base}/links/{token}")).status_code == 200
    assert await count(house) == before


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "Use 12 to 128 characters"),
        ("", "Use 12 to 128 characters"),
        (EMAIL, "too easy to guess"),
    ],
)
async def test_a_weak_password_is_refused_and_the_link_stays(
    house: House, browser: PartyBrowser, base: str, password: str, said: str
) -> None:
    token = await invitation(house)
    refused = await browser.post(f"{base}/links/{token}", password=password)
    assert (refused.status_code, said in words(refused)) == (422, True)
    assert (await browser.post(f"{base}/links/{token}", password=NEW)).status_code == 200


async def test_a_used_or_expired_link_says_so_and_the_way_to_a_new_one(
    house: House, browser: PartyBrowser, base: str
) -> None:
    # SH-18
    token = await invitation(house)
    await browser.post(f"{base}/links/{token}", password=NEW)
    anna = (await house.all(MemberRow))[0]
    await browser.post(f"{base}/forgot-password", email=EMAIL)
    other = await newest_link(house, anna.id, LinkKind.FORGOT_PASSWORD)
    house.clock.turn(minutes=60)
    for each in (token, other):
        for answer in (
            await browser.get(f"{base}/links/{each}"),
            await browser.post(f"{base}/links/{each}", password=NEW),
        ):
            assert (answer.status_code, "This link is over" in words(answer)) == (410, True)
            assert f'href="{base}/forgot-password"' in answer.text


async def test_a_foreign_link_is_as_one_that_never_was(
    house: House, browser: PartyBrowser, base: str
) -> None:
    token = await invitation(house)
    async with house.transactions.work() as work:
        await create_workspace(work, CreateWorkspace("elsewhere", "Elsewhere Ltd"))
    foreign = await browser.get(f"/console/elsewhere/links/{token}")
    missing = await browser.get(f"/console/elsewhere/links/{'a' * 32}")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text == missing.text
    assert "This link does not work" in words(foreign)
    posted = await browser.post(f"/console/elsewhere/links/{token}", password=NEW)
    assert posted.status_code == 404
    assert (await browser.get(f"{base}/links/{token}")).status_code == 200


async def test_a_link_that_a_mail_program_broke_works(
    house: House, browser: PartyBrowser, base: str
) -> None:
    # SX-13
    token = await invitation(house)
    for broken in (f"{token[:9]}%0D%0A{token[9:].upper()}", f"{token[:9]}/{token[9:]}&amp;x=1"):
        assert (await browser.get(f"{base}/links/{broken}")).status_code == 200


async def test_a_form_of_another_site_uses_nothing_up(
    house: House, browser: PartyBrowser, base: str
) -> None:
    token = await invitation(house)
    browser.sent = {"sec-fetch-site": "cross-site"}
    for path in (f"links/{token}", "forgot-password", "account/delete"):
        answer = await browser.post(f"{base}/{path}", password=NEW, email=EMAIL)
        assert answer.status_code == 403
    assert (await browser.get(f"{base}/links/{token}")).status_code == 200


async def test_no_link_is_in_a_log_line(house: House, browser: PartyBrowser, base: str) -> None:
    token = await invitation(house)
    with structlog.testing.capture_logs() as lines:
        await browser.get(f"{base}/links/{token}?from=mail")
        await browser.post(f"{base}/links/{token}", password="x")
        await browser.get(f"{base}/links/{token}/more")
    assert token not in str(lines)
    paths = {each["path"] for each in lines if each["event"] == "request"}
    assert paths == {"/console/{workspace}/links/…"}


# Forgotten passwords.


async def test_the_answer_is_the_same_whoever_it_is(
    house: House, browser: PartyBrowser, base: str
) -> None:
    # ASVS 6.3.8, RELIABILITY 28: same status, headers and body
    await register(house, EMAIL)
    known = await browser.post(f"{base}/forgot-password", email=EMAIL)
    unknown = await browser.post(f"{base}/forgot-password", email="ben@office.example")
    assert told(known, EMAIL) == told(unknown, "ben@office.example")
    assert [each.kind for each in await house.all(MailRow)][-1] == "member_password_reset"


def told(answer: Response, email: str) -> tuple[int, str, dict[str, str]]:
    """All that an answer tells, without the address that was typed and the request's id."""
    headers = dict(answer.headers) | {"content-length": "", "x-request-id": ""}
    return answer.status_code, answer.text.replace(email, "…"), headers


async def test_answers_leave_at_the_same_time(
    house: House, browser: PartyBrowser, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ASVS 6.3.8
    monkeypatch.setattr(answer_time, "ANSWERS_AFTER", 0.2)
    await register(house, EMAIL)
    for email in (EMAIL, "ben@office.example"):
        began = perf_counter()
        await browser.post(f"{base}/forgot-password", email=email)
        assert perf_counter() - began >= 0.2


async def test_a_forgotten_password_is_replaced(
    house: House, browser: PartyBrowser, base: str
) -> None:
    anna = await register(house, EMAIL)
    assert (await browser.get(f"{base}/forgot-password")).status_code == 200
    await browser.post(f"{base}/forgot-password", email=f" {EMAIL.upper()} ")
    token = await newest_link(house, anna.id, LinkKind.FORGOT_PASSWORD)
    assert "Choose another password" in words(await browser.get(f"{base}/links/{token}"))
    done = await browser.post(f"{base}/links/{token}", password=NEW)
    assert "Your password is changed" in words(done)
    await sign(house, browser, NEW)


# Deleting one's account.


async def test_an_account_is_deleted_after_a_last_confirmation(
    house: House, browser: PartyBrowser, base: str
) -> None:
    token = await deletion(house, browser, base)
    page = await browser.get(f"{base}/links/{token}")
    assert "Delete your account?" in words(page)
    assert [each.state for each in await house.all(MemberRow)] == ["active", "active"]
    done = await browser.post(f"{base}/links/{token}")
    assert (done.status_code, "Your account is deleted" in words(done)) == (200, True)
    assert [each.state for each in await house.all(MemberRow)] == ["active", "deleted"]
    again = await browser.post(f"{base}/links/{token}")
    assert again.status_code == 410
    assert (await browser.get(f"{base}/account/delete")).status_code in SENT_AWAY


async def test_deletion_asks_for_the_password_again(
    house: House, browser: PartyBrowser, base: str
) -> None:
    await register(house, "root@office.example", Role.ADMIN)
    await register(house, EMAIL)
    await sign(house, browser)
    page = await browser.get(f"{base}/account/delete")
    assert (page.status_code, EMAIL in words(page)) == (200, True)
    refused = await browser.post(f"{base}/account/delete", password="wrong")
    assert (refused.status_code, "not your present password" in words(refused)) == (422, True)
    for _ in range(5):
        assert (await browser.post(f"{base}/account/delete", password=PASSWORD)).status_code == 200
    often = await browser.post(f"{base}/account/delete", password=PASSWORD)
    assert (often.status_code, "ask again on" in words(often)) == (429, True)


async def test_the_last_administrator_is_told_to_make_another(
    house: House, browser: PartyBrowser, base: str
) -> None:
    await register(house, EMAIL, Role.ADMIN)
    await sign(house, browser)
    refused = await browser.post(f"{base}/account/delete", password=PASSWORD)
    assert (refused.status_code, "only administrator" in words(refused)) == (409, True)


async def test_one_who_became_the_last_administrator_is_told_so_behind_the_link(
    house: House, browser: PartyBrowser, base: str
) -> None:
    root = await register(house, "root@office.example", Role.ADMIN)
    anna = await register(house, EMAIL, Role.ADMIN)
    await sign(house, browser)
    await browser.post(f"{base}/account/delete", password=PASSWORD)
    token = await newest_link(house, anna.id, LinkKind.DELETE_ACCOUNT)
    async with house.transactions.work() as work:
        (await work.db.get_one(MemberRow, root.id)).role = Role.AUDITOR
    refused = await browser.post(f"{base}/links/{token}")
    assert (refused.status_code, "only administrator" in words(refused)) == (409, True)
    assert (await browser.get(f"{base}/links/{token}")).status_code == 200


async def test_nobody_asks_to_delete_without_being_signed_in(
    house: House, browser: PartyBrowser, base: str
) -> None:
    for answer in (
        await browser.get(f"{base}/account/delete"),
        await browser.post(f"{base}/account/delete", password=PASSWORD),
    ):
        assert answer.status_code in SENT_AWAY
    assert await house.all(MailRow) == []
