"""Audit rows as the API shows them (PS-25)."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from api.shapes.field import Shown
from domain.audit import AuditEvent
from store.audit import AuditRow


class AuditShape(Shown):
    """One thing that happened: who did what, when, to what and why.

    `position` is its place in the log's tree, from 0, and `sealed_by` the size of the first signed
    checkpoint over it; both are null for the moment until a worker comes to it.
    """

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
    position: int | None
    sealed_by: int | None

    @classmethod
    def of(cls, row: AuditRow, sealed_by: int | None) -> Self:
        """The shape of a row."""
        about = {"public_session": row.session_id, "party": row.party_id}
        return cls.showing(row, sealed_by=sealed_by, **about)


class AuditKey(Shown):
    """Who signs the log's checkpoints: the verifier key (C2SP signed-note), and its fingerprint."""

    key: str
    sha256: str


class ConsistencyProof(Shown):
    """That the log of the smaller size is the beginning of the larger one (RFC 9162 2.1.4)."""

    first: int
    second: int
    proof: list[str]
