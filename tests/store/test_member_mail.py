"""Mails to members: composed when sent, withdrawn when over, kept and swept like all others."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from uuid import UUID

import pytest_asyncio
from sqlalchemy import delete
from sqlmodel import select

from activities.housekeeping import HousekeepingActivities
from adapters.objects import ObjectStore
from commands.forgotten_password import mail_new_password_link
from commands.mail import note_bounce, note_refused, note_retry, note_sent
from commands.mail_draft import compose_mail
from commands.member import disable_member, set_password, unlock_member
from commands.member_link import LinkKind
from commands.member_session import Browser
from commands.reconcile import restart_mail
from commands.sign_in import PasswordSignIn, sign_in
from domain.actor import OPERATOR
from domain.housekeeping import Swept
from domain.member_errors import SignInRefused
from domain.messages import SweepDue
from store.audit import AuditRow
from store.backlog import backlog
from store.intent import IntentRow
from store.mail import MailRow
from store.member import MemberRow, member_by_id
from store.member_link import MemberLinkRow
from store.sealed import OwnerKind
from tests.rooms.house import Clock, House, bare_house
from tests.rooms.members import invite, newest_link, register
from tests.store.test_housekeeping import Clerk

EMAIL = "anna@office.example"


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A house with a database of its own: housekeeping sweeps all of it."""
    async with bare_house(database_url, clock=Clock()) as house:
        yield house


async def composed(house: House, mail: UUID) -> tuple[EmailMessage | None, str]:
    async with house.transactions.work() as work:
        draft, state = await compose_mail(work, mail)
    return draft.message() if draft else None, state


def text_of(message: EmailMessage | None) -> str:
    assert message is not None
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def newest(house: House, kind: str) -> MailRow:
    return [each for each in await house.all(MailRow) if each.kind == kind][-1]


async def refused_as(house: House, kind: str) -> str:
    mail = await newest(house, kind)
    assert await composed(house, mail.id) == (None, "refused")
    return (await newest(house, kind)).detail


async def forget(house: House) -> None:
    async with house.transactions.work() as work:
        await mail_new_password_link(work, house.workspace_id, EMAIL)


async def lock(house: House, member: MemberRow) -> None:
    for _ in range(10):
        wanted = PasswordSignIn(house.workspace_id, EMAIL, "wrong", Browser())
        try:
            await sign_in(house.transactions, wanted)
        except SignInRefused:
            continue


async def test_an_invitation_brings_a_link_derived_at_that_moment(house: House) -> None:
    # SH-15: and nothing of it is in a row
    anna = await invite(house, EMAIL)
    mail = await newest(house, "member_invitation")
    house.clock.turn(minutes=10)
    message, state = await composed(house, mail.id)
    text = text_of(message)
    token = await newest_link(house, anna.id, LinkKind.INVITATION)
    assert message is not None
    assert (message["To"], state) == (EMAIL, "queued")
    assert message["Subject"] == "Account Activation: Demo Ltd"
    assert f"/links/{token}" in text
    assert "11:00 (Europe/Berlin, UTC+01:00) (00:00:50 left" in " ".join(text.split())
    assert (mail.owner.kind, mail.owner.subject_id) == (OwnerKind.MEMBER, anna.id)
    rows = [*await house.all(MailRow), *await house.all(AuditRow)]
    assert not [each for each in rows if token in repr(each.model_dump())]
    async with house.transactions.work() as work:
        intents = [each.payload for each in (await work.db.scalars(select(IntentRow))).all()]
    assert EMAIL not in repr(intents)
    assert token not in repr(intents)


async def test_a_member_reads_its_own_language(house: House) -> None:
    await invite(house, EMAIL, locale="de")
    message, _ = await composed(house, (await newest(house, "member_invitation")).id)
    assert message is not None
    assert message["Subject"] == "Kontoaktivierung: Demo Ltd"


async def test_what_lost_its_reason_is_withdrawn(house: House) -> None:
    anna = await invite(house, EMAIL)
    token = await newest_link(house, anna.id, LinkKind.INVITATION)
    async with house.transactions.work() as work:
        await set_password(work, house.workspace_id, token, "a hash")
    assert await refused_as(house, "member_invitation") == "link_over"
    await forget(house)
    house.clock.turn(minutes=60)
    assert await refused_as(house, "member_password_reset") == "link_over"
    await lock(house, anna)
    async with house.transactions.work() as work:
        await unlock_member(work, house.workspace_id, anna.id, OPERATOR)
    assert await refused_as(house, "member_locked") == "unlocked"


async def test_a_disabled_members_link_is_not_mailed(house: House) -> None:
    anna = await invite(house, EMAIL)
    async with house.transactions.work() as work:
        await disable_member(work, house.workspace_id, anna.id, OPERATOR)
    assert await refused_as(house, "member_invitation") == "link_over"


async def test_a_corrected_address_gets_nothing_of_the_old_one(house: House) -> None:
    anna = await invite(house, EMAIL)
    async with house.transactions.work() as work:
        row = await member_by_id(work.db, house.workspace_id, anna.id, lock=True)
        assert row is not None
        row.email = "ann@office.example"
    assert await refused_as(house, "member_invitation") == "address_corrected"


async def test_who_is_locked_out_is_told_until_when(house: House) -> None:
    await lock(house, await register(house, EMAIL))
    message, _ = await composed(house, (await newest(house, "member_locked")).id)
    text = " ".join(text_of(message).split())
    assert "was locked on Monday, 2 March 2026, 10:00 (Europe/Berlin" in text
    assert "opens again by itself on Monday, 2 March 2026, 10:15 (Europe/Berlin" in text
    assert "http" not in text


async def test_outcomes_are_in_the_row_and_failures_in_the_audit(house: House) -> None:
    # PS-37: the server's words stay under the member's key
    await invite(house, EMAIL)
    mail = await newest(house, "member_invitation")
    async with house.transactions.work() as work:
        assert await note_retry(work, mail.id, "451 later") == 1
    row = await newest(house, mail.kind)
    assert (row.state, row.detail, row.attempts) == ("queued", "451 later", 1)
    async with house.transactions.work() as work:
        await note_sent(work, mail.id)
    assert (await newest(house, mail.kind)).state == "sent"
    for _ in range(2):
        async with house.transactions.work() as work:
            assert await note_bounce(work, mail.id, f"550 {EMAIL}?", house.workspace_id)
    row = await newest(house, mail.kind)
    assert (row.state, row.detail) == ("bounced", f"550 {EMAIL}?")
    (event,) = [each for each in await house.all(AuditRow) if each.event == "mail.bounced"]
    assert event.subject == f"member:{row.member_id}"
    assert event.details == {"mail": str(mail.id), "kind": "member_invitation"}
    assert EMAIL not in event.text


async def test_a_refused_mail_is_audited_once(house: House) -> None:
    await invite(house, EMAIL)
    mail = await newest(house, "member_invitation")
    for _ in range(2):
        async with house.transactions.work() as work:
            await note_refused(work, mail.id, "550 no such user")
    assert (await newest(house, mail.kind)).state == "refused"
    events = [each.event for each in await house.all(AuditRow)]
    assert events.count("mail.refused") == 1


async def test_old_mails_go_and_those_on_their_way_stay(house: House) -> None:
    await invite(house, EMAIL)
    sent = await newest(house, "member_invitation")
    async with house.transactions.work() as work:
        await note_sent(work, sent.id)
    await forget(house)
    house.clock.turn(days=91)
    objects = ObjectStore.at(house.transactions.settings.object_store)
    keeper = HousekeepingActivities(house.transactions, Clerk(), objects)
    assert await keeper.purge_mails(SweepDue(house.clock.now)) == Swept(1)
    (left,) = await house.all(MailRow)
    assert left.state == "queued"
    async with house.transactions.work() as work:
        assert (await backlog(work.db, work.at)).mails == 1
        # Its start is still to be delivered.
        assert not await restart_mail(work, left.id)


async def test_a_mail_that_temporal_lost_is_started_again(house: House) -> None:
    await invite(house, EMAIL)
    mail = await newest(house, "member_invitation")
    async with house.transactions.work() as work:
        await work.db.execute(delete(IntentRow))
    async with house.transactions.work() as work:
        assert await restart_mail(work, mail.id)


async def test_a_link_may_go_before_its_mail(house: House) -> None:
    await invite(house, EMAIL)
    mail = await newest(house, "member_invitation")
    async with house.transactions.work() as work:
        await work.db.delete(await work.db.get_one(MemberLinkRow, mail.member_link_id))
    assert (await newest(house, mail.kind)).member_link_id is None
    assert await refused_as(house, mail.kind) == "link_over"
