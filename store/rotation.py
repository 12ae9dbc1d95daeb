"""What a rotation changes: which keys are wrapped by which, a few rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.orm import Session
from sqlmodel import col, select

from store.data_key import DataKeyRow
from store.workspace_key import KeyState, WorkspaceKeyRow


@dataclass(frozen=True, slots=True)
class KeyCount:
    """One version of a workspace's key and how many data keys it still wraps."""

    workspace_id: UUID
    version: int
    epoch: int
    state: str
    data_keys: int


def count_keys(db: Session) -> Sequence[KeyCount]:
    """Every version of every workspace's key, oldest first."""
    used = (
        select(DataKeyRow.workspace_id, DataKeyRow.workspace_key_version, func.count())
        .where(col(DataKeyRow.wrapped).is_not(None))
        .group_by(col(DataKeyRow.workspace_id), col(DataKeyRow.workspace_key_version))
    )
    counts = {(workspace, version): count for workspace, version, count in db.execute(used).all()}
    rows = db.scalars(
        select(WorkspaceKeyRow).order_by(
            col(WorkspaceKeyRow.workspace_id), col(WorkspaceKeyRow.version)
        )
    ).all()
    return [
        KeyCount(
            each.workspace_id,
            each.version,
            each.epoch,
            each.state,
            counts.get((each.workspace_id, each.version), 0),
        )
        for each in rows
    ]


def lock_primary(db: Session, workspace_id: UUID) -> WorkspaceKeyRow:
    """A workspace's primary key, locked: one rotation at a time."""
    found = (
        select(WorkspaceKeyRow)
        .where(
            WorkspaceKeyRow.workspace_id == workspace_id,
            WorkspaceKeyRow.state == KeyState.PRIMARY,
        )
        .with_for_update()
    )
    return db.scalars(found).one()


def outdated_data_keys(
    db: Session, workspace_id: UUID, version: int, most: int
) -> Sequence[tuple[DataKeyRow, WorkspaceKeyRow]]:
    """A few living data keys that another version than `version` wraps, locked."""
    found = (
        select(DataKeyRow, WorkspaceKeyRow)
        .join(
            WorkspaceKeyRow,
            (col(WorkspaceKeyRow.workspace_id) == DataKeyRow.workspace_id)
            & (col(WorkspaceKeyRow.version) == DataKeyRow.workspace_key_version),
        )
        .where(
            DataKeyRow.workspace_id == workspace_id,
            DataKeyRow.workspace_key_version != version,
            col(DataKeyRow.wrapped).is_not(None),
        )
        .order_by(col(DataKeyRow.subject_id))
        .limit(most)
        .with_for_update(of=DataKeyRow, skip_locked=True)
    )
    return [(data, workspace) for data, workspace in db.execute(found).all()]


def destroy_keys_of(db: Session, epoch: int, at: datetime) -> int:
    """Empties every workspace key of an epoch; returns how many. None may be in use."""
    destroyed = (
        update(WorkspaceKeyRow)
        .where(col(WorkspaceKeyRow.epoch) == epoch)
        .values(wrapped=None, state=KeyState.DESTROYED, destroyed_at=at)
        .returning(col(WorkspaceKeyRow.version))
    )
    return len(db.execute(destroyed).all())
