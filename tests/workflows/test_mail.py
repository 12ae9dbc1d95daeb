"""One mail from queued to sent or refused, against a real SMTP socket."""

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pikepdf
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from adapters.audit_verify import verify_file
from commands.door import ask_code
from commands.public_session import revoke
from store.mail import MailRow
from tests.rooms.works import Works, eventually, kinds_of, works

LATER, NEVER = "451 4.7.1 try again later", "550 5.1.1 no such user"
DAY = timedelta(days=1)


@pytest_asyncio.fixture
async def at(time_skipping: WorkflowEnvironment, database_url: str) -> AsyncIterator[Works]:
    """A house at work, whose intake reminds nobody."""
    async with works(time_skipping, database_url) as at, at.working():
        yield at


async def mail_of(at: Works, session_id: UUID, kind: str = "invitation") -> MailRow:
    return (await at.house.mails(session_id, kind))[-1]


async def test_a_mail_that_must_wait_is_sent_later_as_the_same_mail(at: Works) -> None:
    # PS-18, PS-37, C14
    at.office.answers[at.house.address].extend([LATER, LATER])
    session_id = await at.issue()
    mail = await mail_of(at, session_id)
    await eventually(lambda: _tried(at, mail.id, 1))
    row = await at.house.session(session_id)
    assert (row.mail_state, "try again later" in row.mail_detail) == ("queued", True)
    assert await at.mail_outcome(mail.id) == "sent"
    row = await at.house.session(session_id)
    assert (row.mail_state, row.mail_detail) == ("sent", "")
    assert [each["Message-ID"] for each in at.office.tried] == [
        f"<{mail.id}@gatepass.localhost>"
    ] * 3
    assert [each.get_body(("plain",)).get_content() for each in at.office.tried[:1]] == [  # type: ignore[union-attr]  # every mail has a text
        each.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # as above
        for each in at.office.taken
    ]
    history = await at.mail(mail.id).fetch_history()
    assert kinds_of(history).count("TIMER_STARTED") == 2
    assert (await mail_of(at, session_id)).attempts == 3


async def _tried(at: Works, mail: UUID, times: int) -> bool:
    async with at.house.transactions.work() as work:
        return (await work.db.get_one(MailRow, mail)).attempts >= times


async def test_a_refused_mail_is_not_tried_again_and_the_issuer_is_told(at: Works) -> None:
    # PS-37
    at.office.answers[at.house.address].append(NEVER)
    session_id = await at.issue()
    assert await at.mail_outcome((await mail_of(at, session_id)).id) == "refused"
    await at.sent(session_id)
    row = await at.house.session(session_id)
    assert (row.mail_state, "no such user" in row.mail_detail) == ("refused", True)
    assert len([each for each in at.office.tried if each["To"] == at.house.address]) == 1
    assert len(at.office.subjects("anna@workspace.example")) == 1


async def test_a_mail_is_given_up_after_a_day(at: Works) -> None:
    # PS-37
    at.office.answers[at.house.address].extend([LATER] * 200)
    session_id = await at.issue()
    mail = await mail_of(at, session_id)
    assert await at.mail_outcome(mail.id) == "refused"
    waited = at.house.clock.now - mail.created_at
    assert DAY <= waited <= DAY + timedelta(hours=1)
    assert (await at.house.session(session_id)).mail_state == "refused"
    assert "mail.refused" in await at.house.audit(session_id)
    assert len({each["Message-ID"] for each in at.office.tried if each["To"]}) <= 2
    assert at.office.subjects(at.house.address) == []
    assert len((await at.mail(mail.id).fetch_history()).events) < 1500


async def asked(at: Works, session_id: UUID) -> MailRow:
    await at.follow()
    async with at.house.transactions.work() as work:
        await ask_code(work, await at.house.link(session_id), "door-1")
    return await mail_of(at, session_id, "code")


async def test_a_code_is_not_mailed_after_its_life(at: Works) -> None:
    # C11
    session_id = await at.issue()
    await at.sent(session_id)
    at.office.answers[at.house.address].extend([LATER] * 200)
    mail = await asked(at, session_id)
    assert await at.mail_outcome(mail.id) == "refused"
    ended = (await at.mail(mail.id).fetch_history()).events[-1].event_time.ToDatetime(UTC)
    assert ended - mail.created_at < timedelta(minutes=45)
    assert len(at.office.subjects(at.house.address)) == 1
    last_try = [each["Date"].datetime for each in at.office.tried][-1]
    assert last_try - mail.created_at < timedelta(minutes=10)


async def test_a_code_is_not_mailed_after_the_session_ended(at: Works) -> None:
    # PS-30
    session_id = await at.issue()
    await at.sent(session_id)
    at.office.answers[at.house.address].append(LATER)
    mail = await asked(at, session_id)
    await at.courier.drain()
    await eventually(lambda: _tried(at, mail.id, 1))
    async with at.house.transactions.work() as work:
        await revoke(work, at.house.target(await at.house.session(session_id)), "why")
    assert await at.mail_outcome(mail.id) == "refused"
    assert (await mail_of(at, session_id, "code")).detail == "session_ended"
    await at.sent(session_id)
    subjects = at.office.subjects(at.house.address)
    assert len(subjects) == 2
    assert [each.kind for each in await at.house.mails(session_id) if each.state == "sent"] == [
        "invitation",
        "revoked",
    ]


async def test_a_mail_told_twice_to_start_is_sent_once(at: Works) -> None:
    session_id = await at.issue()
    await at.sent(session_id)
    at.courier.hand_over(await at.house.intents(session_id))
    await at.courier.drain()
    await at.sleep(minutes=1)
    assert len(at.office.taken) == 1


def attachments(mail: EmailMessage) -> dict[str, bytes]:
    """The files of a mail as a mail program saves them."""
    return {str(each.get_filename()): each.get_content() for each in mail.iter_attachments()}


async def completed_mail(at: Works, session_id: UUID) -> EmailMessage:
    """The mail to the party that says it is done."""
    await at.sent(session_id)
    (mail,) = [each for each in at.office.taken if each["Subject"].startswith("Received: ")]
    return mail


async def test_the_last_mail_brings_the_receipt_with_its_proof(at: Works, tmp_path: Path) -> None:
    # N10
    session_id = await at.issue()
    await at.complete_all(session_id)
    await at.outcome(session_id)
    files = attachments(await completed_mail(at, session_id))
    assert list(files) == ["receipt.pdf", "receipt.json"]
    (tmp_path / "receipt.json").write_bytes(files["receipt.json"])
    assert len(verify_file(tmp_path / "receipt.json").events) == 5
    with pikepdf.open(BytesIO(files["receipt.pdf"])) as pdf:
        (inside,) = pdf.attachments.values()
        assert inside.get_file().read_bytes() == files["receipt.json"]


async def test_the_last_mail_waits_for_the_proof(at: Works) -> None:
    sequencer, at.foreman.sequencer = at.foreman.sequencer, None
    session_id = await at.issue()
    await at.complete_all(session_id)
    await eventually(lambda: asked_for(at, session_id))
    mail = await mail_of(at, session_id, "completed")
    await at.courier.drain()
    await at.sleep(seconds=30)
    row = await mail_of(at, session_id, "completed")
    assert (row.state, row.attempts, row.detail) == ("queued", 0, "")
    at.foreman.sequencer = sequencer
    # Having waited counts as no attempt: the next wait is the first one's.
    at.office.answers[at.house.address].append(LATER)
    assert await at.mail_outcome(mail.id) == "sent"
    assert (await mail_of(at, session_id, "completed")).attempts == 2
    sent = await completed_mail(at, session_id)
    assert sent["Message-ID"] == f"<{mail.id}@gatepass.localhost>"
    assert list(attachments(sent)) == ["receipt.pdf", "receipt.json"]
    assert await waited(at, session_id) < timedelta(minutes=1)


async def waited(at: Works, session_id: UUID) -> timedelta:
    """From asking for the last mail until it was sent.

    By the mail's own row: the server's clock may have skipped on to where an activity that has long
    ended would have timed out.
    """
    mail = await mail_of(at, session_id, "completed")
    assert mail.sent_at is not None
    return mail.sent_at - mail.created_at


async def asked_for(at: Works, session_id: UUID) -> bool:
    return bool(await at.house.mails(session_id, "completed"))


async def test_without_a_proof_for_long_the_last_mail_goes_and_says_so(at: Works) -> None:
    at.foreman.sequencer = None
    session_id = await at.issue()
    await at.complete_all(session_id)
    await eventually(lambda: asked_for(at, session_id))
    mail = await mail_of(at, session_id, "completed")
    assert await at.mail_outcome(mail.id) == "sent"
    assert timedelta(minutes=10) <= await waited(at, session_id) < timedelta(minutes=11)
    sent = await completed_mail(at, session_id)
    assert list(attachments(sent)) == ["receipt.pdf"]
    text = sent.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # every mail has one
    assert "no proof yet" in " ".join(text.split())
    assert len((await at.mail(mail.id).fetch_history()).events) < 5000
