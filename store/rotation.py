"""What a rotation changes: which keys are wrapped by which, a few rows at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from sqlmodel import col, select

from store.data_key import DataKeyRow
from store.workspace import WorkspaceRow
from store.workspace_key import KeyState, WorkspaceKeyRow

LOCK_WAIT = timedelta(seconds=5)
"""How long a rotation waits for the one before: a killed one's connection ends a moment later."""
LOCK_EVERY = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class KeyCount:
    """One version of a workspace's key and how many data keys it still wraps."""

    workspace_id: UUID
    workspace: str
    version: int
    epoch: int
    state: str
    is_rewrapped: bool
    data_keys: int


def count_keys(db: Session) -> Sequence[KeyCount]:
    """Every version of every workspace's key, oldest first."""
    used = (
        select(DataKeyRow.workspace_id, DataKeyRow.workspace_key_version, func.count())
        .where(col(DataKeyRow.wrapped).is_not(None))
        .group_by(col(DataKeyRow.workspace_id), col(DataKeyRow.workspace_key_version))
    )
    counts = {(workspace, version): count for workspace, version, count in db.execute(used).all()}
    found = (
        select(WorkspaceKeyRow, WorkspaceRow.key)
        .join(WorkspaceRow, col(WorkspaceRow.id) == WorkspaceKeyRow.workspace_id)
        .order_by(col(WorkspaceRow.key), col(WorkspaceKeyRow.version))
    )
    return [_counted(row, key, counts) for row, key in db.execute(found).all()]


def _counted(row: WorkspaceKeyRow, workspace: str, counts: dict[tuple[UUID, int], int]) -> KeyCount:
    return KeyCount(
        workspace_id=row.workspace_id,
        workspace=workspace,
        version=row.version,
        epoch=row.epoch,
        state=row.state,
        is_rewrapped=row.rewrapped_at is not None,
        data_keys=counts.get((row.workspace_id, row.version), 0),
    )


def lock_primary(db: Session, workspace_id: UUID) -> WorkspaceKeyRow:
    """A workspace's primary key, locked against another rotation; new data keys go on."""
    found = select(WorkspaceKeyRow).where(
        WorkspaceKeyRow.workspace_id == workspace_id, WorkspaceKeyRow.state == KeyState.PRIMARY
    )
    return db.scalars(found.with_for_update(key_share=True)).one()


def outdated_data_keys(
    db: Session, primary: WorkspaceKeyRow, most: int
) -> Sequence[tuple[DataKeyRow, WorkspaceKeyRow]]:
    """A few living data keys that an older version wraps, locked."""
    found = (
        select(DataKeyRow, WorkspaceKeyRow)
        .join(
            WorkspaceKeyRow,
            (col(WorkspaceKeyRow.workspace_id) == DataKeyRow.workspace_id)
            & (col(WorkspaceKeyRow.version) == DataKeyRow.workspace_key_version),
        )
        .where(*_outdated(primary))
        .limit(most)
        .with_for_update(of=DataKeyRow, skip_locked=True)
    )
    return [(data, workspace) for data, workspace in db.execute(found).all()]


def count_outdated(db: Session, primary: WorkspaceKeyRow) -> int:
    """How many living data keys older versions still wrap."""
    found = select(func.count()).select_from(DataKeyRow).where(*_outdated(primary))
    return int(db.scalars(found).one())


def _outdated(primary: WorkspaceKeyRow) -> Sequence[Any]:
    return (
        DataKeyRow.workspace_id == primary.workspace_id,
        DataKeyRow.workspace_key_version < primary.version,
        col(DataKeyRow.wrapped).is_not(None),
    )


def wait_for_writers(db: Session, primary: WorkspaceKeyRow) -> None:
    """Returns once every transaction that wraps by an older version has ended.

    Each holds that version's row; no new one begins, because the version is no longer primary.
    Raises a lock timeout while one goes on.
    """
    older = select(WorkspaceKeyRow.version).where(
        WorkspaceKeyRow.workspace_id == primary.workspace_id,
        WorkspaceKeyRow.version < primary.version,
    )
    db.execute(older.with_for_update())


def lock_epoch(db: Session, epoch: int) -> None:
    """Has nobody wrap anything by an epoch's keys, and waits for whoever does."""
    found = select(WorkspaceKeyRow.version).where(WorkspaceKeyRow.epoch == epoch)
    db.execute(found.with_for_update())


def destroy_keys_of(db: Session, epoch: int, at: datetime) -> int:
    """Empties every workspace key of an epoch; returns how many. None may be in use."""
    destroyed = (
        update(WorkspaceKeyRow)
        .where(col(WorkspaceKeyRow.epoch) == epoch, col(WorkspaceKeyRow.wrapped).is_not(None))
        .values(wrapped=None, state=KeyState.DESTROYED, destroyed_at=at)
        .returning(col(WorkspaceKeyRow.version))
    )
    return len(db.execute(destroyed).all())


async def every_workspace(db: AsyncSession) -> Sequence[UUID]:
    """The ids of all workspaces."""
    return (await db.scalars(select(WorkspaceRow.id).order_by(col(WorkspaceRow.key)))).all()


@asynccontextmanager
async def sole_rotation(engine: AsyncEngine) -> AsyncIterator[bool]:
    """Whether nobody else changes the keyring until the end of the block, wherever it runs."""
    connection = await engine.connect()
    try:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        yield await _locked(free)
    finally:
        # The lock ends with the connection, which therefore must not go back to the pool.
        await connection.invalidate()
        await connection.close()


async def _locked(connection: AsyncConnection) -> bool:
    wanted = text("SELECT pg_try_advisory_lock(hashtextextended('gatepass keyring', 0))")
    for _ in range(LOCK_WAIT // LOCK_EVERY):
        if await connection.scalar(wanted):
            return True
        await asyncio.sleep(LOCK_EVERY.total_seconds())
    return False
