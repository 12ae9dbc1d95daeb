"""Tokens for the API and for SCIM: opaque, stored as an HMAC, limited in time, revocable."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.member import Role
from domain.token import TokenKind
from store.columns import instant, optional_instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class TokenRow(SealedRow, table=True):
    """One token of one workspace: `role` says what it may do, `email` is told of outcomes.

    One for SCIM has neither: it opens nothing else.
    """

    __tablename__ = "token"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    digest: str = Field(unique=True)
    key_version: int
    kind: str = TokenKind.API
    role: str = Role.ADMIN
    created_at: datetime = instant()
    expires_at: datetime | None = optional_instant()
    revoked_at: datetime | None = optional_instant()

    name = sealed("name", "")
    email = sealed("email", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The workspace it opens."""
        return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)

    def is_good(self, at: datetime) -> bool:
        """Whether the token opens anything at `at`."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


async def token_by_digest(db: AsyncSession, digests: Sequence[str]) -> TokenRow | None:
    """The token whose HMAC, under one of the root keys, is among `digests`."""
    found = await db.scalars(select(TokenRow).where(col(TokenRow.digest).in_(digests)))
    return await opened_one(db, found.one_or_none())


async def token_by_id(db: AsyncSession, workspace_id: UUID, token_id: UUID) -> TokenRow | None:
    """A token of this workspace."""
    found = await db.scalars(
        select(TokenRow).where(TokenRow.workspace_id == workspace_id, TokenRow.id == token_id)
    )
    return await opened_one(db, found.one_or_none())


async def tokens_by_id(db: AsyncSession, ids: Collection[UUID]) -> Sequence[TokenRow]:
    """Several tokens by their ids, for lists that name them."""
    found = await db.scalars(select(TokenRow).where(col(TokenRow.id).in_(ids)))
    return await opened(db, found.all())


async def tokens_of(db: AsyncSession, workspace_id: UUID) -> Sequence[TokenRow]:
    """Every token of a workspace, oldest first."""
    found = select(TokenRow).where(TokenRow.workspace_id == workspace_id)
    return await opened(db, (await db.scalars(found.order_by(col(TokenRow.id)))).all())
