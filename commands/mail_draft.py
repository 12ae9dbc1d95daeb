"""A mail as it is composed at the moment of sending; the receipt goes with the last one.

Addresses, links, codes and texts exist only while a mail is being sent; its row has none of them.
"""

from dataclasses import dataclass
from email.message import EmailMessage
from uuid import UUID

from adapters.mail_message import Attachment, Envelope, compose
from adapters.mail_rendering import RenderedMail, render
from commands.mail import Subject, lock_mail
from commands.mail_content import wording_of
from commands.mail_letter import Letter, Withdrawn
from commands.member_mail import member_letter
from commands.public_session_mail import session_letter, show_mail_before
from commands.receipt import GivenReceipt
from commands.work import Work
from domain.mail import MailKind, MailState, message_id_of
from store.mail import MailRow
from store.public_session import PublicSessionRow
from store.workspace import WorkspaceRow, workspace_by_id


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail as it is to be sent now, with the receipt and the other files that go with it."""

    rendered: RenderedMail
    envelope: Envelope
    receipt: GivenReceipt | None
    others: tuple[Attachment, ...] = ()

    def message(self) -> EmailMessage:
        """The mail; a receipt's PDF takes 0.2 s, so call it in a thread. Raises `AddressError`."""
        return compose(self.rendered, self.envelope, self._files())

    def _files(self) -> tuple[Attachment, ...]:
        if self.receipt is None:
            return self.others
        files = [Attachment("receipt.pdf", "application/pdf", self.receipt.pdf())]
        if self.receipt.text:
            content = self.receipt.text.encode()
            files.append(Attachment("receipt.json", "application/json", content))
        return (*files, *self.others)


async def compose_mail(work: Work, mail_id: UUID) -> tuple[Draft | None, str]:
    """The mail as it is to be sent now, or None if it must not be sent (any more); and its state.

    A mail that lost its reason (the session ended, the code expired, the link was used, the address
    was corrected) is refused here, with the reason in its row: nothing is sent after an end. One
    that is still queued without a draft waits for its receipt's proof.
    """
    mail, subject = await lock_mail(work, mail_id)
    if mail.state != MailState.QUEUED:
        return None, mail.state
    workspace = await workspace_by_id(work.db, mail.workspace_id)
    letter = await _letter(work, mail, subject, workspace)
    if isinstance(letter, Withdrawn):
        await _withdraw(work, mail, subject, letter.reason)
    if not isinstance(letter, Letter):
        return None, mail.state
    kind = MailKind(mail.kind)
    wording = await wording_of(work, workspace, kind, letter.content.locale)
    rendered = render(kind, letter.content, wording)
    envelope = _envelope(work, mail, workspace, letter.recipient)
    return Draft(rendered, envelope, letter.receipt, letter.files), mail.state


async def _letter(
    work: Work, mail: MailRow, subject: Subject, workspace: WorkspaceRow
) -> Letter | Withdrawn | None:
    if isinstance(subject, PublicSessionRow):
        return await session_letter(work, mail, subject, workspace)
    return await member_letter(work, mail, subject, workspace)


async def _withdraw(work: Work, mail: MailRow, subject: Subject, reason: str) -> None:
    """The mail is no longer wanted."""
    mail.state, mail.detail = MailState.REFUSED, reason
    if isinstance(subject, PublicSessionRow):
        await show_mail_before(work, mail, subject)


def _envelope(work: Work, mail: MailRow, workspace: WorkspaceRow, recipient: str) -> Envelope:
    host = work.settings.mail_bounce_address.rpartition("@")[2]
    return Envelope(
        sender=work.settings.mail_from,
        recipient=recipient,
        message_id=message_id_of(mail.id, host),
        date=work.at,
        on_behalf_of=workspace.name,
        reply_to=workspace.contact or None,
    )
