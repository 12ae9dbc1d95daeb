"""Mails a signer the sealed document once more: a mail was lost, or its server refused it (C14)."""

from commands.agreement import AgreementTarget
from commands.agreement_signer import done_signer
from commands.public_session import Target, lock_session, mail_again
from commands.work import Work
from domain.agreement import subject_of
from domain.audit import AuditEvent
from domain.mail import MailKind


async def mail_copy_again(work: Work, target: AgreementTarget, position: int) -> None:
    """Mails it to the address that the signer's party has now.

    Raises `NotFound`, `AgreementClosed` before it is sealed, `Erased`, `NoContactAddress` or
    `MailTooSoon`.
    """
    whole, _, asked = await done_signer(work, target, position)
    session = await lock_session(work, Target(asked.id, target.workspace_id, target.actor))
    # The agreement's id comes last: by it the mail knows which document it brings.
    await mail_again(work, session, MailKind.SIGNED_COPY, f":{whole.row.id}")
    event, subject = AuditEvent.AGREEMENT_RESENT, subject_of(whole.row.id)
    work.audit_subject(event, target.workspace_id, subject, target.actor, {"signer": position})
