"""What a restored database is gone through by, in the order of ids."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.member import MemberState
from store.member import MemberRow
from store.public_session import OPEN_STATUSES, PublicSessionRow
from store.workspace import WorkspaceRow


async def open_after(db: AsyncSession, after: UUID | None, most: int) -> Sequence[UUID]:
    """Sessions of every workspace that have not ended, those behind `after`."""
    is_open = [col(PublicSessionRow.status).in_(OPEN_STATUSES)]
    return await _after(db, PublicSessionRow, is_open, after, most)


async def members_after(db: AsyncSession, after: UUID | None, most: int) -> Sequence[UUID]:
    """Members of every workspace who have an account, those behind `after`."""
    has_account = [col(MemberRow.state) != MemberState.DELETED]
    return await _after(db, MemberRow, has_account, after, most)


async def unsettled_after(db: AsyncSession, after: UUID | None, most: int) -> Sequence[UUID]:
    """Sessions that ended and whose consequences have not followed, those behind `after`."""
    table = PublicSessionRow
    is_unsettled = [col(table.ended_at).is_not(None), col(table.settled_at).is_(None)]
    return await _after(db, table, is_unsettled, after, most)


async def _after(
    db: AsyncSession,
    table: type[PublicSessionRow | MemberRow],
    conditions: Sequence[ColumnElement[bool]],
    after: UUID | None,
    most: int,
) -> Sequence[UUID]:
    found = select(table.id).where(*conditions)
    if after is not None:
        found = found.where(col(table.id) > after)
    return (await db.scalars(found.order_by(col(table.id)).limit(most))).all()


async def every_workspace(db: AsyncSession) -> Sequence[WorkspaceRow]:
    """All workspaces of the installation."""
    return (await db.scalars(select(WorkspaceRow).order_by(col(WorkspaceRow.id)))).all()
