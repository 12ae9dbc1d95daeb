"""Access and refresh tokens of members, in pairs; a session with its pairs is a family (SH-9)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant, optional_instant, primary_id
from store.member_session import MemberSessionRow
from store.sealed import opened_one


class MemberTokenRow(SQLModel, table=True):
    """One pair. Its texts are derived when they are handed out; here are their HMACs.

    `used_at` is when the refresh token was exchanged for the pair `successor_id`. The end of the
    refresh token is its family's. The pair goes when its session's row does.
    """

    __tablename__ = "member_token"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID = Field(foreign_key="member_session.id", ondelete="CASCADE", index=True)
    access_digest: str = Field(unique=True)
    refresh_digest: str = Field(unique=True)
    key_version: int
    created_at: datetime = instant()
    access_expires_at: datetime = instant()
    refresh_expires_at: datetime = instant()
    used_at: datetime | None = optional_instant()
    successor_id: UUID | None = None


async def session_of_access(
    db: AsyncSession, digests: Sequence[str], at: datetime
) -> MemberSessionRow | None:
    """The session of an access token that has not expired at `at`."""
    found = (
        select(MemberSessionRow)
        .join(MemberTokenRow, col(MemberTokenRow.session_id) == col(MemberSessionRow.id))
        .where(
            col(MemberTokenRow.access_digest).in_(digests),
            col(MemberTokenRow.access_expires_at) > at,
        )
    )
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def pair_of_refresh(db: AsyncSession, digests: Sequence[str]) -> MemberTokenRow | None:
    """The pair with this refresh token, whatever became of it."""
    found = select(MemberTokenRow).where(col(MemberTokenRow.refresh_digest).in_(digests))
    return (await db.scalars(found)).one_or_none()


async def pair_of_access(db: AsyncSession, digests: Sequence[str]) -> MemberTokenRow | None:
    """The pair with this access token, whatever became of it."""
    found = select(MemberTokenRow).where(col(MemberTokenRow.access_digest).in_(digests))
    return (await db.scalars(found)).one_or_none()
