"""The second factor at the sign-in, trusted browsers, and what changes them, on a real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from commands.account_deletion import delete_account
from commands.member import disable_member, enable_member, set_password
from commands.member_link import LinkKind, make_link
from commands.member_session import Begun, Browser
from commands.password import hashed
from commands.password_change import ChangePassword, change_password
from commands.second_factor import is_code_right, reset_factor
from commands.sign_in import PasswordSignIn, sign_in
from commands.sign_in_code import CodeTyped, Proven, sign_in_enrolling, sign_in_with_code
from commands.trusted_device import TrustedBrowser
from domain.actor import OPERATOR
from domain.errors import NotFound
from domain.member_errors import (
    PasswordRefused,
    SecondFactorAsked,
    SessionLimitReached,
    SignInRefused,
    SomebodyElseSignedIn,
)
from store.access import LoginRow
from store.audit import AuditRow
from store.known_device import KnownDeviceRow
from store.member import MemberRow, member_by_id
from store.passkey import PasskeyRow
from store.second_factor import RecoveryCodeRow, SecondFactorRow
from store.trusted_device import TrustedDeviceRow
from tests.rooms.authenticator import Phone, give_phone, newest_phone
from tests.rooms.house import House, bare_house
from tests.rooms.member_browser import EMAIL, PASSWORD, make_member, set_here

MANY = 16


@dataclass(slots=True)
class Desk:
    """Anna, who has an app on her phone and recovery codes."""

    house: House
    anna: MemberRow
    phone: Phone = field(default_factory=lambda: Phone(""))
    recovery: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        return self.phone.code(self.house.clock.now)

    async def password(self, *trusted: str, secret: str = "", **more: Any) -> Any:
        browser = Browser(secret, "Chromium on Linux", trusted=trusted)
        wanted = PasswordSignIn(self.house.workspace_id, EMAIL, PASSWORD, browser, **more)
        return await sign_in(self.house.transactions, wanted)

    async def step(self) -> str:
        with pytest.raises(SecondFactorAsked) as asked:
            await self.password()
        assert not asked.value.enrols
        return asked.value.step

    async def type(self, step: str, code: str, **more: Any) -> Proven | PasswordRefused:
        typed = CodeTyped(self.house.workspace_id, step, code, Browser(name="Chromium"), **more)
        async with self.house.transactions.work() as work:
            return await sign_in_with_code(work, typed)

    async def signed_in(self, **more: Any) -> Proven:
        proven = await self.type(await self.step(), self.code, **more)
        assert isinstance(proven, Proven)
        return proven

    async def trusted(self) -> TrustedBrowser:
        trusted = (await self.signed_in(trusts=True)).trusted
        assert trusted is not None
        self.house.clock.turn(seconds=30)
        return trusted

    async def now(self) -> MemberRow:
        async with self.house.transactions.work() as work:
            found = await member_by_id(work.db, self.house.workspace_id, self.anna.id)
            assert found is not None
            return found

    async def events(self) -> list[str]:
        return [each.event for each in await self.house.all(AuditRow)]

    async def outcomes(self) -> Counter[str]:
        return Counter(each.outcome for each in await self.house.all(LoginRow))


@pytest_asyncio.fixture
async def bare(database_url: str) -> AsyncIterator[Desk]:
    # Many may wait for one row; on a busy machine that takes longer than in life.
    async with bare_house(database_url, database_lock_timeout=timedelta(seconds=10)) as house:
        yield Desk(house, await make_member(house))


@pytest_asyncio.fixture
async def desk(bare: Desk) -> Desk:
    bare.phone, bare.recovery = await give_phone(bare.house, bare.anna)
    return bare


async def test_the_code_comes_after_the_password(desk: Desk) -> None:
    proven = await desk.signed_in()
    assert getattr(proven.begun, "session", None) is not None
    assert proven.trusted is None
    # EE-17: a right password that is asked for more is an attempt, too.
    assert await desk.outcomes() == {"factor_asked": 1, "signed_in": 1}


async def test_a_code_is_good_once_and_so_are_older_ones(desk: Desk) -> None:
    # ASVS 6.5.1
    older, code = desk.code, desk.phone.code(desk.house.clock.now + timedelta(seconds=30))
    assert isinstance(await desk.type(await desk.step(), code), Proven)
    for each in (code, older):
        assert isinstance(await desk.type(await desk.step(), each), PasswordRefused)
    desk.house.clock.turn(seconds=60)
    assert isinstance(await desk.type(await desk.step(), desk.code), Proven)


async def test_wrong_codes_lock_and_the_password_alone_clears_nothing(desk: Desk) -> None:
    # SX-16: whoever knows the password gets ten guesses of the code, not ten a sign-in
    for _ in range(10):
        refused = await desk.type(await desk.step(), "000000")
        assert isinstance(refused, PasswordRefused)
    with pytest.raises(SignInRefused):
        await desk.password()
    assert await desk.outcomes() == {"factor_asked": 10, "failed": 10, "locked": 1}
    assert (await desk.events()).count("member.locked") == 1


async def test_a_locked_step_takes_no_right_code(desk: Desk) -> None:
    step = await desk.step()
    for _ in range(10):
        await desk.type(step, "000000")
    refused = await desk.type(step, desk.code)
    assert isinstance(refused, PasswordRefused)
    assert refused.faults == {"code": "locked"}


@pytest.mark.load
async def test_of_sixteen_uses_of_one_code_one_wins(desk: Desk) -> None:
    # RELIABILITY 4
    await set_here(desk.house, login_failures=100)
    steps = [await desk.step() for _ in range(MANY)]
    fared = await asyncio.gather(*(desk.type(each, desk.code) for each in steps))
    assert Counter(type(each) for each in fared) == {Proven: 1, PasswordRefused: MANY - 1}
    step, recovery = await desk.step(), desk.recovery[0]
    told = await asyncio.gather(
        *(desk.type(step, recovery) for _ in range(MANY)), return_exceptions=True
    )
    assert Counter(type(each) for each in told) == {Proven: 1, SignInRefused: MANY - 1}


@pytest.mark.load
async def test_of_sixteen_uses_of_one_recovery_code_one_wins(desk: Desk) -> None:
    # RELIABILITY 4: also where nobody holds the member's row
    async def use() -> bool:
        async with desk.house.transactions.work() as work:
            return await is_code_right(work, desk.anna, desk.recovery[0], OPERATOR)

    assert sum(await asyncio.gather(*(use() for _ in range(MANY)))) == 1

    async def use_app() -> bool:
        async with desk.house.transactions.work() as work:
            return await is_code_right(work, desk.anna, desk.code, OPERATOR)

    assert sum(await asyncio.gather(*(use_app() for _ in range(MANY)))) == 1


async def test_a_recovery_code_is_good_once_whatever_its_form(desk: Desk) -> None:
    typed = f" {desk.recovery[3].upper()[:8]}-{desk.recovery[3][8:]} "
    assert isinstance(await desk.type(await desk.step(), typed), Proven)
    assert isinstance(await desk.type(await desk.step(), typed), PasswordRefused)
    used = [e for e in await desk.house.all(AuditRow) if e.event == "member.recovery_code_used"]
    assert [each.details for each in used] == [{"left": 9}]
    rows = await desk.house.all(RecoveryCodeRow)
    assert len(rows) == 10
    assert not {each.digest for each in rows} & set(desk.recovery)


async def test_a_recovery_code_is_of_its_member_alone(desk: Desk) -> None:
    ben = await make_member(desk.house, "ben@office.example", "Ben Okri")
    await give_phone(desk.house, ben)
    async with desk.house.transactions.work() as work:
        assert not await is_code_right(work, ben, desk.recovery[0], OPERATOR)


async def test_a_step_is_taken_once_and_ends(desk: Desk) -> None:
    step = await desk.step()
    assert isinstance(await desk.type(step, desk.code), Proven)
    with pytest.raises(SignInRefused):
        await desk.type(step, desk.recovery[0])
    late = await desk.step()
    desk.house.clock.turn(minutes=5)
    with pytest.raises(SignInRefused):
        await desk.type(late, desk.code)


async def test_a_new_password_ends_steps_of_the_old_one(desk: Desk) -> None:
    first = await desk.signed_in()
    step, secret = await desk.step(), getattr(first.begun, "secret", "")
    desk.house.clock.turn(seconds=30)
    change = ChangePassword(desk.house.workspace_id, secret, PASSWORD, "another horse battery")
    await change_password(desk.house.transactions, change)
    with pytest.raises(SignInRefused):
        await desk.type(step, desk.code)


async def test_limits_and_somebody_else_are_told_after_the_code_alone(desk: Desk) -> None:
    # SH-5, EX-4
    await set_here(desk.house, session_allow_concurrent=True, session_concurrent_limit=1)
    await desk.signed_in()
    desk.house.clock.turn(seconds=30)
    assert isinstance((await desk.signed_in()).begun, SessionLimitReached)
    await make_member(desk.house, "ben@office.example", "Ben Okri")
    bens = PasswordSignIn(desk.house.workspace_id, "ben@office.example", PASSWORD, Browser())
    secret = (await sign_in(desk.house.transactions, bens)).secret
    desk.house.clock.turn(seconds=30)
    typed = CodeTyped(desk.house.workspace_id, await desk.step(), desk.code, Browser(secret))
    async with desk.house.transactions.work() as work:
        proven = await sign_in_with_code(work, typed)
    assert isinstance(proven, Proven)
    assert isinstance(proven.begun, SomebodyElseSignedIn)


async def test_off_asks_nobody(desk: Desk) -> None:
    await set_here(desk.house, login_second_factor="off")
    assert (await desk.password()).session is not None


# Where one is required.


async def test_who_has_none_sets_one_up_before_getting_in(bare: Desk) -> None:
    await set_here(bare.house, login_second_factor="required")
    with pytest.raises(SecondFactorAsked) as asked:
        await bare.password()
    assert asked.value.enrols
    phone = await newest_phone(bare.house)
    right = phone.code(bare.house.clock.now)
    for code, kind in (("000000", PasswordRefused), (right, Proven)):
        typed = CodeTyped(bare.house.workspace_id, asked.value.step, code, Browser())
        async with bare.house.transactions.work() as work:
            proven = await sign_in_enrolling(work, typed)
        assert isinstance(proven, kind)
    assert isinstance(proven, Proven)
    assert len(set(proven.recovery_codes)) == 10
    assert "member.second_factor_added" in await bare.events()
    bare.phone = phone
    assert isinstance(await bare.type(await bare.step(), right), PasswordRefused)


async def test_an_enrolment_of_another_sign_in_replaces_no_factor(bare: Desk) -> None:
    # Who knew the password alone, and was there first, does not take the place of the owner's app.
    await set_here(bare.house, login_second_factor="required")
    with pytest.raises(SecondFactorAsked) as asked:
        await bare.password()
    stranger = await newest_phone(bare.house)
    await give_phone(bare.house, bare.anna)
    typed = CodeTyped(
        bare.house.workspace_id, asked.value.step, stranger.code(bare.house.clock.now), Browser()
    )
    async with bare.house.transactions.work() as work:
        with pytest.raises(SignInRefused):
            await sign_in_enrolling(work, typed)


# Programs.


async def test_a_program_sends_the_code_along(desk: Desk) -> None:
    browser = Browser(name="crm", takes_tokens=True)

    async def ask(code: str) -> Any:
        wanted = PasswordSignIn(desk.house.workspace_id, EMAIL, PASSWORD, browser, code=code)
        return await sign_in(desk.house.transactions, wanted)

    with pytest.raises(SecondFactorAsked) as asked:
        await ask("")
    assert asked.value.step == ""
    with pytest.raises(SignInRefused):
        await ask("000000")
    assert (await ask(desk.code)).tokens is not None
    with pytest.raises(SignInRefused):
        await ask(desk.code)
    assert await desk.outcomes() == {"factor_asked": 1, "failed": 2, "signed_in": 1}


# Trusted browsers.


async def test_a_trusted_browser_is_asked_for_the_password_alone(desk: Desk) -> None:
    # SH-11
    trusted = await desk.trusted()
    (row,) = await desk.house.all(TrustedDeviceRow)
    assert trusted.secret not in row.digest
    assert row.browser == "Chromium"
    assert (await desk.password(trusted.secret)).session is not None
    wrong = PasswordSignIn(
        desk.house.workspace_id, EMAIL, "wrong", Browser(trusted=(trusted.secret,))
    )
    with pytest.raises(SignInRefused):
        await sign_in(desk.house.transactions, wrong)
    with pytest.raises(SecondFactorAsked):
        await desk.password("another")
    desk.house.clock.now = row.expires_at - timedelta(seconds=1)
    assert (await desk.password(trusted.secret)).session is not None
    desk.house.clock.turn(seconds=1)
    with pytest.raises(SecondFactorAsked):
        await desk.password(trusted.secret)


async def test_trust_lasts_as_long_as_was_stated(desk: Desk) -> None:
    # SH-20
    await set_here(desk.house, token_trusted_device=2 * 86400)
    trusted = await desk.trusted()
    assert trusted.lasts == timedelta(days=2)
    await set_here(desk.house, token_trusted_device=30 * 86400)
    desk.house.clock.turn(days=2)
    with pytest.raises(SecondFactorAsked):
        await desk.password(trusted.secret)


async def test_a_browser_is_trusted_by_its_member_alone(desk: Desk) -> None:
    trusted = await desk.trusted()
    ben = await make_member(desk.house, "ben@office.example", "Ben Okri")
    await give_phone(desk.house, ben)
    browser = Browser(trusted=(trusted.secret,))
    wanted = PasswordSignIn(desk.house.workspace_id, "ben@office.example", PASSWORD, browser)
    with pytest.raises(SecondFactorAsked):
        await sign_in(desk.house.transactions, wanted)


async def test_disabling_a_new_password_and_another_factor_end_trust(desk: Desk) -> None:
    house = desk.house
    await make_member(house, "ben@office.example", "Ben Okri")
    first = await desk.trusted()
    async with house.transactions.work() as work:
        await disable_member(work, house.workspace_id, desk.anna.id, OPERATOR)
    async with house.transactions.work() as work:
        await enable_member(work, house.workspace_id, desk.anna.id, OPERATOR)
    with pytest.raises(SecondFactorAsked):
        await desk.password(first.secret)
    second = await desk.trusted()
    begun = await desk.password(second.secret)
    change = ChangePassword(house.workspace_id, begun.secret, PASSWORD, "another horse battery")
    await change_password(house.transactions, change)
    assert await house.all(TrustedDeviceRow) == []
    async with house.transactions.work() as work:
        member = await member_by_id(work.db, house.workspace_id, desk.anna.id, lock=True)
        assert member is not None
        member.password = await hashed(PASSWORD)
    await desk.trusted()
    desk.phone, _ = await give_phone(house, desk.anna)
    assert await house.all(TrustedDeviceRow) == []


def passkey_of(member: MemberRow, at: datetime) -> PasskeyRow:
    return PasskeyRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        credential="c",
        public_key=b"k",
        created_at=at,
    )


async def test_a_deleted_account_leaves_no_factor(desk: Desk) -> None:
    house = desk.house
    await desk.trusted()
    async with house.transactions.work() as work:
        work.db.add(passkey_of(desk.anna, work.at))
    await make_member(house, "root@office.example", "Root")
    async with house.transactions.work() as work:
        member = await member_by_id(work.db, house.workspace_id, desk.anna.id, lock=True)
        assert member is not None
        link = await make_link(work, member, LinkKind.DELETE_ACCOUNT)
        token = work.keyring.member_link_token(link.id, link.key_version)
    async with house.transactions.work() as work:
        await delete_account(work, house.workspace_id, token)
    tables: tuple[Any, ...] = (
        SecondFactorRow,
        RecoveryCodeRow,
        TrustedDeviceRow,
        KnownDeviceRow,
        PasskeyRow,
    )
    for table in tables:
        assert await house.all(table) == [], table


async def test_an_administrator_resets_everything(desk: Desk) -> None:
    house = desk.house
    await desk.trusted()
    async with house.transactions.work() as work:
        work.db.add(passkey_of(desk.anna, work.at))
    async with house.transactions.work() as work:
        await reset_factor(work, house.workspace_id, desk.anna.id, OPERATOR)
        await reset_factor(work, house.workspace_id, desk.anna.id, OPERATOR)
    tables: tuple[Any, ...] = (SecondFactorRow, RecoveryCodeRow, TrustedDeviceRow, PasskeyRow)
    for table in tables:
        assert await house.all(table) == [], table
    assert (await desk.events()).count("member.second_factor_reset") == 1
    assert (await desk.password()).session is not None
    async with house.transactions.work() as work:
        with pytest.raises(NotFound):
            await reset_factor(work, desk.anna.id, desk.anna.id, OPERATOR)


async def test_another_password_forgives_no_wrong_code(desk: Desk) -> None:
    # SX-16: not by changing it, not by the link of the mailbox
    secret = (await desk.signed_in()).begun
    assert isinstance(secret, Begun)
    for _ in range(5):
        assert isinstance(await desk.type(await desk.step(), "000000"), PasswordRefused)
    workspace = desk.house.workspace_id
    wanted = ChangePassword(workspace, secret.secret, PASSWORD, PASSWORD[::-1])
    await change_password(desk.house.transactions, wanted)
    assert (await desk.now()).failures == 5
    kept = await hashed(PASSWORD)
    async with desk.house.transactions.work() as work:
        link = await make_link(work, desk.anna, LinkKind.FORGOT_PASSWORD)
        token = work.keyring.member_link_token(link.id, link.key_version)
        await set_password(work, workspace, token, kept)
    assert (await desk.now()).failures == 5


@pytest.mark.parametrize("how", ["reset", "disabled"])
async def test_a_half_done_sign_in_ends_with_the_sessions(desk: Desk, how: str) -> None:
    step = await desk.step()
    await make_member(desk.house, "ben@office.example", "Ben")
    async with desk.house.transactions.work() as work:
        if how == "reset":
            await reset_factor(work, desk.house.workspace_id, desk.anna.id, OPERATOR)
        else:
            await disable_member(work, desk.house.workspace_id, desk.anna.id, OPERATOR)
            await enable_member(work, desk.house.workspace_id, desk.anna.id, OPERATOR)
    with pytest.raises(SignInRefused):
        await desk.type(step, desk.code)


async def test_enrolling_opens_no_locked_account(bare: Desk) -> None:
    await set_here(bare.house, login_second_factor="required", login_failures=3)
    with pytest.raises(SecondFactorAsked) as asked:
        await bare.password()
    phone = await newest_phone(bare.house)
    browser = Browser(name="Chromium")
    for _ in range(3):
        wanted = PasswordSignIn(bare.house.workspace_id, EMAIL, "wrong", browser)
        with pytest.raises(SignInRefused):
            await sign_in(bare.house.transactions, wanted)
    code = phone.code(bare.house.clock.now)
    typed = CodeTyped(bare.house.workspace_id, asked.value.step, code, browser)
    async with bare.house.transactions.work() as work:
        assert isinstance(await sign_in_enrolling(work, typed), PasswordRefused)
