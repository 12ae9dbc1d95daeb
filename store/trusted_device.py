"""Browsers that members trust: the second factor is not asked for there for a while (SH-11)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from store.changed import changed_rows
from store.columns import instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class TrustedDeviceRow(SealedRow, table=True):
    """One browser of one member; `digest` is of its cookie. Its end was stated when it began."""

    __tablename__ = "trusted_device"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    member_id: UUID = Field(foreign_key="member.id", index=True)
    digest: str = Field(unique=True)
    key_version: int
    created_at: datetime = instant()
    used_at: datetime = instant()
    expires_at: datetime = instant(index=True)

    browser = sealed("browser", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member who trusts it."""
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)


async def device_by_digest(
    db: AsyncSession, member_id: UUID, digests: Sequence[str], at: datetime
) -> TrustedDeviceRow | None:
    """The trusted browser of a member with one of these digests, before its end."""
    found = select(TrustedDeviceRow).where(
        TrustedDeviceRow.member_id == member_id,
        col(TrustedDeviceRow.digest).in_(digests),
        col(TrustedDeviceRow.expires_at) > at,
    )
    return await opened_one(db, (await db.scalars(found)).first())


async def devices_of(db: AsyncSession, member_id: UUID, at: datetime) -> Sequence[TrustedDeviceRow]:
    """The browsers that a member trusts at a moment, newest first."""
    found = select(TrustedDeviceRow).where(
        TrustedDeviceRow.member_id == member_id, col(TrustedDeviceRow.expires_at) > at
    )
    ordered = found.order_by(col(TrustedDeviceRow.id).desc())
    return await opened(db, (await db.scalars(ordered)).all())


async def delete_device(db: AsyncSession, member_id: UUID, device_id: UUID) -> bool:
    """Trusts one of a member's browsers no longer; whether there was such a one."""
    gone = await db.execute(
        delete(TrustedDeviceRow).where(
            col(TrustedDeviceRow.id) == device_id, col(TrustedDeviceRow.member_id) == member_id
        )
    )
    return changed_rows(gone) > 0


async def delete_devices(db: AsyncSession, member_id: UUID) -> int:
    """Trusts none of a member's browsers any longer; returns how many there were."""
    of_member = col(TrustedDeviceRow.member_id) == member_id
    return changed_rows(await db.execute(delete(TrustedDeviceRow).where(of_member)))


async def count_devices(db: AsyncSession, workspace_id: UUID, at: datetime) -> int:
    """How many browsers are trusted in a workspace."""
    found = select(func.count()).where(
        TrustedDeviceRow.workspace_id == workspace_id, col(TrustedDeviceRow.expires_at) > at
    )
    return int((await db.scalars(found)).one())
