"""Workspaces: a company using Gatepass."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from domain.definition import KEY
from domain.federation import Channel
from store.columns import instant, optional_json, primary_id


class WorkspaceRow(SQLModel, table=True):
    """One company; every other row belongs to exactly one.

    `mail_versions` pins which version of a mail's default text counts here: by kind as it was when
    the workspace was created, by kind and language (`reminder/de`) since that one was reset (C19).
    `channel` is how early it takes part in what is new (EE-20).
    """

    __tablename__ = "workspace"

    id: UUID = primary_id()
    key: str = Field(unique=True)
    name: str
    contact: str = ""
    channel: str = Field(default=Channel.GENERAL, sa_column_kwargs={"server_default": "general"})
    created_at: datetime = instant()
    mail_versions: dict[str, int] | None = optional_json()


async def workspace_by_key(db: AsyncSession, key: str) -> WorkspaceRow | None:
    """The workspace with this key; what could be none, PostgreSQL might not even take."""
    if not KEY.fullmatch(key):
        return None
    return (await db.scalars(select(WorkspaceRow).where(WorkspaceRow.key == key))).one_or_none()


async def workspace_by_id(
    db: AsyncSession, workspace_id: UUID, *, lock: bool = False
) -> WorkspaceRow:
    """The workspace of a row; it exists. Its row is locked if asked."""
    return await db.get_one(
        WorkspaceRow, workspace_id, with_for_update=lock or None, populate_existing=lock
    )


async def workspaces(db: AsyncSession) -> Sequence[WorkspaceRow]:
    """Every workspace of this installation, by their keys."""
    return (await db.scalars(select(WorkspaceRow).order_by(col(WorkspaceRow.key)))).all()
