"""What a restored database is gone through by, in the order of ids."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from store.public_session import OPEN_STATUSES, PublicSessionRow
from store.workspace import WorkspaceRow


async def open_after(db: AsyncSession, after: UUID | None, most: int) -> Sequence[UUID]:
    """Sessions of every workspace that have not ended, those behind `after`."""
    return await _after(db, [col(PublicSessionRow.status).in_(OPEN_STATUSES)], after, most)


async def unsettled_after(db: AsyncSession, after: UUID | None, most: int) -> Sequence[UUID]:
    """Sessions that ended and whose consequences have not followed, those behind `after`."""
    table = PublicSessionRow
    is_unsettled = [col(table.ended_at).is_not(None), col(table.settled_at).is_(None)]
    return await _after(db, is_unsettled, after, most)


async def _after(
    db: AsyncSession, conditions: Sequence[ColumnElement[bool]], after: UUID | None, most: int
) -> Sequence[UUID]:
    found = select(PublicSessionRow.id).where(*conditions)
    if after is not None:
        found = found.where(col(PublicSessionRow.id) > after)
    return (await db.scalars(found.order_by(col(PublicSessionRow.id)).limit(most))).all()


async def every_workspace(db: AsyncSession) -> Sequence[WorkspaceRow]:
    """All workspaces of the installation."""
    return (await db.scalars(select(WorkspaceRow).order_by(col(WorkspaceRow.id)))).all()
