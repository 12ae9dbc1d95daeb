"""Workspace keys, in versions: each wraps the data keys of one workspace's owners.

A version lies here wrapped by one version of the root key, its epoch, which is kept outside the
database. When the epoch is destroyed, no copy of what it wrapped opens any more.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, optional_instant


class KeyState(StrEnum):
    """What a workspace key is still good for: `primary → decrypt → destroyed`."""

    PRIMARY = "primary"
    DECRYPT = "decrypt"
    DESTROYED = "destroyed"


class WorkspaceKeyRow(SQLModel, table=True):
    """One version of a workspace's key; `wrapped` is empty once it is destroyed.

    `rewrapped_at` says when everything that older versions wrapped was wrapped by this one.
    """

    __tablename__ = "workspace_key"
    __table_args__ = (
        Index(
            "ix_workspace_key_primary",
            "workspace_id",
            unique=True,
            postgresql_where=text("state = 'primary'"),
        ),
    )

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    version: int = Field(primary_key=True)
    epoch: int = Field(index=True)
    state: str
    wrapped: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    created_at: datetime = instant()
    rewrapped_at: datetime | None = optional_instant()
    destroyed_at: datetime | None = optional_instant()


def primary_key_of(db: Session, workspace_id: UUID) -> WorkspaceKeyRow | None:
    """The version that wraps a workspace's new data keys."""
    found = select(WorkspaceKeyRow).where(
        WorkspaceKeyRow.workspace_id == workspace_id, WorkspaceKeyRow.state == KeyState.PRIMARY
    )
    return db.scalars(found).one_or_none()


async def has_workspace_keys(db: AsyncSession) -> bool:
    """Whether anything can have been sealed yet."""
    return (await db.scalars(select(WorkspaceKeyRow.version).limit(1))).first() is not None


def workspace_keys(db: Session, workspace_id: UUID) -> Sequence[WorkspaceKeyRow]:
    """Every version, oldest first."""
    found = select(WorkspaceKeyRow).where(WorkspaceKeyRow.workspace_id == workspace_id)
    return db.scalars(found.order_by(col(WorkspaceKeyRow.version))).all()
