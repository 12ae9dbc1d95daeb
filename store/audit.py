"""The audit log: who did what, when, to what and why (PS-25). Rows are only ever added."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, json_column, primary_id


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


async def audit_of_session(db: AsyncSession, session_id: UUID) -> Sequence[AuditRow]:
    """A session's trail, oldest first (PS-24)."""
    found = select(AuditRow).where(AuditRow.session_id == session_id)
    return (await db.scalars(found.order_by(col(AuditRow.id)))).all()
