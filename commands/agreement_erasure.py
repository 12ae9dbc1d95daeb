"""Erases one agreement of a member's own, with the public sessions that asked for it (PS-28)."""

from collections.abc import Sequence

from commands.agreement import (
    AgreementTarget,
    Whole,
    locked_with_sessions,
    note_cancelled,
)
from commands.erasure import Order, erase_rows
from commands.work import Work
from domain.agreement import CANCELLABLE, subject_of
from domain.audit import AuditEvent
from domain.tombstone import Fate
from store import erasure as rows
from store.public_session import PublicSessionRow


async def erase_agreement(work: Work, target: AgreementTarget, rationale: str) -> Whole:
    """Erases it, whatever its state: one that is not done is cancelled first. Twice is once.

    The sessions its signers were asked through go with it: they were issued for nothing else, and
    hold its title, what was entered and drawn, and the mails. Nobody is mailed. Raises `NotFound`,
    also for one that came with a task: that one is erased with its session.
    """
    whole, sessions = await locked_with_sessions(work, target)
    if whole.row.erased_at is None:
        order = Order(target.actor, rationale)
        if whole.row.state in CANCELLABLE:
            # Also where all have signed: no key is left to seal it with.
            note_cancelled(work, whole, order.actor, rationale)
        living = [each for each in sessions if each.erased_at is None]
        await erase_rows(work, order, living, agreement=whole.row.id)
        await _empty(work, whole)
        _audit(work, order, whole, sessions)
    return whole


async def _empty(work: Work, whole: Whole) -> None:
    await work.db.flush()
    row = whole.row
    await rows.empty_agreement(work.db, row, work.at)
    await work.db.flush()
    await rows.empty_answers(work.db, row.workspace_id, [row.id])
    await rows.destroy_keys(work.db, [row.owner], work.at)
    for each in (whole.version, *whole.signers):
        await work.db.refresh(each)


def _audit(work: Work, order: Order, whole: Whole, sessions: Sequence[PublicSessionRow]) -> None:
    work.lay_tombstone(Fate.AGREEMENT_ERASED, whole.row.id)
    details = {
        "rationale": order.rationale,
        "state": whole.row.state,
        "public_sessions": [str(each.id) for each in sessions],
    }
    event, subject = AuditEvent.AGREEMENT_ERASED, subject_of(whole.row.id)
    work.audit_subject(event, whole.row.workspace_id, subject, order.actor, details)
