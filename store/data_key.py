"""Data keys: one for each workspace, party and public session, wrapped by a workspace key."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, optional_instant
from store.workspace_key import WorkspaceKeyRow


class DataKeyRow(SQLModel, table=True):
    """The key of one owner; `wrapped` is empty once it is destroyed, which erases the owner."""

    __tablename__ = "data_key"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "workspace_key_version"],
            ["workspace_key.workspace_id", "workspace_key.version"],
        ),
        Index(None, "workspace_id", "workspace_key_version"),
    )

    subject_id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    kind: str
    number: int = Field(sa_type=BigInteger)
    workspace_key_version: int
    wrapped: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    created_at: datetime = instant()
    destroyed_at: datetime | None = optional_instant()


def data_keys(
    db: Session, subjects: Collection[UUID]
) -> Sequence[tuple[DataKeyRow, WorkspaceKeyRow]]:
    """The keys of these owners, each with the workspace key that wraps it, in one statement."""
    found = (
        select(DataKeyRow, WorkspaceKeyRow)
        .join(
            WorkspaceKeyRow,
            (col(WorkspaceKeyRow.workspace_id) == DataKeyRow.workspace_id)
            & (col(WorkspaceKeyRow.version) == DataKeyRow.workspace_key_version),
        )
        .where(col(DataKeyRow.subject_id).in_(subjects))
        .execution_options(populate_existing=True)
    )
    return [(data, workspace) for data, workspace in db.execute(found).all()]


def add_data_key(db: Session, values: dict[str, Any]) -> bool:
    """Writes an owner's first key down; False if another transaction did, which then is its key."""
    added = insert(DataKeyRow).values(**values).on_conflict_do_nothing()
    return db.execute(added.returning(col(DataKeyRow.subject_id))).scalar_one_or_none() is not None
