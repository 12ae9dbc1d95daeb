"""What a mail about a public session says at the moment of sending, or why it must not be sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.mail_message import Attachment
from adapters.mail_rendering import MailContent
from commands.agreement_copy import sealed_copy
from commands.mail import agreement_of, code_text, link_of
from commands.mail_letter import Letter, Withdrawn
from commands.receipt import GivenReceipt, receipt_of
from commands.work import Work
from domain.mail import AGREEMENT_REQUESTS, CODES, MailKind, waits_for_proof
from domain.public_session import OPEN
from store.agreement import AgreementRow, agreement_by_id
from store.code import CodeRow
from store.mail import MailRow, newest_delivered
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, TaskRow, tasks_of
from store.workspace import WorkspaceRow

NEEDS_OPEN_SESSION = frozenset(
    {MailKind.INVITATION, *AGREEMENT_REQUESTS, *CODES, MailKind.REMINDER}
)

BRINGS_COPIES = frozenset({MailKind.SIGNED_COPY, MailKind.ISSUER_SIGNED})


async def session_letter(
    work: Work, mail: MailRow, session: PublicSessionRow, workspace: WorkspaceRow
) -> Letter | Withdrawn | None:
    """What the mail says now; None while it waits for its receipt's proof."""
    if session.erased_at is not None and mail.kind == MailKind.ISSUER_SIGNED:
        return await _letter_after_erasure(work, mail, session, workspace)
    party = await party_by_id(work.db, mail.workspace_id, session.party_id)
    if party is None:
        return Withdrawn("erased")
    code = await work.db.get(CodeRow, mail.code_id) if mail.code_id else None
    recipient = _recipient(mail, session, party)
    if refusal := _refusal(work, mail, session, code, recipient):
        return Withdrawn(refusal)
    receipt = await receipt_of(work, session) if mail.kind == MailKind.COMPLETED else None
    if receipt and not receipt.text and waits_for_proof(mail.created_at, work.at):
        return None
    content = await _content(work, _About(mail, session, party, workspace, code, receipt))
    return Letter(recipient, content, receipt, await _files(work, mail))


async def _letter_after_erasure(
    work: Work, mail: MailRow, session: PublicSessionRow, workspace: WorkspaceRow
) -> Letter | Withdrawn:
    """The sealed document for its sender, though every signer was erased since they signed.

    The agreement is the workspace's own; of the signers the mail says nothing.
    """
    row = await agreement_by_id(work.db, agreement_of(mail), mail.workspace_id)
    sender = row.notify_email if row else ""
    if row is None or mail.recipient_digest != work.keyring.address_digest(sender):
        return Withdrawn("erased")
    content = MailContent(
        workspace_name=workspace.name,
        session_title=row.title,
        subject=row.title or None,
        written_at=work.at,
        console_link=_console_link(work, workspace, row),
        public_session_id=str(session.id),
    )
    return Letter(sender, content, files=await _files(work, mail))


async def _files(work: Work, mail: MailRow) -> tuple[Attachment, ...]:
    """The one sealed document that a mail brings: all of a session might be too large for it."""
    if mail.kind not in BRINGS_COPIES:
        return ()
    row = await agreement_by_id(work.db, agreement_of(mail), mail.workspace_id)
    if row is None or row.sealed_paper_id is None:
        return ()
    copy = await sealed_copy(work, row)
    return (Attachment(copy.name, "application/pdf", copy.pdf),)


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
    agreement = await _agreement(work, tasks, code)
    to_party = not MailKind(mail.kind).to_issuer
    title, subject = await _names(work, mail, session, agreement)
    return MailContent(
        workspace_name=workspace.name,
        contact=workspace.contact or None,
        party_name=party.name,
        party_email=None if to_party else party.email,
        session_title=title,
        subject=subject or None,
        tasks_total=len(tasks),
        tasks_done=sum(each.completed_at is not None for each in tasks),
        link=link_of(work, session) if to_party and mail.kind not in CODES else None,
        document_title=agreement.title if agreement else None,
        code=code_text(work, session, code) if code else None,
        code_expires_at=code.expires_at if code else None,
        expires_at=session.expires_at,
        written_at=work.at,
        message=_message(mail, session, agreement) or None,
        reason=_reason(mail, session) or None,
        console_link=None if to_party else _console_link(work, workspace, agreement),
        public_session_id=str(session.id),
        has_proof=about.receipt is None or bool(about.receipt.text),
        locale=party.locale if to_party else "en",
        zone=party.zone if to_party else "UTC",
    )


async def _agreement(
    work: Work, tasks: Sequence[TaskRow], code: CodeRow | None
) -> AgreementRow | None:
    """The agreement, or the first of them, that is signed in the session; a code's, its own."""
    about = [each for each in tasks if code and each.id == code.task_id] or tasks
    asked = [each.agreement_id for each in about if each.agreement_id]
    return await agreement_by_id(work.db, asked[0]) if asked else None


async def _names(
    work: Work, mail: MailRow, session: PublicSessionRow, agreement: AgreementRow | None
) -> tuple[str, str]:
    """Title and subject, to whoever sent an agreement as they are there: its own title.

    The session's, with which a signer is asked, is the product's word in that signer's language.
    """
    is_signed = mail.kind == MailKind.ISSUER_SIGNED
    if is_signed:
        agreement = await agreement_by_id(work.db, agreement_of(mail), mail.workspace_id)
    if agreement is None or not MailKind(mail.kind).to_issuer:
        return session.title, session.subject
    if agreement.session_id is None:
        return agreement.title, agreement.title
    return agreement.title if is_signed else session.title, session.subject


def _message(mail: MailRow, session: PublicSessionRow, agreement: AgreementRow | None) -> str:
    """The sender's words: an agreement's where it asks to sign, else those about withdrawing."""
    if mail.kind not in AGREEMENT_REQUESTS:
        return session.message
    return agreement.message if agreement else ""


def _console_link(
    work: Work, workspace: WorkspaceRow, agreement: AgreementRow | None
) -> str | None:
    """The page of a member's own agreement, where its sender sees every signer.

    One that came with a task is a part of its session, which has no page yet.
    """
    if agreement is None or agreement.session_id is not None:
        return None
    base = work.settings.public_url.rstrip("/")
    return f"{base}/console/{workspace.key}/agreements/{agreement.id}"


def _reason(mail: MailRow, session: PublicSessionRow) -> str:
    """The mail server's words in a mail about a mail, the party's own in one about declining."""
    about_mail = mail.kind == MailKind.ISSUER_BOUNCED
    return session.mail_detail if about_mail else session.decline_reason


async def show_mail_before(work: Work, mail: MailRow, session: PublicSessionRow) -> None:
    """A withdrawn mail gives its place on the session to the one before it."""
    if session.mail_id == mail.id:
        before = await newest_delivered(work.db, session.id)
        session.mail_id = before.id if before else None
        session.mail_state = before.state if before else mail.state
        session.mail_detail = before.detail if before else mail.detail
