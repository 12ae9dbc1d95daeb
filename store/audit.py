"""The audit log: who did what, when, to what and why (PS-25).

Rows are only ever added. Each is a leaf of its workspace's tree (RFC 6962): what it tells lies
sealed, and the leaf commits to it by a salted hash, so that erasing leaves the tree whole. The
sequencer gives committed rows their place in the tree.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.audit import AuditEvent
from domain.audit_leaf import commitment_of
from store.columns import instant, primary_id
from store.page import page_of, trail_of
from store.sealed import Owner, OwnerKind, SealedRow, opened, sealed

SALT_BYTES = 32
HAS_SUBJECT = text("subject <> ''")
"""Said in words wherever the index is to be used: of a parameter PostgreSQL cannot tell."""


class AuditRow(SealedRow, table=True):
    """One thing that happened, written in the transaction that made it happen."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "workspace_id", "id"),
        Index(None, "session_id", "id"),
        Index(None, "party_id", "id"),
        UniqueConstraint("workspace_id", "position"),
        Index(
            "ix_audit_unnumbered",
            "workspace_id",
            "id",
            postgresql_where=text("position IS NULL AND commitment IS NOT NULL"),
        ),
        Index("ix_audit_subject", "workspace_id", "subject", postgresql_where=HAS_SUBJECT),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    event: str
    actor: str
    session_id: UUID | None = None
    party_id: UUID | None = None
    subject: str = ""
    at: datetime = instant()
    commitment: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    position: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    leaf_hash: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)

    text = sealed("text", "")
    salt = sealed("salt", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The session it happened to, else the party, else the workspace."""
        if self.session_id:
            return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)
        if self.party_id:
            return Owner(self.workspace_id, self.party_id, OwnerKind.PARTY)
        return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)

    def tell(self, label: str, reason: str, details: Mapping[str, Any]) -> None:
        """Sets what the row tells, which is sealed, and commits to it."""
        told = {"actor_label": label, "reason": reason, "details": details}
        self.text = json.dumps(told, ensure_ascii=False, sort_keys=True)
        self.commit()

    def commit(self) -> None:
        """Commits to the text by a salted hash: it tells nothing, and shows any later change."""
        salt = os.urandom(SALT_BYTES)
        self.salt = salt.hex()
        self.commitment = bytes.fromhex(commitment_of(salt, self.text))

    @property
    def told(self) -> dict[str, Any]:
        """What the row tells: `actor_label`, `reason`, `details`; empty once it was erased."""
        return json.loads(self.text) if self.text else {}

    @property
    def actor_label(self) -> str:
        """Who acted, in words."""
        return str(self.told.get("actor_label", ""))

    @property
    def reason(self) -> str:
        """Why."""
        return str(self.told.get("reason", ""))

    @property
    def details(self) -> dict[str, Any]:
        """What there is to know besides."""
        return dict(self.told.get("details", {}))


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
    rows, following = await page_of(db, found, col(AuditRow.id), cursor, limit)
    return await opened(db, rows), following


async def trail_page(
    db: AsyncSession, session_id: UUID, cursor: str | None, limit: int
) -> tuple[Sequence[AuditRow], str | None]:
    """A page of a session's trail, oldest first (PS-24)."""
    found = select(AuditRow).where(AuditRow.session_id == session_id)
    rows, following = await trail_of(db, found, col(AuditRow.id), cursor, limit)
    return await opened(db, rows), following


async def last_at(db: AsyncSession, session_id: UUID, event: AuditEvent) -> datetime | None:
    """When an event was last written down for a session."""
    found = select(AuditRow.at).where(AuditRow.session_id == session_id, AuditRow.event == event)
    return (await db.scalars(found.order_by(col(AuditRow.id).desc()).limit(1))).one_or_none()
