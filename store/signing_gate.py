"""What there is to tell each browser of the signing sessions in its room, as one statement (EX-22).

The same predicate as `domain.window.Window.end_at`, as SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.agreement import AgreementState
from domain.public_session import EndReason
from domain.window import WindowEnd, WindowPolicy
from store.agreement import AgreementRow
from store.binding import BindingRow
from store.public_session import TaskRow
from store.signing_session import SigningSessionRow

CANCELLED = "cancelled"
MAY_BE_CANCELLED = frozenset({EndReason.REVOKED.value, EndReason.COMPLETED.value})


@dataclass(frozen=True, slots=True)
class SigningNews:
    """One signing session as every page of its room is told of it; `reason` is why it ended.

    `idles_out_at` is there once the warning is due. Signs of life are no news.
    """

    task: str
    holder: str
    fence: int
    version: int
    reason: str
    idles_out_at: datetime | None


async def signings_of(
    db: AsyncSession, bindings: Sequence[UUID], at: datetime, policy: WindowPolicy
) -> Mapping[UUID, tuple[SigningNews, ...]]:
    """The opened signing sessions of the rooms that these browsers are in, as they are at `at`."""
    window, reason = SigningSessionRow, _reason(at, policy)
    found = (
        select(
            col(BindingRow.id), col(TaskRow.key), col(window.holder), col(window.fence),
            col(window.active_at), col(AgreementRow.version), reason,
        )
        .join(SigningSessionRow, col(window.session_id) == BindingRow.session_id)
        .join(TaskRow, col(TaskRow.id) == window.task_id)
        .join(AgreementRow, col(AgreementRow.id) == window.agreement_id)
        .where(col(BindingRow.id).in_(bindings), col(TaskRow.completed_at).is_(None))
        .order_by(col(window.id))
    )  # fmt: skip
    told: dict[UUID, tuple[SigningNews, ...]] = {}
    for binding, task, holder, fence, active_at, version, ended in (await db.execute(found)).all():
        is_due = not ended and at >= active_at + policy.idle.idle
        idles_out_at = active_at + policy.idle.whole if is_due else None
        one = SigningNews(task, holder, fence, version, ended or "", idles_out_at)
        told[binding] = (*told.get(binding, ()), one)
    return told


async def end_words(db: AsyncSession, ends: Mapping[UUID, str]) -> dict[UUID, str]:
    """How public sessions ended, in the words of those who were asked, by session (EX-23).

    Whoever was asked for a document that was cancelled reads so, also if it was signed before. One
    that came with the session ended with it, whatever ended that.
    """
    asked = [each for each, reason in ends.items() if reason in MAY_BE_CANCELLED]
    if not asked:
        return dict(ends)
    found = (
        select(col(TaskRow.session_id))
        .join(AgreementRow, col(AgreementRow.id) == col(TaskRow.agreement_id))
        .where(
            col(TaskRow.session_id).in_(asked),
            col(AgreementRow.session_id).is_(None),
            col(AgreementRow.state) == AgreementState.CANCELLED.value,
        )
    )
    return dict(ends) | dict.fromkeys(await db.scalars(found), CANCELLED)


def _reason(at: datetime, policy: WindowPolicy) -> ColumnElement[str | None]:
    window = SigningSessionRow
    return case(
        (col(window.end_reason).is_not(None), col(window.end_reason)),
        (
            col(window.binding_id).is_distinct_from(col(BindingRow.id)),
            literal(WindowEnd.OPENED_ELSEWHERE.value),
        ),
        (
            col(window.active_at) <= at - policy.idle.whole,
            literal(WindowEnd.INACTIVE.value),
        ),
        else_=None,
    )
