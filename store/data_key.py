"""Data keys: one for each workspace, party and public session, wrapped by a workspace key."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, inspect, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, optional_instant
from store.workspace_key import KeyState, WorkspaceKeyRow


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
    """Writes an owner's first key down, if the version that wraps it is still the primary one.

    False if it is not, or if another transaction wrote the owner's key down before.
    """
    # The version's row stays locked until the commit: it cannot be destroyed meanwhile, and a
    # rotation that made another version primary waits for this transaction before it ends.
    types = inspect(DataKeyRow).columns
    wrapper = (
        select(*(literal(value, types[name].type) for name, value in values.items()))
        .where(
            WorkspaceKeyRow.workspace_id == values["workspace_id"],
            WorkspaceKeyRow.version == values["workspace_key_version"],
            WorkspaceKeyRow.state == KeyState.PRIMARY,
        )
        .with_for_update(read=True, key_share=True, of=WorkspaceKeyRow)
    )
    added = insert(DataKeyRow).from_select(list(values), wrapper).on_conflict_do_nothing()
    return db.execute(added.returning(col(DataKeyRow.subject_id))).scalar_one_or_none() is not None
