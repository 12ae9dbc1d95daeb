"""A mail as it is composed at the moment of sending; the receipt goes with the last one.

Addresses, links, codes and texts exist only while a mail is being sent; its row has none of them.
"""

from dataclasses import dataclass
from email.message import EmailMessage
from uuid import UUID

from adapters.mail_message import Attachment, Envelope, compose
from adapters.mail_rendering import MailContent, RenderedMail, render
from commands.mail import code_text, link_of, lock_mail
from commands.receipt import GivenReceipt, receipt_of
from commands.work import Work
from domain.mail import MailKind, MailState, message_id_of, waits_for_proof
from domain.public_session import OPEN
from store.code import CodeRow
from store.mail import MailRow, newest_delivered
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, tasks_of
from store.workspace import WorkspaceRow, workspace_by_id

NEEDS_OPEN_SESSION = frozenset({MailKind.INVITATION, MailKind.CODE, MailKind.REMINDER})


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail as it is to be sent now, with the receipt that goes with it."""

    rendered: RenderedMail
    envelope: Envelope
    receipt: GivenReceipt | None

    def message(self) -> EmailMessage:
        """The mail; a receipt's PDF takes 0.2 s, so call it in a thread. Raises `AddressError`."""
        return compose(self.rendered, self.envelope, self._files())

    def _files(self) -> tuple[Attachment, ...]:
        if self.receipt is None:
            return ()
        files = [Attachment("receipt.pdf", "application/pdf", self.receipt.pdf())]
        if self.receipt.text:
            content = self.receipt.text.encode()
            files.append(Attachment("receipt.json", "application/json", content))
        return tuple(files)


async def compose_mail(work: Work, mail_id: UUID) -> tuple[Draft | None, str]:
    """The mail as it is to be sent now, or None if it must not be sent (any more); and its state.

    A mail that lost its reason (the session ended, the code expired, the address was corrected) is
    refused here, with the reason in its row: nothing is sent after an end. One that is still queued
    without a draft waits for its receipt's proof.
    """
    mail, session = await lock_mail(work, mail_id)
    party = await party_by_id(work.db, mail.workspace_id, session.party_id)
    if mail.state != MailState.QUEUED or party is None:
        return None, mail.state
    recipient = _recipient(mail, session, party)
    code = await work.db.get(CodeRow, mail.code_id) if mail.code_id else None
    refusal = _refusal(work, mail, session, code, recipient)
    if refusal:
        await _withdraw(work, mail, session, refusal)
        return None, mail.state
    receipt = await receipt_of(work, session) if mail.kind == MailKind.COMPLETED else None
    if receipt and not receipt.text and waits_for_proof(mail.created_at, work.at):
        return None, mail.state
    workspace = await workspace_by_id(work.db, mail.workspace_id)
    about = _About(mail, session, party, workspace, code, receipt)
    rendered = render(MailKind(mail.kind), await _content(work, about))
    return Draft(rendered, _envelope(work, about, recipient), receipt), mail.state


async def _withdraw(work: Work, mail: MailRow, session: PublicSessionRow, reason: str) -> None:
    """The mail is no longer wanted; the session shows the state of the one before it again."""
    mail.state, mail.detail = MailState.REFUSED, reason
    if session.mail_id == mail.id:
        before = await newest_delivered(work.db, session.id)
        session.mail_id = before.id if before else None
        session.mail_state = before.state if before else mail.state
        session.mail_detail = before.detail if before else reason


def _recipient(mail: MailRow, session: PublicSessionRow, party: PartyRow) -> str:
    return (session.notify_email or "") if MailKind(mail.kind).to_issuer else party.email


def _refusal(
    work: Work, mail: MailRow, session: PublicSessionRow, code: CodeRow | None, recipient: str
) -> str:
    if session.erased_at is not None:
        return "erased"
    over = session.status not in OPEN or session.expires_at <= work.at
    if mail.kind in NEEDS_OPEN_SESSION and over:
        return "session_ended"
    if mail.recipient_digest != work.keyring.address_digest(recipient):
        return "address_corrected"
    if code and (code.consumed_at is not None or code.expires_at <= work.at):
        return "code_over"
    return ""


@dataclass(frozen=True, slots=True)
class _About:
    """The rows one mail is about."""

    mail: MailRow
    session: PublicSessionRow
    party: PartyRow
    workspace: WorkspaceRow
    code: CodeRow | None
    receipt: GivenReceipt | None


async def _content(work: Work, about: _About) -> MailContent:
    mail, session, party, code = about.mail, about.session, about.party, about.code
    workspace = about.workspace
    tasks = await tasks_of(work.db, session.id)
    to_party = not MailKind(mail.kind).to_issuer
    return MailContent(
        workspace_name=workspace.name,
        contact=workspace.contact or None,
        party_name=party.name,
        party_email=None if to_party else party.email,
        session_title=session.title,
        subject=session.subject or None,
        tasks_total=len(tasks),
        tasks_done=sum(each.completed_at is not None for each in tasks),
        link=link_of(work, session) if to_party and mail.kind != MailKind.CODE else None,
        code=code_text(work, session, code) if code else None,
        code_expires_at=code.expires_at if code else None,
        expires_at=session.expires_at,
        written_at=work.at,
        message=session.message or None,
        reason=_reason(mail, session) or None,
        public_session_id=str(session.id),
        has_proof=bool(about.receipt and about.receipt.text),
        locale=party.locale if to_party else "en",
        zone=party.zone if to_party else "UTC",
    )


def _reason(mail: MailRow, session: PublicSessionRow) -> str:
    """The mail server's words in a mail about a mail, the party's own in one about declining."""
    about_mail = mail.kind == MailKind.ISSUER_BOUNCED
    return session.mail_detail if about_mail else session.decline_reason


def _envelope(work: Work, about: _About, recipient: str) -> Envelope:
    host = work.settings.mail_bounce_address.rpartition("@")[2]
    return Envelope(
        sender=work.settings.mail_from,
        recipient=recipient,
        message_id=message_id_of(about.mail.id, host),
        date=work.at,
        on_behalf_of=about.workspace.name,
        reply_to=about.workspace.contact or None,
    )
