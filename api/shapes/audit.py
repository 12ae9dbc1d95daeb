"""Audit rows as the API shows them (PS-25)."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from api.shapes.field import Shown
from domain.audit import AuditEvent
from store.audit import AuditRow


class AuditShape(Shown):
    """One thing that happened: who did what, when, to what and why."""

    id: UUID
    at: datetime
    event: AuditEvent
    actor: str
    actor_label: str
    public_session: UUID | None
    party: UUID | None
    subject: str
    reason: str
    details: dict[str, Any]

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """The shape of a row."""
        about = {"public_session": row.session_id, "party": row.party_id}
        return cls.model_validate(row.model_dump() | about)
