"""Counts what a change of settings has to do with (N16)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from store.member import MemberRow
from store.member_link import MemberLinkRow
from store.member_session import MemberSessionRow, is_living
from store.member_token import MemberTokenRow


async def count_sessions(
    db: AsyncSession, workspace_id: UUID, at: datetime, *, unchecked: bool = False
) -> int:
    """How many sessions of a workspace can still act; `unchecked`: of those not checked alone."""
    wanted = [MemberSessionRow.workspace_id == workspace_id, is_living(at)]
    if unchecked:
        wanted.append(col(MemberSessionRow.unchecked).is_(True))
    return await _count(db, *wanted)


async def checked_sessions_of_each(
    db: AsyncSession, workspace_id: UUID, at: datetime
) -> Sequence[int]:
    """How many living sessions that limits count each member has who has any."""
    found = (
        select(func.count())
        .where(
            MemberSessionRow.workspace_id == workspace_id,
            is_living(at),
            col(MemberSessionRow.unchecked).is_(False),
        )
        .group_by(col(MemberSessionRow.member_id))
    )
    return (await db.scalars(found)).all()


async def count_open_links(
    db: AsyncSession, workspace_id: UUID, kinds: Sequence[str], at: datetime
) -> int:
    """How many links of these kinds can still be used."""
    return await _count(
        db,
        MemberLinkRow.workspace_id == workspace_id,
        col(MemberLinkRow.kind).in_(kinds),
        col(MemberLinkRow.used_at).is_(None),
        col(MemberLinkRow.expires_at) > at,
    )


async def count_tokens(db: AsyncSession, workspace_id: UUID, at: datetime) -> int:
    """How many pairs of tokens are the newest of a session that can still act."""
    of_session = col(MemberTokenRow.session_id) == col(MemberSessionRow.id)
    return await _count(
        db,
        MemberTokenRow.workspace_id == workspace_id,
        of_session,
        is_living(at),
        col(MemberTokenRow.used_at).is_(None),
    )


async def count_locked(db: AsyncSession, workspace_id: UUID, at: datetime, lasts: timedelta) -> int:
    """How many members' sign-ins are locked at a moment, if a lock lasts for so long."""
    return await _count(
        db,
        MemberRow.workspace_id == workspace_id,
        col(MemberRow.locked_at) > at - lasts,
    )


async def _count(db: AsyncSession, *conditions: Any) -> int:
    return int((await db.scalars(select(func.count()).where(*conditions))).one())
