"""The gate, asked for many browsers at once: which of them may not act any more, and why.

The same predicate as `domain.public_session.PublicSession.refuses_browser`, as one SQL statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, case, func, literal, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.binding import BindingEnd, IdlePolicy
from domain.public_session import EndReason
from store.binding import BindingRow
from store.public_session import PublicSessionRow


@dataclass(frozen=True, slots=True)
class Shut:
    """Why a browser may not act any more: an `EndReason` of the session or a `BindingEnd`.

    Where a document was to be signed also `cancelled` (`store.signing_gate.end_words`).
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """The idle warning is due: without activity the browser's place ends at `ends_at`."""

    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such session any more; why is not known here."""


async def gates_of(
    db: AsyncSession, bindings: Sequence[UUID], at: datetime, policy: IdlePolicy
) -> dict[UUID, Shut | Idle]:
    """What there is to tell each of these browsers at `at`; one that may simply act is left out.

    `policy` is for sessions that were issued without lengths of their own.
    """
    warns_at = col(BindingRow.last_seen_at) + _kept("binding.idle", policy.idle)
    ends_at = warns_at + _kept("binding.grace", policy.grace)
    reason = _reason(at, ends_at).label("reason")
    found = (
        select(BindingRow.id, ends_at.label("ends_at"), reason)
        .join(PublicSessionRow, col(PublicSessionRow.id) == BindingRow.session_id)
        .where(
            col(BindingRow.id).in_(bindings),
            or_(reason.is_not(None), warns_at <= at),
        )
    )
    rows = (await db.execute(found)).all()
    return {
        binding_id: Shut(reason) if reason else Idle(ends_at)
        for binding_id, ends_at, reason in rows
    }


def _kept(setting: str, otherwise: timedelta) -> ColumnElement[timedelta]:
    """A length that the session was issued with, or the one for those that have none."""
    seconds = col(PublicSessionRow.settings)[setting]["value"].as_integer()
    kept = func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval)
    return func.coalesce(kept, literal(otherwise, Interval))


def _reason(at: datetime, ends_at: ColumnElement[datetime]) -> ColumnElement[str | None]:
    """The first refusal that applies, in the order in which a request would meet them."""
    session_end = col(PublicSessionRow.end_reason)
    binding_end = col(BindingRow.end_reason)
    return case(
        (session_end.is_not(None), session_end),
        (col(PublicSessionRow.expires_at) <= at, literal(EndReason.BOUND_REACHED.value)),
        (binding_end.is_not(None), binding_end),
        (
            col(PublicSessionRow.binding_id).is_distinct_from(col(BindingRow.id)),
            literal(BindingEnd.OPENED_ELSEWHERE.value),
        ),
        (ends_at <= at, literal(BindingEnd.INACTIVE.value)),
        else_=None,
    )
