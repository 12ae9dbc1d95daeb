"""Mails: asked for with the fact, their outcome written down; composed in `mail_draft.py`.

A mail is about a public session or about a member; the row it is about is locked before it.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from commands.public_session_terms import settings_in
from commands.work import Work
from domain.actor import MAIL_SYSTEM
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import CODES, MailKind, MailState, is_given_up
from domain.messages import MailStart
from domain.signature_request import SIGNATURE_REQUEST
from store.agreement import only_reads_in
from store.code import CodeRow
from store.columns import new_id
from store.known_device import KnownDeviceRow
from store.mail import MailRow, mail_by_id
from store.member import MemberRow, member_by_id
from store.member_link import MemberLinkRow
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, session_by_id

NO_ADDRESS = "no_contact_address"
Subject = PublicSessionRow | MemberRow
"""What a mail can be about."""


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


async def invitation_of(work: Work, session: PublicSessionRow) -> MailKind:
    """The mail that asks a party: a Request to Sign where an agreement is all there is (PS-43).

    Or one to confirm, for whoever only reads (PS-42).
    """
    if session.template_key != SIGNATURE_REQUEST:
        return MailKind.INVITATION
    reads = await only_reads_in(work.db, session.id)
    return MailKind.CONFIRMATION_REQUEST if reads else MailKind.SIGNATURE_REQUEST


def queue_issuer_mail(
    work: Work, session: PublicSessionRow, kind: MailKind, cause: str = "1"
) -> None:
    """Asks for one mail to whoever issued the session, if that one has an address."""
    if session.notify_email:
        _queue(work, session, kind, cause, session.notify_email)


async def queue_agreement_copies(
    work: Work, agreement_id: UUID, session_ids: Sequence[UUID], sender: str = ""
) -> None:
    """Asks for the mails that bring the sealed document: to each signer, and once to the sender.

    `sender` is the address to tell where every signer was erased meanwhile. One session can have
    several agreements. The sessions' rows are locked.
    """
    cause = str(agreement_id)
    asked = [
        await queue_signer_mail(work, each, MailKind.SIGNED_COPY, cause) for each in session_ids
    ]
    if told := [each for each in asked if each is not None]:
        queue_issuer_mail(work, told[-1], MailKind.ISSUER_SIGNED, cause)
    elif sender and (erased := await session_by_id(work.db, session_ids[-1])):
        # Its key is gone, but not its row, which the mail can be about.
        _queue(work, erased, MailKind.ISSUER_SIGNED, cause, sender)


def agreement_of(mail: MailRow) -> UUID:
    """The agreement whose sealed document a mail brings: it is what caused the mail."""
    return UUID(mail.cause.rpartition(":")[2])


async def queue_signer_mail(
    work: Work, session_id: UUID, kind: MailKind, cause: str
) -> PublicSessionRow | None:
    """Asks for one mail to a session's party, unless it was erased; the session, which is locked.

    None where there is nobody to mail.
    """
    session = await session_by_id(work.db, session_id)
    party = await party_by_id(work.db, session.workspace_id, session.party_id) if session else None
    if session is None or party is None or session.erased_at is not None:
        return None
    await queue_party_mail(work, session, party, kind, cause)
    return session


def queue_member_mail(
    work: Work,
    member: MemberRow,
    kind: MailKind,
    about: MemberLinkRow | KnownDeviceRow | None = None,
) -> None:
    """Asks for one mail to a member: of this link or device, or of what happens now."""
    link = about if isinstance(about, MemberLinkRow) else None
    row = _queue(work, member, kind, str(link.id if link else new_id()), member.email)
    row.member_link_id = link.id if link else None
    row.known_device_id = about.id if isinstance(about, KnownDeviceRow) else None


def _queue(work: Work, subject: Subject, kind: MailKind, cause: str, address: str) -> MailRow:
    row = MailRow(
        workspace_id=subject.workspace_id,
        kind=kind,
        session_id=subject.id if isinstance(subject, PublicSessionRow) else None,
        member_id=subject.id if isinstance(subject, MemberRow) else None,
        recipient_digest=work.keyring.address_digest(address),
        cause=f"{kind}:{subject.id}:{cause}",
        created_at=work.at,
    )
    work.db.add(row)
    work.start_mail(row.id, MailStart(str(row.id)))
    return row


def link_of(work: Work, session: PublicSessionRow) -> str:
    """The session's link, derived at this moment and stored nowhere."""
    token = work.keyring.link_token(session.id, session.link_epoch, session.key_version)
    return f"{work.settings.public_url.rstrip('/')}/s/{token}"


def code_text(work: Work, session: PublicSessionRow, code: CodeRow) -> str:
    """The digits of a code, derived at this moment."""
    return work.keyring.code(session.id, code.counter, code.key_version, work.settings.code_digits)


async def note_sent(work: Work, mail_id: UUID) -> None:
    """The SMTP server took the mail."""
    mail, subject = await lock_mail(work, mail_id)
    if mail.state == MailState.QUEUED:
        mail.attempts += 1
        mail.sent_at = work.at
        _settle(mail, subject, MailState.SENT, "")


async def note_retry(work: Work, mail_id: UUID, reason: str) -> int:
    """The mail could not be handed over; how often by now, or 0 if it is given up and refused."""
    mail, subject = await lock_mail(work, mail_id)
    if mail.state != MailState.QUEUED:
        return 0
    mail.attempts += 1
    _settle(mail, subject, MailState.QUEUED, reason)
    if not is_given_up(mail.created_at, work.at, _patience(work, mail, subject)):
        return mail.attempts
    _refuse(work, mail, subject, reason)
    return 0


def _patience(work: Work, mail: MailRow, subject: Subject) -> timedelta:
    if mail.kind in CODES and isinstance(subject, PublicSessionRow):
        return settings_in(work, subject).code_life
    return work.settings.mail_give_up_after


async def note_refused(work: Work, mail_id: UUID, reason: str) -> None:
    """The server will never take the mail: visible, audited, told to the issuer (PS-37)."""
    mail, subject = await lock_mail(work, mail_id)
    if mail.state == MailState.QUEUED:
        mail.attempts += 1
        _refuse(work, mail, subject, reason)


def _refuse(work: Work, mail: MailRow, subject: Subject, reason: str) -> None:
    _settle(mail, subject, MailState.REFUSED, reason)
    _failed(work, AuditEvent.MAIL_REFUSED, mail, subject, reason)


def _settle(mail: MailRow, subject: Subject, state: MailState, detail: str) -> None:
    """Writes down how far the mail came; a session shows that of its newest."""
    mail.state, mail.detail = state, detail
    if isinstance(subject, PublicSessionRow) and subject.mail_id == mail.id:
        subject.mail_state, subject.mail_detail = state, detail


def _failed(work: Work, event: AuditEvent, mail: MailRow, subject: Subject, reason: str) -> None:
    details = {"mail": str(mail.id), "kind": mail.kind}
    if isinstance(subject, PublicSessionRow):
        work.audit_session(event, subject, MAIL_SYSTEM, reason=reason, details=details)
        _tell_issuer_of_failure(work, mail, subject)
        return
    # The server's words may name the address; they stay in the mail's row, under the member's key.
    work.audit_subject(event, subject.workspace_id, f"member:{subject.id}", MAIL_SYSTEM, details)


def _tell_issuer_of_failure(work: Work, mail: MailRow, session: PublicSessionRow) -> None:
    if MailKind(mail.kind).to_issuer or not session.notify_email:
        return
    _queue(work, session, MailKind.ISSUER_BOUNCED, str(mail.id), session.notify_email)


async def lock_mail(work: Work, mail_id: UUID) -> tuple[MailRow, Subject]:
    """The mail and what it is about, locked in the order of every verb: the mail last."""
    known = await mail_by_id(work.db, mail_id)
    subject = await _lock_subject(work, known) if known else None
    mail = await mail_by_id(work.db, mail_id, lock=True)
    if mail is None or subject is None:
        raise NotFound("mail")
    return mail, subject


async def _lock_subject(work: Work, mail: MailRow) -> Subject | None:
    if mail.session_id is not None:
        return await session_by_id(work.db, mail.session_id, lock=True)
    if mail.member_id is not None:
        return await member_by_id(work.db, mail.workspace_id, mail.member_id, lock=True)
    return None


async def note_bounce(
    work: Work, mail_id: UUID, reason: str, workspace_id: UUID | None = None
) -> bool:
    """A report said later that the mail did not arrive; False if it is not ours (PS-37)."""
    known = await mail_by_id(work.db, mail_id)
    if known is None or (workspace_id and known.workspace_id != workspace_id):
        return False
    mail, subject = await lock_mail(work, mail_id)
    if mail.state not in {MailState.SENT, MailState.QUEUED}:
        # A second report, or one of a mail that was withdrawn or refused: nothing new. One that is
        # still queued may have been handed over just before its worker died.
        return mail.state == MailState.BOUNCED
    _settle(mail, subject, MailState.BOUNCED, reason)
    _failed(work, AuditEvent.MAIL_BOUNCED, mail, subject, reason)
    return True
