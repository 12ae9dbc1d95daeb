"""Mails: composed when sent, withdrawn when over, their outcome visible."""

from email.message import EmailMessage
from uuid import UUID

import pytest

from commands.door import ask_code
from commands.mail import note_bounce, note_refused, note_retry, note_sent
from commands.mail_draft import compose_mail
from commands.public_session import correct_address, remind, resend, revoke
from domain.errors import NotFound
from store.audit import AuditRow
from store.columns import new_id
from store.mail import MailRow
from store.public_session import PublicSessionRow
from tests.rooms.house import House


async def issued(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


async def composed(house: House, mail: UUID) -> tuple[EmailMessage | None, str]:
    async with house.transactions.work() as work:
        draft, state = await compose_mail(work, mail)
    return draft.message() if draft else None, state


async def mail_of(house: House, session: PublicSessionRow, kind: str = "invitation") -> MailRow:
    return (await house.mails(session.id, kind))[-1]


async def test_a_mail_is_composed_with_a_link_derived_at_that_moment(house: House) -> None:
    # PS-18
    session = await issued(house)
    mail = await mail_of(house, session)
    message, state = await composed(house, mail.id)
    assert message is not None
    assert state == "queued"
    assert message["To"] == house.address
    assert message["Message-ID"] == f"<{mail.id}@gatepass.localhost>"
    body = message.get_body(("plain",))
    assert body is not None
    assert f"/s/{await house.link(session.id)}" in body.get_content()


async def test_composing_twice_is_the_same_mail(house: House) -> None:
    # C14: a retry keeps the Message-ID
    mail = await mail_of(house, await issued(house))
    first, second = await composed(house, mail.id), await composed(house, mail.id)
    assert first[0]["Message-ID"] == second[0]["Message-ID"]  # type: ignore[index]  # a message


async def test_a_sent_mail_is_sent_once_and_shows(house: House) -> None:
    session = await issued(house)
    mail = await mail_of(house, session)
    for _ in range(2):
        async with house.transactions.work() as work:
            await note_sent(work, mail.id)
    row = await mail_of(house, session)
    assert (row.state, row.attempts, row.sent_at) == ("sent", 1, house.clock.now)
    assert (await house.session(session.id)).mail_state == "sent"
    assert await composed(house, mail.id) == (None, "sent")


async def test_nothing_that_needs_an_open_session_is_sent_after_its_end(house: House) -> None:
    session = await issued(house)
    async with house.transactions.work() as work:
        await remind(work, session.id, work.at)
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    for kind in ("invitation", "reminder"):
        mail = await mail_of(house, session, kind)
        assert await composed(house, mail.id) == (None, "refused")
        assert (await mail_of(house, session, kind)).detail == "session_ended"


async def test_nothing_is_sent_after_the_deadline_though_no_worker_has_acted(
    house: House,
) -> None:
    # PS-29
    mail = await mail_of(house, await issued(house))
    house.clock.turn(days=14)
    assert await composed(house, mail.id) == (None, "refused")


async def test_a_code_that_is_over_is_not_sent(house: House) -> None:
    session = await issued(house)
    async with house.transactions.work() as work:
        await ask_code(work, await house.link(session.id), "door-1")
    mail = await mail_of(house, session, "code")
    house.clock.turn(minutes=10)
    assert await composed(house, mail.id) == (None, "refused")
    assert (await mail_of(house, session, "code")).detail == "code_over"


async def test_a_withdrawn_mail_gives_its_place_to_the_one_before(house: House) -> None:
    session = await issued(house)
    first = await mail_of(house, session)
    async with house.transactions.work() as work:
        await note_sent(work, first.id)
    async with house.transactions.work() as work:
        await ask_code(work, await house.link(session.id), "door-1")
    house.clock.turn(minutes=10)
    await composed(house, (await mail_of(house, session, "code")).id)
    row = await house.session(session.id)
    assert (row.mail_id, row.mail_state) == (first.id, "sent")


async def test_a_mail_to_an_address_that_was_corrected_is_not_sent(house: House) -> None:
    # C14
    session = await issued(house)
    mail = await mail_of(house, session)
    async with house.transactions.work() as work:
        await correct_address(work, house.target(session), f"new-{house.address}")
    assert await composed(house, mail.id) == (None, "refused")
    newest = await mail_of(house, session)
    message, _ = await composed(house, newest.id)
    assert message["To"] == f"new-{house.address}"  # type: ignore[index]  # a message
    assert (await house.session(session.id)).mail_id == newest.id


async def test_a_refused_mail_is_visible_audited_and_told_to_the_issuer(house: House) -> None:
    # PS-37
    session = await issued(house)
    mail = await mail_of(house, session)
    for _ in range(2):
        async with house.transactions.work() as work:
            await note_refused(work, mail.id, "550 no such user")
    row = await house.session(session.id)
    assert (row.mail_state, row.mail_detail) == ("refused", "550 no such user")
    assert (await house.audit(session.id)) == ["issued", "mail.refused"]
    (told,) = await house.mails(session.id, "issuer_bounced")
    message, _ = await composed(house, told.id)
    assert message["To"] == "anna@workspace.example"  # type: ignore[index]  # a message


async def test_a_mail_that_must_wait_shows_why_and_is_given_up_in_the_end(house: House) -> None:
    # PS-37
    session = await issued(house)
    mail = await mail_of(house, session)
    async with house.transactions.work() as work:
        assert await note_retry(work, mail.id, "451 later")
    row = await house.session(session.id)
    assert (row.mail_state, row.mail_detail) == ("queued", "451 later")
    house.clock.turn(hours=24)
    async with house.transactions.work() as work:
        assert not await note_retry(work, mail.id, "451 later")
    assert (await house.session(session.id)).mail_state == "refused"


async def test_a_later_bounce_shows_once(house: House) -> None:
    # PS-37
    session = await issued(house)
    mail = await mail_of(house, session)
    async with house.transactions.work() as work:
        await note_sent(work, mail.id)
    for _ in range(2):
        async with house.transactions.work() as work:
            assert await note_bounce(work, mail.id, "5.1.1 unknown", house.workspace_id)
    row = await house.session(session.id)
    assert (row.mail_state, row.mail_detail) == ("bounced", "5.1.1 unknown")
    assert (await house.audit(session.id)).count("mail.bounced") == 1
    assert len(await house.mails(session.id, "issuer_bounced")) == 1


async def test_a_bounce_of_an_older_mail_does_not_hide_the_newer(house: House) -> None:
    session = await issued(house)
    old = await mail_of(house, session)
    house.clock.turn(minutes=1)
    async with house.transactions.work() as work:
        await resend(work, house.target(session))
    newer = await mail_of(house, session)
    async with house.transactions.work() as work:
        await note_sent(work, old.id)
        await note_sent(work, newer.id)
        assert await note_bounce(work, old.id, "late")
    assert (await house.session(session.id)).mail_state == "sent"
    assert "mail.bounced" in [each.event for each in await house.all(AuditRow)]


async def test_what_is_not_our_mail_bounces_nothing(house: House) -> None:
    mail = await mail_of(house, await issued(house))
    async with house.transactions.work() as work:
        assert not await note_bounce(work, new_id(), "why")
        assert not await note_bounce(work, mail.id, "why", new_id())
        with pytest.raises(NotFound):
            await note_sent(work, new_id())
