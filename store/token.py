"""API tokens: opaque, stored as an HMAC, limited in time and revocable."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, optional_instant, primary_id


class TokenRow(SQLModel, table=True):
    """One token of one workspace; `email` is told of the outcomes of what it issued."""

    __tablename__ = "token"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    name: str
    email: str | None = None
    digest: str = Field(unique=True)
    key_version: int
    created_at: datetime = instant()
    expires_at: datetime | None = optional_instant()
    revoked_at: datetime | None = optional_instant()

    def is_good(self, at: datetime) -> bool:
        """Whether the token opens anything at `at`."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


async def token_by_digest(db: AsyncSession, digests: Sequence[str]) -> TokenRow | None:
    """The token whose HMAC, under one of the root keys, is among `digests`."""
    return (
        await db.scalars(select(TokenRow).where(col(TokenRow.digest).in_(digests)))
    ).one_or_none()


async def tokens_of(db: AsyncSession, workspace_id: UUID) -> Sequence[TokenRow]:
    """Every token of a workspace, oldest first."""
    found = select(TokenRow).where(TokenRow.workspace_id == workspace_id)
    return (await db.scalars(found.order_by(col(TokenRow.id)))).all()
