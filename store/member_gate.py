"""The gate of members' sessions, asked for many at once: which are over, and which are warned.

The same predicate as `domain.member_session.MemberSession.end_at`, as one SQL statement.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, not_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.member_session import MemberSessionEnd
from store.gate import Gone, Idle, Shut
from store.member_session import MemberSessionRow, is_living


async def member_gates_of(
    db: AsyncSession, sessions: Sequence[UUID], at: datetime
) -> dict[UUID, Shut | Idle | Gone]:
    """What there is to tell each of these sessions at `at`; one that may simply act is left out."""
    is_warned = col(MemberSessionRow.seen_at) + col(MemberSessionRow.idle) <= at
    ends_at = func.least(MemberSessionRow.idles_out_at, MemberSessionRow.absolute_at)
    found = select(MemberSessionRow.id, _reason(at), is_warned, ends_at).where(
        col(MemberSessionRow.id).in_(sessions)
    )
    news: dict[UUID, Shut | Idle | Gone] = {each: Gone() for each in sessions}
    for session_id, reason, warned, until in (await db.execute(found)).all():
        del news[session_id]
        if reason or warned:
            news[session_id] = Shut(reason) if reason else Idle(until)
    return news


def _reason(at: datetime) -> ColumnElement[str | None]:
    ended_at, absolute_at = col(MemberSessionRow.ended_at), col(MemberSessionRow.absolute_at)
    is_absolute = and_(absolute_at.is_not(None), absolute_at <= col(MemberSessionRow.idles_out_at))
    return case(
        (ended_at.is_not(None), col(MemberSessionRow.end_reason)),
        (and_(not_(is_living(at)), is_absolute), MemberSessionEnd.ABSOLUTE_TIMEOUT.value),
        (not_(is_living(at)), MemberSessionEnd.INACTIVE.value),
        else_=None,
    )
