"""Mails: asked for with the fact, composed when they are sent, their outcome written down.

Addresses, links, codes and texts exist only while a mail is being sent; its row has none of them.
"""

from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID

from adapters.mail_message import Envelope, compose
from adapters.mail_rendering import MailContent, render
from commands.work import Work
from domain.actor import MAIL_SYSTEM
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import MailKind, MailState, is_given_up, message_id_of
from domain.messages import MailStart
from domain.public_session import OPEN
from store.code import CodeRow
from store.mail import MailRow, mail_by_id, newest_delivered
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, session_by_id, tasks_of
from store.workspace import WorkspaceRow, workspace_by_id

NEEDS_OPEN_SESSION = frozenset({MailKind.INVITATION, MailKind.CODE, MailKind.REMINDER})
NO_ADDRESS = "no_contact_address"


async def queue_party_mail(
    work: Work,
    session: PublicSessionRow,
    party: PartyRow,
    kind: MailKind,
    cause: str,
    *,
    code_id: UUID | None = None,
) -> MailRow | None:
    """Asks for one mail to the party; None, shown on the session, without an address (PS-37)."""
    if not party.email:
        session.mail_state, session.mail_detail = MailState.REFUSED, NO_ADDRESS
        return None
    row = _queue(work, session, kind, cause, party.email)
    row.code_id = code_id
    await work.db.flush()
    session.mail_id, session.mail_state, session.mail_detail = row.id, MailState.QUEUED, ""
    return row


def queue_issuer_mail(work: Work, session: PublicSessionRow, kind: MailKind) -> None:
    """Asks for one mail to whoever issued the session, if that one has an address."""
    if session.notify_email:
        _queue(work, session, kind, "1", session.notify_email)


def _queue(
    work: Work, session: PublicSessionRow, kind: MailKind, cause: str, address: str
) -> MailRow:
    row = MailRow(
        workspace_id=session.workspace_id,
        kind=kind,
        session_id=session.id,
        recipient_digest=work.keyring.address_digest(address),
        cause=f"{kind}:{session.id}:{cause}",
        created_at=work.at,
    )
    work.db.add(row)
    work.start_mail(row.id, MailStart(str(row.id)))
    return row


async def compose_mail(work: Work, mail_id: UUID) -> tuple[EmailMessage | None, str]:
    """The mail as it is to be sent now, or None if it must not be sent (any more); and its state.

    A mail that lost its reason (the session ended, the code expired, the address was corrected) is
    refused here, with the reason in its row: nothing is sent after an end.
    """
    mail, session = await _locked(work, mail_id)
    party = await party_by_id(work.db, mail.workspace_id, session.party_id)
    if mail.state != MailState.QUEUED or party is None:
        return None, mail.state
    recipient = _recipient(mail, session, party)
    code = await work.db.get(CodeRow, mail.code_id) if mail.code_id else None
    refusal = _refusal(work, mail, session, code, recipient)
    if refusal:
        await _withdraw(work, mail, session, refusal)
        return None, mail.state
    workspace = await workspace_by_id(work.db, mail.workspace_id)
    about = _About(mail, session, party, workspace, code)
    rendered = render(MailKind(mail.kind), await _content(work, about))
    return compose(rendered, _envelope(work, about, recipient)), mail.state


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
        locale=party.locale if to_party else "en",
        zone=party.zone if to_party else "UTC",
    )


def _reason(mail: MailRow, session: PublicSessionRow) -> str:
    """The mail server's words in a mail about a mail, the party's own in one about declining."""
    about_mail = mail.kind == MailKind.ISSUER_BOUNCED
    return session.mail_detail if about_mail else session.decline_reason


def link_of(work: Work, session: PublicSessionRow) -> str:
    """The session's link, derived at this moment and stored nowhere."""
    token = work.keyring.link_token(session.id, session.link_epoch, session.key_version)
    return f"{work.settings.public_url.rstrip('/')}/s/{token}"


def code_text(work: Work, session: PublicSessionRow, code: CodeRow) -> str:
    """The digits of a code, derived at this moment."""
    return work.keyring.code(session.id, code.counter, code.key_version, work.settings.code_digits)


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


async def note_sent(work: Work, mail_id: UUID) -> None:
    """The SMTP server took the mail."""
    mail, session = await _locked(work, mail_id)
    if mail.state == MailState.QUEUED:
        mail.attempts += 1
        mail.sent_at = work.at
        _settle(mail, session, MailState.SENT, "")


async def note_retry(work: Work, mail_id: UUID, reason: str) -> bool:
    """The mail could not be handed over; False if it is given up, which refuses it."""
    mail, session = await _locked(work, mail_id)
    if mail.state != MailState.QUEUED:
        return False
    mail.attempts += 1
    mail.detail = reason
    if session.mail_id == mail.id:
        session.mail_detail = reason
    if not is_given_up(mail.created_at, work.at, _patience(work, mail)):
        return True
    _refuse(work, mail, session, reason)
    return False


def _patience(work: Work, mail: MailRow) -> timedelta:
    code = mail.kind == MailKind.CODE
    return work.settings.code_life if code else work.settings.mail_give_up_after


async def note_refused(work: Work, mail_id: UUID, reason: str) -> None:
    """The server will never take the mail: visible, audited, told to the issuer (PS-37)."""
    mail, session = await _locked(work, mail_id)
    if mail.state == MailState.QUEUED:
        mail.attempts += 1
        _refuse(work, mail, session, reason)


def _refuse(work: Work, mail: MailRow, session: PublicSessionRow, reason: str) -> None:
    _settle(mail, session, MailState.REFUSED, reason)
    details = {"mail": str(mail.id), "kind": mail.kind}
    work.audit_session(
        AuditEvent.MAIL_REFUSED, session, MAIL_SYSTEM, reason=reason, details=details
    )
    _tell_issuer_of_failure(work, mail, session)


def _settle(mail: MailRow, session: PublicSessionRow, state: MailState, detail: str) -> None:
    mail.state, mail.detail = state, detail
    if session.mail_id == mail.id:
        session.mail_state, session.mail_detail = state, detail


def _tell_issuer_of_failure(work: Work, mail: MailRow, session: PublicSessionRow) -> None:
    if MailKind(mail.kind).to_issuer or not session.notify_email:
        return
    _queue(work, session, MailKind.ISSUER_BOUNCED, str(mail.id), session.notify_email)


async def _locked(work: Work, mail_id: UUID) -> tuple[MailRow, PublicSessionRow]:
    """The mail and its session, locked in the order of every verb: session first."""
    known = await mail_by_id(work.db, mail_id)
    session = await session_by_id(work.db, known.session_id, lock=True) if known else None
    mail = await mail_by_id(work.db, mail_id, lock=True)
    if mail is None or session is None:
        raise NotFound("mail")
    return mail, session


async def note_bounce(
    work: Work, mail_id: UUID, reason: str, workspace_id: UUID | None = None
) -> bool:
    """A report said later that the mail did not arrive; False if it is not ours (PS-37)."""
    known = await mail_by_id(work.db, mail_id)
    if known is None or (workspace_id and known.workspace_id != workspace_id):
        return False
    mail, session = await _locked(work, mail_id)
    if mail.state not in {MailState.SENT, MailState.QUEUED}:
        # A second report, or one of a mail that was withdrawn or refused: nothing new. One that is
        # still queued may have been handed over just before its worker died.
        return mail.state == MailState.BOUNCED
    _settle(mail, session, MailState.BOUNCED, reason)
    details = {"mail": str(mail.id), "kind": mail.kind}
    work.audit_session(
        AuditEvent.MAIL_BOUNCED, session, MAIL_SYSTEM, reason=reason, details=details
    )
    _tell_issuer_of_failure(work, mail, session)
    return True
