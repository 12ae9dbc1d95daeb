"""The identity provider of a workspace, and by what its members are known there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from store.columns import instant, json_column, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened_one, sealed


class FederationRow(SealedRow, table=True):
    """A workspace's provider and our client there; without a row nobody signs in that way."""

    __tablename__ = "federation"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", unique=True)
    issuer: str
    client_id: str
    domains: list[str] = json_column(list)
    match: str
    changed_at: datetime = instant()

    client_secret = sealed("client_secret", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The workspace."""
        return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)


class FederatedSubjectRow(SQLModel, table=True):
    """Whom a member is at the workspace's provider: an HMAC of the subject, bound the first time.

    It goes with the account, and with the provider.
    """

    __tablename__ = "federated_subject"
    __table_args__ = (UniqueConstraint("workspace_id", "digest"),)

    member_id: UUID = Field(foreign_key="member.id", primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    digest: str
    key_version: int
    bound_at: datetime = instant()


async def federation_of(db: AsyncSession, workspace_id: UUID) -> FederationRow | None:
    """The provider of a workspace."""
    found = select(FederationRow).where(FederationRow.workspace_id == workspace_id)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def member_of_subject(
    db: AsyncSession, workspace_id: UUID, digests: Sequence[str]
) -> UUID | None:
    """The member who was bound to a subject."""
    found = select(FederatedSubjectRow.member_id).where(
        FederatedSubjectRow.workspace_id == workspace_id,
        col(FederatedSubjectRow.digest).in_(digests),
    )
    return (await db.scalars(found)).one_or_none()


async def is_bound(db: AsyncSession, member_id: UUID) -> bool:
    """Whether a member was bound to a subject."""
    return await db.get(FederatedSubjectRow, member_id) is not None


async def forget_subject(db: AsyncSession, member_id: UUID) -> None:
    """Forgets whom a member is at the workspace's provider."""
    await db.execute(
        delete(FederatedSubjectRow).where(col(FederatedSubjectRow.member_id) == member_id)
    )


async def forget_subjects(db: AsyncSession, workspace_id: UUID) -> None:
    """Forgets whom the members of a workspace are at its provider."""
    await db.execute(
        delete(FederatedSubjectRow).where(col(FederatedSubjectRow.workspace_id) == workspace_id)
    )
