"""Members of a workspace, with what they sign in by."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.member import MemberState
from domain.sign_in import Attempts
from store.columns import instant, optional_instant, primary_id
from store.page import page_of
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class MemberRow(SealedRow, table=True):
    """One account. `email_digest` is what its address is found by; a deleted one has none.

    `failures` and `locked_at` count wrong passwords (SX-16). `password` is an argon2 hash, sealed
    besides, or "" while none was chosen.
    `first_signed_in_at` is empty until it has signed in once.
    """

    __tablename__ = "member"
    __table_args__ = (
        Index(
            "ix_member_address",
            "workspace_id",
            "email_digest",
            unique=True,
            postgresql_where=text("email_digest IS NOT NULL"),
        ),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    email_digest: str | None = None
    role: str
    state: str = MemberState.INVITED
    locale: str = "en"
    zone: str = "UTC"
    failures: int = 0
    locked_at: datetime | None = optional_instant()
    password_set_at: datetime | None = optional_instant()
    first_signed_in_at: datetime | None = optional_instant()
    created_at: datetime = instant()
    updated_at: datetime = instant()
    deleted_at: datetime | None = optional_instant()

    email = sealed("email", "")
    name = sealed("name", "")
    password = sealed("password", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member: deleting the account destroys its key."""
        return Owner(self.workspace_id, self.id, OwnerKind.MEMBER)

    @property
    def attempts(self) -> Attempts:
        """The wrong attempts at signing in since the last right one."""
        return Attempts(self.failures, self.locked_at)

    def note(self, attempts: Attempts) -> None:
        """Writes the attempts down."""
        self.failures, self.locked_at = attempts.failures, attempts.locked_at


async def member_by_id(
    db: AsyncSession, workspace_id: UUID, member_id: UUID, *, lock: bool = False
) -> MemberRow | None:
    """A member of this workspace; its row locked if asked."""
    found = select(MemberRow).where(
        MemberRow.workspace_id == workspace_id, MemberRow.id == member_id
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def member_by_address(
    db: AsyncSession, workspace_id: UUID, digest: str, *, lock: bool = False
) -> MemberRow | None:
    """The member of this workspace with an address; its row locked if asked."""
    found = select(MemberRow).where(
        MemberRow.workspace_id == workspace_id, MemberRow.email_digest == digest
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def members_by_id(db: AsyncSession, ids: Collection[UUID]) -> dict[UUID, MemberRow]:
    """Several members by their ids, for lists that name them."""
    found = await db.scalars(select(MemberRow).where(col(MemberRow.id).in_(ids)))
    return {each.id: each for each in await opened(db, found.all())}


async def members_page(
    db: AsyncSession, workspace_id: UUID, cursor: str | None, limit: int
) -> tuple[Sequence[MemberRow], str | None]:
    """A page of a workspace's members, newest first; deleted accounts are not among them."""
    found = select(MemberRow).where(
        MemberRow.workspace_id == workspace_id, MemberRow.state != MemberState.DELETED
    )
    rows, following = await page_of(db, found, col(MemberRow.id), cursor, limit)
    return await opened(db, rows), following


async def administrators_of(db: AsyncSession, workspace_id: UUID) -> Sequence[MemberRow]:
    """The active administrators of a workspace, their rows locked in the order of their ids."""
    found = select(MemberRow).where(
        MemberRow.workspace_id == workspace_id,
        MemberRow.role == "admin",
        MemberRow.state == MemberState.ACTIVE,
    )
    return (await db.scalars(found.order_by(col(MemberRow.id)).with_for_update())).all()
