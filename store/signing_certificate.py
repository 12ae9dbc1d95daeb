"""What a workspace seals signed documents with (PS-43)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from store.columns import instant, optional_instant, primary_id
from store.never_clear import never_clear, refuse_clear
from store.sealed import Owner, OwnerKind, SealedRow, opened_one, sealed


class SigningCertificateRow(SealedRow, table=True):
    """One certificate with its chain and, sealed, its key; the newest that is not retired seals.

    `origin` is `made` or `imported`. The fields in PEM are what `adapters/signing_certificate.py`
    takes and gives; `root_key` is "" for an imported one.
    """

    __tablename__ = "signing_certificate"
    __table_args__ = (
        never_clear(),
        Index(
            "ix_signing_certificate_current",
            "workspace_id",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    origin: str
    subject: str
    fingerprint: str
    not_after: datetime = instant()
    timestamp_url: str = ""
    created_by: str
    created_at: datetime = instant()
    retired_at: datetime | None = optional_instant()

    key = sealed("key", "")
    chain = sealed("chain", "")
    revocation_lists = sealed("revocation_lists", list[str]())
    root_key = sealed("root_key", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The workspace."""
        return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)


refuse_clear(SigningCertificateRow)


async def current_certificate(
    db: AsyncSession, workspace_id: UUID, *, lock: bool = False
) -> SigningCertificateRow | None:
    """The certificate that seals, if there is one."""
    found = select(SigningCertificateRow).where(
        SigningCertificateRow.workspace_id == workspace_id,
        col(SigningCertificateRow.retired_at).is_(None),
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())
