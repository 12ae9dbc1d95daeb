"""Definitions: forms, documents, session templates and lifecycles, each saved as versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, func
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, select

from domain.definition import DefinitionKind, DefinitionStatus
from store.columns import instant, optional_instant, ordered_json, primary_id
from store.page import cursor_after_key, key_of


class DefinitionRow(SQLModel, table=True):
    """One version of one definition. A published version never changes."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "key", "version"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    kind: str
    key: str
    version: int
    status: str
    body: dict[str, Any] = ordered_json()
    digest: str = ""
    created_at: datetime = instant()
    published_at: datetime | None = optional_instant()


def _latest(workspace_id: UUID, kind: DefinitionKind, *statuses: DefinitionStatus) -> Any:
    """The highest version of each key, among those with one of the statuses."""
    found = (
        select(DefinitionRow)
        .where(DefinitionRow.workspace_id == workspace_id, DefinitionRow.kind == kind)
        .ext(distinct_on(col(DefinitionRow.key)))
        .order_by(col(DefinitionRow.key), col(DefinitionRow.version).desc())
    )
    return found.where(col(DefinitionRow.status).in_(statuses)) if statuses else found


async def latest_definition(
    db: AsyncSession,
    workspace_id: UUID,
    kind: DefinitionKind,
    key: str,
    *statuses: DefinitionStatus,
) -> DefinitionRow | None:
    """The highest version of a key, of any status or of those given."""
    found = _latest(workspace_id, kind, *statuses).where(DefinitionRow.key == key)
    # Read anew, for it may have been published since this transaction saw it first.
    found = found.execution_options(populate_existing=True)
    row: DefinitionRow | None = (await db.scalars(found)).one_or_none()
    return row


async def latest_definitions(
    db: AsyncSession, workspace_id: UUID, kind: DefinitionKind, *statuses: DefinitionStatus
) -> Sequence[DefinitionRow]:
    """The highest version of every key of a kind, of any status or of those given."""
    found = _latest(workspace_id, kind, *statuses)
    rows: Sequence[DefinitionRow] = (await db.scalars(found)).all()
    return rows


async def definition_version(
    db: AsyncSession, workspace_id: UUID, kind: DefinitionKind, key: str, version: int
) -> DefinitionRow | None:
    """Exactly this version."""
    return (
        await db.scalars(
            select(DefinitionRow).where(
                DefinitionRow.workspace_id == workspace_id,
                DefinitionRow.kind == kind,
                DefinitionRow.key == key,
                DefinitionRow.version == version,
            )
        )
    ).one_or_none()


async def definition_versions(
    db: AsyncSession, workspace_id: UUID, kind: DefinitionKind, key: str
) -> Sequence[DefinitionRow]:
    """Every version of a key, newest first."""
    return (
        await db.scalars(
            select(DefinitionRow)
            .where(
                DefinitionRow.workspace_id == workspace_id,
                DefinitionRow.kind == kind,
                DefinitionRow.key == key,
            )
            .order_by(col(DefinitionRow.version).desc())
        )
    ).all()


async def lock_definitions(db: AsyncSession, workspace_id: UUID, kind: DefinitionKind) -> None:
    """Lets one transaction at a time save definitions of a kind, so that versions stay in a row."""
    await db.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{workspace_id}:{kind}", 0)))
    )


async def definitions_page(
    db: AsyncSession,
    workspace_id: UUID,
    kind: DefinitionKind,
    cursor: str | None,
    limit: int,
    status: DefinitionStatus | None = None,
) -> tuple[Sequence[DefinitionRow], str | None]:
    """The highest version of each key, by key; `status` is that version's."""
    newest = aliased(DefinitionRow, _latest(workspace_id, kind).subquery())
    found = select(newest).order_by(col(newest.key)).limit(limit + 1)
    if cursor:
        found = found.where(col(newest.key) > key_of(cursor))
    if status is not None:
        found = found.where(newest.status == status.value)
    rows: Sequence[DefinitionRow] = (await db.scalars(found)).all()
    more = len(rows) > limit
    return rows[:limit], cursor_after_key(rows[limit - 1].key) if more else None
