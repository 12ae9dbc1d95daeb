"""A member is told of a sign-in from where it has not signed in lately (ASVS 6.3.5)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from sqlmodel import select

from commands.mail_draft import compose_mail
from commands.member import disable_member, enable_member
from commands.program_sign_in import ProgramSignIn, sign_in_program
from domain.actor import OPERATOR
from store.audit import AuditRow
from store.known_device import KnownDeviceRow
from store.member_session import MemberSessionRow
from store.workspace import WorkspaceRow
from tests.api.members import BEN, Console, open_console
from tests.rooms.authenticator import give_phone
from tests.rooms.member_browser import EMAIL, PASSWORD, MemberBrowser, set_here
from tests.rooms.party_browser import app_of, rows

COOKIE = "gatepass-device"


@pytest_asyncio.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    # Many may wait for one row; on a busy machine that takes longer than in life.
    patience = timedelta(seconds=10)
    async with open_console(database_url, database_lock_timeout=patience) as console:
        await set_here(console.house, session_allow_concurrent=True)
        yield console


@pytest_asyncio.fixture
async def office(console: Console) -> AsyncIterator[MemberBrowser]:
    """Anna's browser at work: the first she has ever signed in with."""
    async with console.signed_in() as browser:
        yield browser


async def events(console: Console) -> int:
    found = await console.house.all(AuditRow)
    return sum(each.event == "known_device.added" for each in found)


async def again(browser: MemberBrowser, **more: str) -> None:
    await browser.post("/sign-out")
    assert (await browser.sign_in(**more)).status_code == 303


async def test_the_first_sign_in_of_an_account_tells_nobody(
    console: Console, office: MemberBrowser
) -> None:
    assert office.cookie("device")
    assert await console.alerts() == []
    assert await events(console) == 1


async def test_another_browser_is_told_of_once(console: Console, office: MemberBrowser) -> None:
    async with console.signed_in() as other:
        assert len(await console.alerts()) == 1
        await again(other)
        await again(office)
        await other.get("/account")
    assert len(await console.alerts()) == 1
    assert await events(console) == 2


async def test_the_mail_says_when_where_and_what_to_do_and_opens_nothing(
    console: Console, office: MemberBrowser
) -> None:
    async with console.signed_in() as other:
        (mail,) = await console.alerts()
        async with console.house.transactions.work() as work:
            draft, _ = await compose_mail(work, mail.id)
            (workspace,) = (await work.db.scalars(select(WorkspaceRow))).all()[-1:]
        assert draft is not None
        message = draft.message()
        text = " ".join(draft.rendered.text.split())
        secrets = [other.cookie(each) or "-" for each in ("device", "member")]
    assert message["To"] == EMAIL
    assert "2026, " in text
    assert "UTC" in text or "(Europe/" in text
    assert f"at {workspace.name} on" in text
    assert "with Firefox on Windows." in text
    assert "end all other sessions, and choose another password" in text
    assert f"http://localhost:8000{office.base}/account/sessions" in draft.rendered.text
    assert not [each for each in secrets if each in draft.rendered.text + draft.rendered.html]


async def test_nothing_of_the_cookie_is_stored_and_members_are_known_apart(
    console: Console, office: MemberBrowser
) -> None:
    shown = office.cookie("device") or ""
    await again(office, email=BEN)
    await again(office, email=BEN)
    assert office.cookie("device") == shown
    found = await console.house.all(KnownDeviceRow)
    assert len({each.digest for each in found}) == len({each.member_id for each in found}) == 2
    assert not [each for each in found if shown in repr(each.model_dump())]
    assert not [each for each in found if b"Firefox" in (each.sealed or b"")]
    # Ben's first sign-in of all
    assert await console.alerts() == []


async def test_two_sign_ins_of_one_new_browser_at_once_are_told_of_once(
    console: Console, office: MemberBrowser
) -> None:
    async with console.browser() as other:
        await other.get("/sign-in")
        answers = await asyncio.gather(*(other.sign_in() for _ in range(4)))
        assert {each.status_code for each in answers} == {303}
    assert len(await console.alerts()) == 1
    assert len(await console.house.all(KnownDeviceRow)) == 2


async def test_a_refused_sign_in_gives_and_tells_nothing(
    console: Console, office: MemberBrowser
) -> None:
    async with console.browser() as other:
        await other.sign_in(password="wrong")
        assert other.cookie("device") is None
    assert await console.alerts() == []


async def test_what_we_did_not_give_is_no_cookie(console: Console, office: MemberBrowser) -> None:
    for planted in ("x", "x" * 44, "é" * 43, "\x00" * 43):
        async with console.browser() as other:
            other.party.client.headers["cookie"] = f"{COOKIE}={planted}"
            given = (await other.sign_in()).headers.get_list("set-cookie")
        (device,) = [each for each in given if each.startswith(COOKIE)]
        assert f"{COOKIE}={planted};" not in device
        assert f"Max-Age={400 * 86400}" in device
    assert len(await console.alerts()) == 4


async def test_on_tls_the_cookie_is_ours_alone(console: Console) -> None:
    console.app = app_of(console.house, public_url="https://gatepass.example")
    async with console.browser("https://gatepass.example") as browser:
        given = (await browser.get("/sign-in")).headers.get_list("set-cookie")
    (device,) = given
    assert device.startswith("__Host-gatepass-device=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(device.split("; "))


async def test_a_browser_that_was_away_for_long_is_new_again(
    console: Console, office: MemberBrowser
) -> None:
    await set_here(console.house, login_known_device=2 * 86400)
    await again(office)
    console.house.clock.turn(days=1, hours=23)
    await again(office)
    console.house.clock.turn(days=1, hours=23)
    await again(office)
    assert await console.alerts() == []
    console.house.clock.turn(days=2)
    await again(office)
    assert len(await console.alerts()) == 1
    assert len(await console.house.all(KnownDeviceRow)) == 1


async def test_where_sessions_were_ended_is_new_again(
    console: Console, office: MemberBrowser
) -> None:
    # ASVS 7.4.3: whoever was there is told of when it comes back
    async with console.signed_in() as other:
        await office.post("/account/sessions/end-others")
        await again(other)
        assert len(await console.alerts()) == 2
        (session,) = [
            each
            for each in await console.house.all(MemberSessionRow)
            if each.ended_at is None and each.signed_in_at == console.house.clock.now
        ][-1:]
        await office.post(f"/account/sessions/{session.id}/end")
        await again(other)
        assert len(await console.alerts()) == 3
        await again(office)
        assert len(await console.alerts()) == 3
        await other.post("/account/password", old=PASSWORD, password="a much better horse")
        await again(office, password="a much better horse")
        assert len(await console.alerts()) == 4
        await again(other, password="a much better horse")
        assert len(await console.alerts()) == 4


async def test_whoever_makes_room_for_itself_stays_known_there(
    console: Console, office: MemberBrowser
) -> None:
    # SH-5: a session that one gives up oneself is nothing to be warned of
    await set_here(console.house, session_concurrent_limit=1)
    async with console.browser() as other:
        await other.sign_in()
        (session,) = await console.house.all(MemberSessionRow)
        await other.post("/sign-in/room", session=str(session.id))
        assert "Anna Berg" in (await other.get()).text
        assert len(await console.alerts()) == 1
        await other.post("/sign-out")
    await office.sign_in()
    assert "Anna Berg" in (await office.get()).text
    assert len(await console.alerts()) == 1


async def test_a_sign_in_with_a_code_is_told_of_when_it_is_done(
    console: Console, office: MemberBrowser
) -> None:
    phone, _ = await give_phone(console.house, console.anna)
    before = len(await console.alerts())
    async with console.browser() as other:
        await other.sign_in()
        assert len(await console.alerts()) == before
        await other.post("/sign-in/code", code=phone.code(console.house.clock.now))
        assert len(await console.alerts()) == before + 1


async def test_a_program_is_known_by_its_name(console: Console, office: MemberBrowser) -> None:
    # It keeps no cookies; a stolen password is told of all the same where it is used.
    key = office.base.rpartition("/")[2]
    for name in ("crm", "crm", "a thief", "crm"):
        wanted = ProgramSignIn(key, EMAIL, PASSWORD, name)
        await sign_in_program(console.house.transactions, wanted)
    mails = await console.alerts()
    assert len(mails) == 2
    async with console.house.transactions.work() as work:
        draft, _ = await compose_mail(work, mails[-1].id)
    assert draft is not None
    assert "with a program." in " ".join(draft.rendered.text.split())
    assert "thief" not in draft.rendered.text


async def test_a_disabled_member_is_known_nowhere(console: Console, office: MemberBrowser) -> None:
    await set_here(console.house, session_allow_concurrent=True)
    async with console.signed_in(email=BEN):
        pass
    async with console.house.transactions.work() as work:
        await disable_member(work, console.house.workspace_id, console.ben.id, OPERATOR)
    async with console.house.transactions.work() as work:
        await enable_member(work, console.house.workspace_id, console.ben.id, OPERATOR)
    found = await rows(console.house, KnownDeviceRow)
    assert console.ben.id not in {each.member_id for each in found}
