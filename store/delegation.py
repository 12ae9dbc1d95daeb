"""Who lets whom act for it, and until when."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from domain.delegation import Delegation
from store.columns import instant, optional_instant, primary_id


class DelegationRow(SQLModel, table=True):
    """`owner_id` lets `delegate_id` act for it."""

    __tablename__ = "delegation"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    owner_id: UUID = Field(foreign_key="member.id", index=True)
    delegate_id: UUID = Field(foreign_key="member.id", index=True)
    created_at: datetime = instant()
    ends_at: datetime = instant()
    ended_at: datetime | None = optional_instant()

    @property
    def value(self) -> Delegation:
        """The domain value."""
        return Delegation(self.ends_at, self.ended_at)


async def delegation_by_id(
    db: AsyncSession, workspace_id: UUID, delegation_id: UUID, *, lock: bool = False
) -> DelegationRow | None:
    """A grant of this workspace; its row locked if asked."""
    found = select(DelegationRow).where(
        DelegationRow.workspace_id == workspace_id, DelegationRow.id == delegation_id
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return (await db.scalars(found)).one_or_none()


async def good_delegations(
    db: AsyncSession, member_id: UUID, at: datetime
) -> Sequence[DelegationRow]:
    """Grants by a member or to it that are good at `at`, oldest first: `is_good` in SQL."""
    found = select(DelegationRow).where(
        or_(col(DelegationRow.owner_id) == member_id, col(DelegationRow.delegate_id) == member_id),
        col(DelegationRow.ended_at).is_(None),
        col(DelegationRow.ends_at) > at,
    )
    return (await db.scalars(found.order_by(col(DelegationRow.id)))).all()
