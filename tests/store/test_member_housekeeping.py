"""What housekeeping removes of members' sign-ins, and what it must leave (SH-13, SH-14)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import select

from activities.housekeeping import STEPS, HousekeepingActivities
from adapters.objects import ObjectStore
from adapters.temporal import Telegraph
from commands.access import Visit, note_visit
from commands.known_device import note_device
from commands.member import invite_member, set_password
from commands.member_session import Browser, SessionTarget, kill_session
from commands.password import hashed
from commands.second_factor import begin_enrolment
from commands.setting import ChangeSettings, change_settings
from commands.sign_in import PasswordSignIn, sign_in
from commands.trusted_device import trust_browser
from domain.actor import OPERATOR
from domain.housekeeping import Swept
from domain.member import MemberFields, Role
from domain.member_errors import SessionLimitReached
from domain.messages import SweepDue
from store.access import LoginRow, PageVisitRow
from store.audit import AuditRow
from store.known_device import KnownDeviceRow
from store.member import MemberRow
from store.member_link import MemberLinkRow
from store.member_session import MemberSessionRow
from store.member_token import MemberTokenRow
from store.passkey import answer_once
from store.sealed import opened
from store.second_factor import SecondFactorRow
from store.sign_in_step import SignInStepRow
from tests.rooms.authenticator import give_phone
from tests.rooms.house import House, bare_house

PASSWORD = "correct horse battery"
EMAIL = "anna@office.example"


class Silent(Telegraph):
    """A telegraph that nobody uses here."""

    def __init__(self) -> None:
        pass


@dataclass(slots=True)
class Kept:
    """A house with a member, and who keeps it."""

    house: House
    keeper: HousekeepingActivities

    async def sign_in(self, *, takes_tokens: bool = False) -> MemberSessionRow:
        browser = Browser(name="Chromium", takes_tokens=takes_tokens)
        wanted = PasswordSignIn(self.house.workspace_id, EMAIL, PASSWORD, browser)
        session = (await sign_in(self.house.transactions, wanted)).session
        assert session is not None
        return session

    async def sweep(self, step: str) -> int:
        swept: Swept = await getattr(self.keeper, step)(SweepDue(self.house.clock.now))
        return swept.count

    async def set(self, **values: Any) -> None:
        named = {name.replace("_", ".", 1): value for name, value in values.items()}
        wanted = ChangeSettings(self.house.workspace_id, named, OPERATOR)
        async with self.house.transactions.work() as work:
            await change_settings(work, wanted)


@pytest_asyncio.fixture
async def kept(database_url: str) -> AsyncIterator[Kept]:
    async with bare_house(database_url) as house:
        async with house.transactions.work() as work:
            fields = MemberFields(EMAIL, "Anna Berg", Role.ADMIN)
            invited = await invite_member(work, house.workspace_id, fields, OPERATOR)
        async with house.transactions.work() as work:
            token = work.keyring.member_link_token(invited.link.id, invited.link.key_version)
            await set_password(work, house.workspace_id, token, await hashed(PASSWORD))
        objects = ObjectStore.at(house.transactions.settings.object_store)
        yield Kept(house, HousekeepingActivities(house.transactions, Silent(), objects))


def test_new_steps_are_the_last_ones() -> None:
    """A run that was planned by an older release goes on where it was."""
    names = [each.__name__ for each in STEPS]
    assert names.index("end_member_sessions") == names.index("recheck_uploads") + 1


async def test_a_session_that_timed_out_goes_and_its_audit_row_stays(kept: Kept) -> None:
    # SH-13, C5
    await kept.sign_in()
    kept.house.clock.turn(minutes=5, seconds=14)
    assert await kept.sweep("end_member_sessions") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("end_member_sessions") == 1
    assert await kept.house.all(MemberSessionRow) == []
    ends = [e for e in await kept.house.all(AuditRow) if e.event == "member_session.ended"]
    assert [each.details["reason"] for each in ends] == ["inactive"]


async def test_a_killed_session_goes_after_four_hours(kept: Kept) -> None:
    # SH-14
    session = await kept.sign_in()
    async with kept.house.transactions.work() as work:
        await kill_session(work, SessionTarget(session.workspace_id, session.id, OPERATOR))
    kept.house.clock.turn(hours=4, seconds=-1)
    assert await kept.sweep("forget_member_sessions") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("forget_member_sessions") == 1
    assert await kept.house.all(MemberSessionRow) == []


async def test_tokens_go_with_their_session(kept: Kept) -> None:
    await kept.sign_in(takes_tokens=True)
    assert len(await kept.house.all(MemberTokenRow)) == 1
    kept.house.clock.turn(days=2)
    assert await kept.sweep("end_member_sessions") == 1
    assert await kept.house.all(MemberTokenRow) == []


async def test_tokens_of_a_family_that_ended_go(kept: Kept) -> None:
    await kept.sign_in(takes_tokens=True)
    kept.house.clock.turn(days=3)
    assert await kept.sweep("purge_member_tokens") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("purge_member_tokens") == 1


async def test_half_done_sign_ins_go_after_a_day(kept: Kept) -> None:
    await kept.set(session_allow_concurrent=True, session_concurrent_limit=1)
    await kept.sign_in()
    with pytest.raises(SessionLimitReached):
        await kept.sign_in()
    kept.house.clock.turn(days=1, minutes=5)
    assert await kept.sweep("purge_sign_ins") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("purge_sign_ins") == 1
    assert await kept.house.all(SignInStepRow) == []


async def test_keys_that_nobody_confirmed_go_after_a_day_and_confirmed_ones_stay(
    kept: Kept,
) -> None:
    (anna,) = await kept.house.all(MemberRow)
    await give_phone(kept.house, anna)
    async with kept.house.transactions.work() as work:
        shown = await begin_enrolment(work, anna, anna.id)
    kept.house.clock.now = shown.expires_at + timedelta(days=1)
    assert await kept.sweep("purge_second_factors") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("purge_second_factors") == 1
    (row,) = await kept.house.all(SecondFactorRow)
    assert row.confirmed_at is not None


async def test_trusted_browsers_go_a_day_after_their_end(kept: Kept) -> None:
    # SH-11
    (anna,) = await kept.house.all(MemberRow)
    async with kept.house.transactions.work() as work:
        lasts = (await trust_browser(work, anna, Browser(name="Chromium"))).lasts
    kept.house.clock.now += lasts + timedelta(days=1)
    assert await kept.sweep("purge_trusted_devices") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("purge_trusted_devices") == 1


async def test_where_nobody_signs_in_any_more_is_forgotten(kept: Kept) -> None:
    async with kept.house.transactions.work() as work:
        found = (await work.db.scalars(select(MemberRow))).all()
        (anna,) = await opened(work.db, found)
        await note_device(work, anna, anna.id, Browser(name="Chromium", device="a cookie"))
    (row,) = await kept.house.all(KnownDeviceRow)
    assert row.expires_at == kept.house.clock.now + timedelta(days=180)
    kept.house.clock.now = row.expires_at + timedelta(days=1)
    assert await kept.sweep("purge_known_devices") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("purge_known_devices") == 1


async def test_answered_questions_to_passkeys_go_a_day_after_their_end(kept: Kept) -> None:
    async with kept.house.transactions.work() as work:
        assert await answer_once(work.db, "digest", work.at)
        assert not await answer_once(work.db, "digest", work.at)
    kept.house.clock.turn(days=1)
    assert await kept.sweep("purge_passkey_answers") == 0
    kept.house.clock.turn(seconds=1)
    assert await kept.sweep("purge_passkey_answers") == 1


async def test_links_that_are_over_go_after_a_month_and_open_ones_stay(kept: Kept) -> None:
    # SH-18: until then a page says how to get a new one
    kept.house.clock.turn(days=30)
    assert await kept.sweep("purge_member_links") == 0
    kept.house.clock.turn(seconds=1)
    async with kept.house.transactions.work() as work:
        fields = MemberFields("new@office.example", "New", Role.AUDITOR)
        await invite_member(work, kept.house.workspace_id, fields, OPERATOR)
    assert await kept.sweep("purge_member_links") == 1
    assert len(await kept.house.all(MemberLinkRow)) == 1


async def test_reports_go_back_as_far_as_they_are_set(kept: Kept) -> None:
    await kept.sign_in()
    async with kept.house.transactions.work() as work:
        note_visit(work, Visit(kept.house.workspace_id, "Sessions"))
    settings = kept.house.transactions.settings
    kept.house.clock.now += settings.report_visits_kept_for + timedelta(seconds=1)
    assert await kept.sweep("purge_page_visits") == 1
    assert await kept.house.all(PageVisitRow) == []
    assert await kept.sweep("purge_logins") == 0
    kept.house.clock.now += settings.report_logins_kept_for
    assert await kept.sweep("purge_logins") == 1
    assert await kept.house.all(LoginRow) == []
