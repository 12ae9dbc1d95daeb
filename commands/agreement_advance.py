"""What follows a signature: the next signer is asked, or all is done and everybody is told."""

from dataclasses import replace
from uuid import UUID

from commands.agreement_invite import invite_due
from commands.mail import queue_agreement_copies
from commands.work import Work
from domain.actor import WORKFLOW
from domain.agreement import AgreementState, NextStep, subject_of
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.messages import AgreementOutcome, AgreementStep
from store.agreement import AgreementRow, agreement_by_id, agreement_value, signers_of
from store.public_session import session_by_id


async def advance_agreement(work: Work, agreement: UUID) -> AgreementStep:
    """Asks the signers whose turn it is, once each; says what comes next."""
    row = await _own(work, agreement)
    signers = await signers_of(work.db, row.id)
    # Whoever sent it is told of every signer.
    await invite_due(work, row, signers, replace(WORKFLOW, email=row.notify_email or None))
    value = agreement_value(row, signers)
    if not value.is_signed and row.seal_error:
        row.seal_error = ""
    return AgreementStep(value.next_step(is_sealed=row.sealed_paper_id is not None))


async def note_blocked(work: Work, agreement: UUID, cause: str) -> None:
    """Keeps on the agreement why whoever is next cannot be asked."""
    (await _own(work, agreement)).seal_error = cause


async def finish_agreement(work: Work, agreement: UUID) -> AgreementOutcome:
    """Ends a sealed agreement, once, and has everybody sent the sealed document."""
    # Sessions before the agreement, as every verb locks.
    asked = sorted(
        each.session_id for each in await signers_of(work.db, agreement) if each.session_id
    )
    for session_id in asked:
        await session_by_id(work.db, session_id, lock=True)
    row = await _own(work, agreement)
    value = agreement_value(row, await signers_of(work.db, row.id))
    if value.next_step(is_sealed=row.sealed_paper_id is not None) == NextStep.FINISH:
        row.state, row.ended_at = AgreementState.DONE, work.at
        details = {"version": row.version, "sha256": row.sealed_sha256, "level": row.sealed_level}
        work.audit_subject(
            AuditEvent.AGREEMENT_SEALED,
            row.workspace_id,
            subject_of(row.id),
            WORKFLOW,
            details,
        )
        await queue_agreement_copies(work, row.id, asked, row.notify_email)
    return AgreementOutcome(row.state)


async def _own(work: Work, agreement: UUID) -> AgreementRow:
    row = await agreement_by_id(work.db, agreement, lock=True)
    if row is None:
        raise NotFound("agreement")
    return row
