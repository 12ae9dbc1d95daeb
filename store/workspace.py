"""Workspaces: a company using Gatepass."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, primary_id


class WorkspaceRow(SQLModel, table=True):
    """One company; every other row belongs to exactly one."""

    __tablename__ = "workspace"

    id: UUID = primary_id()
    key: str = Field(unique=True)
    name: str
    contact: str = ""
    created_at: datetime = instant()


async def workspace_by_key(db: AsyncSession, key: str) -> WorkspaceRow | None:
    """The workspace with this key."""
    return (await db.scalars(select(WorkspaceRow).where(WorkspaceRow.key == key))).one_or_none()


async def workspace_by_id(db: AsyncSession, workspace_id: UUID) -> WorkspaceRow:
    """The workspace of a row; it exists."""
    return await db.get_one(WorkspaceRow, workspace_id)


async def workspaces(db: AsyncSession) -> Sequence[WorkspaceRow]:
    """Every workspace of this installation, by their keys."""
    return (await db.scalars(select(WorkspaceRow).order_by(col(WorkspaceRow.key)))).all()
