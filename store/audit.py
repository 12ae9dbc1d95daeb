"""The audit log: who did what, when, to what and why (PS-25). Rows are only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from domain.audit import AuditEvent
from store.columns import instant, json_column, primary_id
from store.page import page_of, trail_of


class AuditRow(SQLModel, table=True):
    """One thing that happened, written in the transaction that made it happen."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "workspace_id", "id"),
        Index(None, "session_id", "id"),
        Index(None, "party_id", "id"),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    event: str
    actor: str
    actor_label: str = ""
    session_id: UUID | None = None
    party_id: UUID | None = None
    subject: str = ""
    reason: str = ""
    details: dict[str, Any] = json_column()
    at: datetime = instant()


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows a list shows; None shows all."""

    event: AuditEvent | None = None
    session: UUID | None = None
    party: UUID | None = None


async def audit_page(
    db: AsyncSession, workspace_id: UUID, wanted: AuditFilter, cursor: str | None, limit: int
) -> tuple[Sequence[AuditRow], str | None]:
    """A page of a workspace's audit log, newest first (PS-25)."""
    found = select(AuditRow).where(AuditRow.workspace_id == workspace_id)
    if wanted.event is not None:
        found = found.where(AuditRow.event == wanted.event.value)
    if wanted.session is not None:
        found = found.where(AuditRow.session_id == wanted.session)
    if wanted.party is not None:
        found = found.where(AuditRow.party_id == wanted.party)
    return await page_of(db, found, col(AuditRow.id), cursor, limit)


async def trail_page(
    db: AsyncSession, session_id: UUID, cursor: str | None, limit: int
) -> tuple[Sequence[AuditRow], str | None]:
    """A page of a session's trail, oldest first (PS-24)."""
    found = select(AuditRow).where(AuditRow.session_id == session_id)
    return await trail_of(db, found, col(AuditRow.id), cursor, limit)


async def last_at(db: AsyncSession, session_id: UUID, event: AuditEvent) -> datetime | None:
    """When an event was last written down for a session."""
    found = select(AuditRow.at).where(AuditRow.session_id == session_id, AuditRow.event == event)
    return (await db.scalars(found.order_by(col(AuditRow.id).desc()).limit(1))).one_or_none()
