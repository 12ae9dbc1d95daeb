"""Signing in, and what becomes of sessions, on a real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from commands.account_deletion import AskDeletion, ask_deletion
from commands.member import (
    actor_of,
    change_role,
    disable_member,
    enable_member,
    invite_member,
    set_password,
    unlock_member,
)
from commands.member_session import (
    Begun,
    Browser,
    SessionTarget,
    SignedIn,
    end_sessions_of,
    kill_session,
    log_out,
    recognise_member,
    stay_connected,
)
from commands.member_session_sweep import delete_kept, delete_timed_out
from commands.password import hashed
from commands.password_change import ChangePassword, change_password
from commands.reauthentication import Proof
from commands.second_factor_change import begin_setting_up
from commands.setting import ChangeSettings, change_settings
from commands.sign_in import PasswordSignIn, sign_in, sign_in_anyway, sign_in_instead
from domain.actor import OPERATOR
from domain.errors import NotFound
from domain.member import MemberFields, Role
from domain.member_errors import (
    LastAdministrator,
    LinkOver,
    MemberExists,
    MemberInvalid,
    SessionLimitReached,
    SettingRefused,
    SignedOut,
    SignInRefused,
    SomebodyElseSignedIn,
)
from domain.member_session import MemberSessionEnd
from store.access import LoginRow
from store.audit import AuditRow
from store.mail import MailRow
from store.member import MemberRow, member_by_id
from store.member_session import MemberSessionRow, count_living, sessions_shown
from store.second_factor import SecondFactorRow
from tests.rooms.house import Clock, House, bare_house
from tests.rooms.works import eventually

PASSWORD = "correct horse battery"
EMAIL = "anna@office.example"
WAITERS = text("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")


@dataclass(slots=True)
class Office:
    """A workspace with Anna, who has a password."""

    house: House
    clock: Clock
    anna: MemberRow
    kept: str

    async def sign_in(
        self, password: str = PASSWORD, secret: str = "", email: str = EMAIL
    ) -> Begun:
        browser = Browser(secret, "Chromium on Linux")
        wanted = PasswordSignIn(self.house.workspace_id, email, password, browser)
        return await sign_in(self.house.transactions, wanted)

    async def signed_in(self, secret: str = "") -> str:
        return (await self.sign_in(secret=secret)).secret

    async def recognised(self, secret: str, *, acting: bool = True) -> SignedIn | SignedOut:
        async with self.house.transactions.work() as work:
            return await recognise_member(work, self.house.workspace_id, secret, acting=acting)

    async def reason(self, secret: str) -> str | None:
        found = await self.recognised(secret, acting=False)
        return found.reason if isinstance(found, SignedOut) else None

    async def set(self, **values: Any) -> None:
        named = {name.replace("_", ".", 1): value for name, value in values.items()}
        async with self.house.transactions.work() as work:
            await change_settings(work, ChangeSettings(self.house.workspace_id, named, OPERATOR))

    async def living(self) -> int:
        async with self.house.transactions.work() as work:
            return await count_living(work.db, self.anna.id, work.at)

    async def logins(self) -> list[str]:
        return [each.outcome for each in await self.house.all(LoginRow)]

    async def events(self) -> list[str]:
        return [each.event for each in await self.house.all(AuditRow)]


@pytest_asyncio.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    clock = Clock()
    # Fifty may wait for one row; on a busy machine that takes longer than in life.
    patience = timedelta(seconds=10)
    async with bare_house(database_url, clock=clock, database_lock_timeout=patience) as house:
        kept = await hashed(PASSWORD)
        anna = await member(house, EMAIL, Role.ADMIN, kept)
        yield Office(house, clock, anna, kept)


async def member(house: House, email: str, role: Role, kept: str) -> MemberRow:
    async with house.transactions.work() as work:
        fields = MemberFields(email, "Anna Berg", role)
        invited = await invite_member(work, house.workspace_id, fields, OPERATOR)
    async with house.transactions.work() as work:
        token = work.keyring.member_link_token(invited.link.id, invited.link.key_version)
        return await set_password(work, house.workspace_id, token, kept)


async def test_the_right_password_begins_a_session(office: Office) -> None:
    # EX-2, EE-17, EE-18
    secret = await office.signed_in()
    found = await office.recognised(secret)
    assert isinstance(found, SignedIn)
    assert found.member.id == office.anna.id
    assert secret not in found.session.digest
    assert await office.logins() == ["signed_in"]
    assert "member_session.started" in await office.events()


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@office.example", PASSWORD), ("", "")]
)
async def test_wrong_ones_are_refused_alike(office: Office, email: str, password: str) -> None:
    with pytest.raises(SignInRefused):
        await office.sign_in(password, email=email)
    assert await office.logins() == ["failed"]
    (row,) = await office.house.all(LoginRow)
    assert (row.member_id is None) == (email != EMAIL)


async def test_an_address_is_itself_whatever_its_capitals(office: Office) -> None:
    assert (await office.sign_in(email=" ANNA@Office.example ")).session is not None


async def test_ten_wrong_ones_lock_and_an_administrator_unlocks(office: Office) -> None:
    # SX-16
    for _ in range(10):
        with pytest.raises(SignInRefused):
            await office.sign_in("wrong")
    with pytest.raises(SignInRefused):
        await office.sign_in()
    assert Counter(await office.logins()) == {"failed": 10, "locked": 1}
    assert (await office.events()).count("member.locked") == 1
    async with office.house.transactions.work() as work:
        await unlock_member(work, office.house.workspace_id, office.anna.id, OPERATOR)
    assert (await office.sign_in()).session is not None


async def test_a_lock_opens_by_itself(office: Office) -> None:
    for _ in range(10):
        with pytest.raises(SignInRefused):
            await office.sign_in("wrong")
    office.clock.turn(minutes=14, seconds=59)
    with pytest.raises(SignInRefused):
        await office.sign_in()
    office.clock.turn(seconds=1)
    assert (await office.sign_in()).session is not None


async def test_fifty_guesses_at_once_are_ten(office: Office) -> None:
    guesses = [office.sign_in(PASSWORD if each == 49 else "wrong") for each in range(50)]
    fared = await asyncio.gather(*guesses, return_exceptions=True)
    outcomes = Counter(await office.logins())
    assert outcomes["failed"] <= 10
    assert sum(isinstance(each, SignInRefused) for each in fared) >= 49


async def test_the_most_recent_session_wins(office: Office) -> None:
    # EE-9, EE-10: a private window is another session
    first, second = await office.signed_in(), await office.signed_in()
    assert await office.reason(first) == "displaced"
    assert await office.reason(second) is None
    assert await office.living() == 1


@pytest.mark.load
@pytest.mark.parametrize("allowed", [False, True])
async def test_fifty_at_once_are_never_one_too_many(office: Office, allowed: bool) -> None:
    # SH-5: and a limit that is reached counts as no wrong password
    await office.set(session_allow_concurrent=allowed)
    fared = await asyncio.gather(*(office.sign_in() for _ in range(50)), return_exceptions=True)
    kinds = Counter(type(each).__name__ for each in fared)
    begun = 5 if allowed else 50
    assert kinds["Begun"] == begun
    assert kinds.get("SessionLimitReached", 0) == 50 - begun
    assert await office.living() == (5 if allowed else 1)
    assert office.anna.failures == 0


async def test_the_sixth_is_refused_and_may_end_another(office: Office) -> None:
    # SH-5, SH-6
    await office.set(session_allow_concurrent=True)
    for _ in range(5):
        await office.signed_in()
    with pytest.raises(SessionLimitReached) as refused:
        await office.sign_in()
    assert refused.value.limit == 5
    async with office.house.transactions.work() as work:
        shown = await sessions_shown(work.db, office.house.workspace_id, work.at, office.anna.id)
    async with office.house.transactions.work() as work:
        begun = await sign_in_instead(
            work, office.house.workspace_id, refused.value.step, shown[-1].id, Browser()
        )
    assert isinstance(begun, Begun)
    assert await office.living() == 5
    async with office.house.transactions.work() as work:
        with pytest.raises(SignInRefused):
            await sign_in_instead(
                work, office.house.workspace_id, refused.value.step, shown[0].id, Browser()
            )


async def test_an_idle_session_ends_and_its_row_goes_at_once(office: Office) -> None:
    # SH-3, SH-13, EX-6, EX-7
    secret = await office.signed_in()
    office.clock.turn(minutes=5, seconds=14)
    assert await office.reason(secret) is None
    office.clock.turn(seconds=1)
    assert await office.reason(secret) == "inactive"
    assert await office.house.all(MemberSessionRow) == []
    assert "member_session.ended" in await office.events()
    office.clock.turn(minutes=-10)
    assert await office.reason(secret) == ""


async def test_an_end_is_one_end_whichever_tabs_come_at_once(office: Office) -> None:
    # EE-7: eight tabs ask at the end, and others log out in the same moment
    secret = await office.signed_in()
    office.clock.turn(minutes=6)
    reasons = await asyncio.gather(*(office.reason(secret) for _ in range(8)))
    assert set(reasons) <= {"inactive", ""}
    assert (await office.events()).count("member_session.ended") == 1
    secret = await office.signed_in()
    office.clock.turn(minutes=1)
    await asyncio.gather(
        *(leave(office, secret) for _ in range(4)), *(office.recognised(secret) for _ in range(8))
    )
    assert (await office.events()).count("member_session.ended") == 2
    assert await office.reason(secret) == ""


async def leave(office: Office, secret: str) -> None:
    async with office.house.transactions.work() as work:
        found = await recognise_member(work, office.house.workspace_id, secret, acting=False)
        if isinstance(found, SignedIn):
            await log_out(work, found, actor_of(found.member))


async def test_a_refused_sign_in_leaves_what_was_open_here(office: Office) -> None:
    # SH-5, EX-4: the session of this browser ends for one that begins, and for nothing else
    await office.set(session_allow_concurrent=True, session_concurrent_limit=1)
    ben = await member(office.house, "ben@office.example", Role.AUDITOR, office.kept)
    annas = await office.signed_in()
    await office.sign_in(email=ben.email)
    with pytest.raises(SomebodyElseSignedIn) as warned:
        await office.sign_in(secret=annas, email=ben.email)
    async with office.house.transactions.work() as work:
        refused = await sign_in_anyway(
            work, office.house.workspace_id, warned.value.step, Browser(annas)
        )
    assert isinstance(refused, SessionLimitReached)
    assert await office.reason(annas) is None


async def test_staying_connected_and_any_request_keep_it(office: Office) -> None:
    # SH-2, SX-3
    secret = await office.signed_in()
    for _ in range(3):
        office.clock.turn(minutes=5)
        async with office.house.transactions.work() as work:
            await stay_connected(work, office.house.workspace_id, secret)
        office.clock.turn(minutes=5)
        assert isinstance(await office.recognised(secret), SignedIn)


async def test_activity_never_moves_the_absolute_end(office: Office) -> None:
    # EE-1, EE-2
    await office.set(session_absolute_timeout=300)
    secret = await office.signed_in()
    office.clock.turn(seconds=299)
    assert isinstance(await office.recognised(secret), SignedIn)
    office.clock.turn(seconds=1)
    assert await office.reason(secret) == "absolute_timeout"


async def test_without_the_absolute_end_activity_is_enough(office: Office) -> None:
    # EE-1
    await office.set(session_limit_absolutely=False)
    secret = await office.signed_in()
    for _ in range(30):
        office.clock.turn(minutes=5)
        assert await office.reason(secret) is None
        await office.recognised(secret)


async def test_a_setting_counts_for_what_begins_afterwards(office: Office) -> None:
    # SH-20
    before = await office.signed_in()
    await office.set(session_idle_warning_after=3600, session_allow_concurrent=True)
    after = await office.signed_in()
    office.clock.turn(minutes=6)
    assert await office.reason(before) == "inactive"
    assert await office.reason(after) is None


async def test_a_killed_one_is_kept_four_hours(office: Office) -> None:
    # SH-14, SH-19, C10: its row stays, its access does not
    secret = await office.signed_in()
    found = await office.recognised(secret)
    assert isinstance(found, SignedIn)
    target = SessionTarget(office.house.workspace_id, found.session.id, OPERATOR)
    for _ in range(2):
        async with office.house.transactions.work() as work:
            await kill_session(work, target)
    assert await office.reason(secret) == "killed"
    assert await office.living() == 0
    office.clock.turn(hours=3, minutes=59)
    assert await sweep(office) == 0
    office.clock.turn(minutes=1)
    assert await sweep(office) == 1
    assert await office.house.all(MemberSessionRow) == []


async def sweep(office: Office) -> int:
    async with office.house.transactions.work() as work:
        return await delete_timed_out(work, 100) + await delete_kept(work, 100)


async def test_housekeeping_deletes_what_nobody_came_back_to(office: Office) -> None:
    # SH-13, C5
    await office.signed_in()
    office.clock.turn(minutes=6)
    assert await sweep(office) == 1
    assert "member_session.ended" in await office.events()


async def test_logging_out_ends_this_browser_alone(office: Office) -> None:
    # EX-3, EE-8
    await office.set(session_allow_concurrent=True)
    here, there = await office.signed_in(), await office.signed_in()
    found = await office.recognised(here)
    assert isinstance(found, SignedIn)
    async with office.house.transactions.work() as work:
        again = await recognise_member(work, office.house.workspace_id, here, acting=True)
        assert isinstance(again, SignedIn)
        await log_out(work, again, actor_of(again.member))
    assert await office.reason(here) == ""
    assert await office.reason(there) is None


async def test_another_person_in_this_browser_ends_the_one_before(office: Office) -> None:
    # EX-4, EE-18: and the browser has a new secret
    await member(office.house, "ben@office.example", Role.AUDITOR, office.kept)
    annas = await office.signed_in()
    with pytest.raises(SomebodyElseSignedIn) as warned:
        await office.sign_in(secret=annas, email="ben@office.example")
    assert warned.value.name == "Anna Berg"
    assert await office.reason(annas) is None
    browser, workspace = Browser(annas), office.house.workspace_id
    async with office.house.transactions.work() as work:
        begun = await sign_in_anyway(work, workspace, warned.value.step, browser)
    assert isinstance(begun, Begun)
    bens = begun.secret
    assert bens != annas
    assert await office.reason(annas) == ""
    found = await office.recognised(bens)
    assert isinstance(found, SignedIn)
    assert found.member.email == "ben@office.example"
    reasons = [row.details.get("reason") for row in await office.house.all(AuditRow)]
    assert "different_user" in reasons


async def test_who_signed_in_unchecked_stays_until_the_end(office: Office) -> None:
    # EE-19
    await office.set(session_check_concurrency=False)
    early = [await office.signed_in() for _ in range(7)]
    await office.set(session_check_concurrency=True)
    first, second = await office.signed_in(), await office.signed_in()
    assert [await office.reason(each) for each in early] == [None] * 7
    assert (await office.reason(first), await office.reason(second)) == ("displaced", None)


async def test_a_disabled_member_is_out_at_once(office: Office) -> None:
    # ASVS 7.4.2
    other = await member(office.house, "ben@office.example", Role.ADMIN, office.kept)
    secret = (await office.sign_in(email=other.email)).secret
    async with office.house.transactions.work() as work:
        await disable_member(work, office.house.workspace_id, other.id, OPERATOR)
    assert await office.reason(secret) == "killed"
    with pytest.raises(SignInRefused):
        await office.sign_in(email=other.email)
    async with office.house.transactions.work() as work:
        await enable_member(work, office.house.workspace_id, other.id, OPERATOR)
    assert (await office.sign_in(email=other.email)).session is not None


async def test_the_last_administrator_stays(office: Office) -> None:
    workspace, anna = office.house.workspace_id, office.anna.id
    async with office.house.transactions.work() as work:
        with pytest.raises(LastAdministrator):
            await change_role(work, workspace, anna, Role.AUDITOR, OPERATOR)
        with pytest.raises(LastAdministrator):
            await disable_member(work, workspace, anna, OPERATOR)
    ben = await member(office.house, "ben@office.example", Role.ADMIN, office.kept)
    outcomes = await asyncio.gather(
        *(demote(office, each) for each in (anna, ben.id)), return_exceptions=True
    )
    assert sum(isinstance(each, LastAdministrator) for each in outcomes) == 1


async def demote(office: Office, member_id: Any) -> None:
    async with office.house.transactions.work() as work:
        await change_role(work, office.house.workspace_id, member_id, Role.PUBLISHER, OPERATOR)


async def test_an_invitation_is_good_once_and_for_an_hour(office: Office) -> None:
    # SH-7
    workspace = office.house.workspace_id
    fields = MemberFields("cleo@office.example", "Cleo", Role.PUBLISHER)
    async with office.house.transactions.work() as work:
        first = await invite_member(work, workspace, fields, OPERATOR)
        token = work.keyring.member_link_token(first.link.id, first.link.key_version)
        again = await invite_member(work, workspace, fields, OPERATOR)
        later = work.keyring.member_link_token(again.link.id, again.link.key_version)
    async with office.house.transactions.work() as work:
        await set_password(work, workspace, token, office.kept)
    for each in (token, later):
        async with office.house.transactions.work() as work:
            with pytest.raises(LinkOver):
                await set_password(work, workspace, each, office.kept)
    with pytest.raises(MemberExists):
        async with office.house.transactions.work() as work:
            await invite_member(work, workspace, fields, OPERATOR)
    async with office.house.transactions.work() as work:
        late = await invite_member(
            work, workspace, MemberFields("dan@office.example", "Dan", Role.AUDITOR), OPERATOR
        )
        token = work.keyring.member_link_token(late.link.id, late.link.key_version)
    office.clock.turn(minutes=60)
    async with office.house.transactions.work() as work:
        with pytest.raises(LinkOver):
            await set_password(work, workspace, token, office.kept)


async def test_sixteen_uses_of_one_link_at_once_are_one(office: Office) -> None:
    fields = MemberFields("eve@office.example", "Eve", Role.PUBLISHER)
    async with office.house.transactions.work() as work:
        made = await invite_member(work, office.house.workspace_id, fields, OPERATOR)
        token = work.keyring.member_link_token(made.link.id, made.link.key_version)

    async def use() -> None:
        async with office.house.transactions.work() as work:
            await set_password(work, office.house.workspace_id, token, office.kept)

    fared = await asyncio.gather(*(use() for _ in range(16)), return_exceptions=True)
    assert Counter(type(each).__name__ for each in fared) == {"NoneType": 1, "LinkOver": 15}


async def test_bad_fields_are_named(office: Office) -> None:
    async with office.house.transactions.work() as work:
        with pytest.raises(MemberInvalid) as refused:
            await invite_member(
                work, office.house.workspace_id, MemberFields("x", "", Role.ADMIN, "?"), OPERATOR
            )
    assert [each.pointer for each in refused.value.faults] == ["/email", "/name", "/locale"]


async def test_sessions_of_others_are_not_ones_own(office: Office) -> None:
    secret = await office.signed_in()
    found = await office.recognised(secret)
    assert isinstance(found, SignedIn)
    ben = await member(office.house, "ben@office.example", Role.AUDITOR, office.kept)
    target = SessionTarget(office.house.workspace_id, found.session.id, actor_of(ben), owner=ben.id)
    async with office.house.transactions.work() as work:
        with pytest.raises(NotFound):
            await kill_session(work, target)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("session.concurrent_limit", 6, "from 1 to 5"),
        ("session.idle_warning_after", 59, "from 60"),
        ("session.idle_warning_after", "5", "whole number"),
        ("session.idle_warning_after", True, "whole number"),
        ("session.allow_concurrent", 1, "on or off"),
        ("session.overflow", "keep_most_recent", "one of"),
        ("code.digits", 8, "whoever runs the installation"),
        ("code.lives", 600, "not a setting"),
    ],
)
async def test_settings_name_their_limits(
    office: Office, name: str, value: Any, words: str
) -> None:
    async with office.house.transactions.work() as work:
        wanted = ChangeSettings(office.house.workspace_id, {name: value}, OPERATOR)
        with pytest.raises(SettingRefused) as refused:
            await change_settings(work, wanted)
    assert words in refused.value.faults[0].message


async def test_a_setting_is_taken_back(office: Office) -> None:
    await office.set(session_idle_warning_after=3600)
    await office.set(session_idle_warning_after=None)
    secret = await office.signed_in()
    office.clock.turn(minutes=5, seconds=15)
    assert await office.reason(secret) == "inactive"


async def _does_anybody_wait(house: House) -> bool:
    async with house.engine.connect() as connection:
        return bool((await connection.execute(WAITERS)).scalar_one())


async def _changes(office: Office, secret: str) -> None:
    wanted = ChangePassword(office.house.workspace_id, secret, PASSWORD, "another horse battery")
    await change_password(office.house.transactions, wanted)


async def _asks_deletion(office: Office, secret: str) -> None:
    wanted = AskDeletion(office.house.workspace_id, secret, PASSWORD)
    await ask_deletion(office.house.transactions, wanted)


async def _sets_up_a_factor(office: Office, secret: str) -> None:
    await begin_setting_up(
        office.house.transactions, Proof(office.house.workspace_id, secret, PASSWORD, "")
    )


@pytest.mark.parametrize("acts", [_changes, _asks_deletion, _sets_up_a_factor])
async def test_a_session_that_ends_while_its_lock_is_waited_for_acts_no_more(
    office: Office, acts: Callable[[Office, str], Coroutine[Any, Any, None]]
) -> None:
    # ASVS 7.4.1
    await member(office.house, "ben@office.example", Role.ADMIN, office.kept)
    secret, mails = await office.signed_in(), len(await office.house.all(MailRow))
    async with office.house.transactions.work() as work:
        workspace_id = office.house.workspace_id
        anna = await member_by_id(work.db, workspace_id, office.anna.id, lock=True)
        assert anna is not None
        acting = asyncio.create_task(acts(office, secret))
        await eventually(partial(_does_anybody_wait, office.house))
        assert await end_sessions_of(work, anna, MemberSessionEnd.KILLED, OPERATOR) == 1
    with pytest.raises(SignedOut):
        await acting
    (found,) = [each for each in await office.house.all(MemberRow) if each.id == office.anna.id]
    assert (found.password, len(await office.house.all(MailRow))) == (office.kept, mails)
    assert await office.house.all(SecondFactorRow) == []
