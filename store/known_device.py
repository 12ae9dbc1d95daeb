"""Browsers and programs in which members have signed in: elsewhere is new, and its owner is told.

They open nothing. Nobody is shown them, and each member's are known by another hash.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from store.columns import instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened_one, sealed


class KnownDeviceRow(SealedRow, table=True):
    """One browser or program of one member; `digest` is of its cookie or name, and the member.

    `session_id` is of the newest session there. It is forgotten if nobody signs in there until
    `expires_at`.
    """

    __tablename__ = "known_device"
    __table_args__ = (UniqueConstraint("member_id", "digest"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    member_id: UUID = Field(foreign_key="member.id")
    session_id: UUID = Field(index=True)
    digest: str
    key_version: int
    is_program: bool = False
    created_at: datetime = instant()
    expires_at: datetime = instant(index=True)

    browser = sealed("browser", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member who signed in there."""
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)


async def known_by_digest(
    db: AsyncSession, member_id: UUID, digests: Sequence[str]
) -> KnownDeviceRow | None:
    """What a locked member signed in from, by one of these digests; also if that is long ago."""
    found = select(KnownDeviceRow).where(
        KnownDeviceRow.member_id == member_id, col(KnownDeviceRow.digest).in_(digests)
    )
    ordered = found.order_by(col(KnownDeviceRow.expires_at).desc()).limit(1)
    return await opened_one(db, (await db.scalars(ordered)).first())


async def known_by_id(db: AsyncSession, device_id: UUID) -> KnownDeviceRow | None:
    """One of them."""
    return await opened_one(db, await db.get(KnownDeviceRow, device_id))


async def forget_known_devices(
    db: AsyncSession, member_id: UUID, but_of: UUID | None = None
) -> None:
    """Forgets where a member has signed in, but where a session is."""
    gone = delete(KnownDeviceRow).where(col(KnownDeviceRow.member_id) == member_id)
    if but_of is not None:
        gone = gone.where(col(KnownDeviceRow.session_id) != but_of)
    await db.execute(gone)


async def forget_known_device_of(db: AsyncSession, session_id: UUID) -> None:
    """Forgets where a session began."""
    await db.execute(delete(KnownDeviceRow).where(col(KnownDeviceRow.session_id) == session_id))
