"""Links mailed to members: invitation, forgot password, delete account; single use."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.changed import changed_rows
from store.columns import instant, optional_instant, primary_id


class MemberLinkRow(SQLModel, table=True):
    """One link. Its token is derived when it is mailed; here is its hash (SH-7, SH-8)."""

    __tablename__ = "member_link"
    __table_args__ = (Index(None, "member_id", "kind", "created_at"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID = Field(foreign_key="member.id")
    kind: str
    digest: str = Field(unique=True)
    key_version: int
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = optional_instant()


async def link_by_digest(db: AsyncSession, digest: str) -> MemberLinkRow | None:
    """The link with this hash, whatever became of it."""
    return (
        await db.scalars(select(MemberLinkRow).where(MemberLinkRow.digest == digest))
    ).one_or_none()


async def use_link(db: AsyncSession, link_id: UUID, at: datetime) -> bool:
    """Uses a link up by one guarded UPDATE: of any number at once, one is told True."""
    used = await db.execute(
        update(MemberLinkRow)
        .where(
            col(MemberLinkRow.id) == link_id,
            col(MemberLinkRow.used_at).is_(None),
            col(MemberLinkRow.expires_at) > at,
        )
        .values(used_at=at)
    )
    return changed_rows(used) > 0


async def end_links(db: AsyncSession, member_id: UUID, kinds: Sequence[str], at: datetime) -> None:
    """Ends every open link of a member of these kinds: a newer password makes them pointless."""
    await db.execute(
        update(MemberLinkRow)
        .where(
            col(MemberLinkRow.member_id) == member_id,
            col(MemberLinkRow.kind).in_(kinds),
            col(MemberLinkRow.used_at).is_(None),
        )
        .values(used_at=at)
    )


async def count_links(db: AsyncSession, member_id: UUID, kind: str, since: datetime) -> int:
    """How many links of a kind a member was mailed since a moment."""
    found = select(func.count()).where(
        MemberLinkRow.member_id == member_id,
        MemberLinkRow.kind == kind,
        MemberLinkRow.created_at > since,
    )
    return int((await db.scalars(found)).one())
