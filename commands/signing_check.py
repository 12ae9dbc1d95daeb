"""What time does to a signer's window, asked by its workflow."""

from uuid import UUID

from commands.signing import window_policy
from commands.work import Work
from domain.actor import WORKFLOW
from domain.audit import AuditEvent
from domain.messages import SigningChecked
from domain.window import WindowEnd
from store.agreement import agreement_by_id
from store.public_session import PublicSessionRow, TaskRow, session_by_id, value_of
from store.signing_session import SigningSessionRow, signing_session_by_id


async def check_window(work: Work, signing_id: UUID) -> SigningChecked:
    """Ends the place of a window that was silent for too long, and says when to look again.

    Never again once the task is done or the public session over.
    """
    known = await signing_session_by_id(work.db, signing_id)
    if known is None:
        return SigningChecked(0, None)
    session = await session_by_id(work.db, known.session_id, lock=True)
    # A window's own sign of life waits for the agreement.
    await agreement_by_id(work.db, known.agreement_id, lock=True)
    row = await signing_session_by_id(work.db, signing_id)
    if session is None or row is None:
        return SigningChecked(0, None)
    if await _is_over(work, session, row):
        _end(work, row, WindowEnd.SESSION_ENDED)
        return SigningChecked(row.fence, None)
    policy = window_policy(work)
    if row.window.end_at(work.at, policy) is None:
        due_at = min(row.window.idles_out_at(policy), session.expires_at)
        return SigningChecked(row.fence, due_at)
    if row.end_reason is None:
        _end(work, row, WindowEnd.INACTIVE)
        details = {"fence": row.fence}
        work.audit_session(AuditEvent.SIGNING_IDLED_OUT, session, WORKFLOW, details=details)
    return SigningChecked(row.fence, session.expires_at)


async def _is_over(work: Work, session: PublicSessionRow, row: SigningSessionRow) -> bool:
    if value_of(session, ()).end_at(work.at) is not None:
        return True
    task = await work.db.get(TaskRow, row.task_id)
    return task is not None and task.completed_at is not None


def _end(work: Work, row: SigningSessionRow, reason: WindowEnd) -> None:
    if row.end_reason is None:
        row.end_reason, row.ended_at = reason, work.at
