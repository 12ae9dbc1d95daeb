"""The second factors of members: authenticator apps and recovery codes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, delete, func, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from store.changed import changed_rows
from store.columns import instant, optional_instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened_one, sealed


class SecondFactorRow(SealedRow, table=True):
    """One authenticator app. Until it is confirmed it is an enrolment and confirms nobody.

    `begun_in` is the session, or the step of a sign-in, in which the password was shown: nobody
    else gets to see the key. `time_code` is that of the newest code that was used: it and older
    ones are never good again (ASVS 6.5.1).
    """

    __tablename__ = "second_factor"
    __table_args__ = (
        Index(
            "ix_second_factor_confirmed",
            "member_id",
            unique=True,
            postgresql_where=text("confirmed_at IS NOT NULL"),
        ),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID = Field(foreign_key="member.id", index=True)
    begun_in: UUID
    time_code: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = instant()
    expires_at: datetime = instant(index=True)
    confirmed_at: datetime | None = optional_instant()

    key = sealed("key", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member it is of."""
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)


class RecoveryCodeRow(SQLModel, table=True):
    """One recovery code: its HMAC, and when it was used. It is shown once, when it is made."""

    __tablename__ = "recovery_code"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID = Field(foreign_key="member.id", index=True)
    digest: str = Field(unique=True)
    key_version: int
    created_at: datetime = instant()
    used_at: datetime | None = optional_instant()


async def factor_of(db: AsyncSession, member_id: UUID) -> SecondFactorRow | None:
    """The authenticator app that a member has confirmed."""
    found = select(SecondFactorRow).where(
        SecondFactorRow.member_id == member_id, col(SecondFactorRow.confirmed_at).is_not(None)
    )
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def enrolment_of(
    db: AsyncSession, member_id: UUID, begun_in: UUID, at: datetime
) -> SecondFactorRow | None:
    """The app that a member is about to confirm in this session or sign-in."""
    found = select(SecondFactorRow).where(
        SecondFactorRow.member_id == member_id,
        SecondFactorRow.begun_in == begun_in,
        col(SecondFactorRow.confirmed_at).is_(None),
        col(SecondFactorRow.expires_at) > at,
    )
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def factors_set_at(db: AsyncSession, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Since when each of these members who has a second factor has it."""
    found = select(SecondFactorRow.member_id, SecondFactorRow.confirmed_at).where(
        col(SecondFactorRow.member_id).in_(ids), col(SecondFactorRow.confirmed_at).is_not(None)
    )
    rows = (await db.execute(found)).all()
    return {member_id: at for member_id, at in rows if at is not None}


async def spend_time_code(db: AsyncSession, factor_id: UUID, time_code: int) -> bool:
    """Uses a code of an app up, and all older ones; of any number at once, one is told True."""
    spent = await db.execute(
        update(SecondFactorRow)
        .where(col(SecondFactorRow.id) == factor_id, col(SecondFactorRow.time_code) < time_code)
        .values(time_code=time_code)
    )
    return changed_rows(spent) > 0


async def spend_recovery_code(
    db: AsyncSession, member_id: UUID, digests: Sequence[str], at: datetime
) -> bool:
    """Uses a recovery code up by one guarded UPDATE: of any number at once, one is told True."""
    spent = await db.execute(
        update(RecoveryCodeRow)
        .where(
            col(RecoveryCodeRow.member_id) == member_id,
            col(RecoveryCodeRow.digest).in_(digests),
            col(RecoveryCodeRow.used_at).is_(None),
        )
        .values(used_at=at)
    )
    return changed_rows(spent) > 0


async def count_recovery_codes(db: AsyncSession, member_id: UUID) -> int:
    """How many recovery codes of a member were not used."""
    found = select(func.count()).where(
        RecoveryCodeRow.member_id == member_id, col(RecoveryCodeRow.used_at).is_(None)
    )
    return int((await db.scalars(found)).one())


async def delete_enrolments(db: AsyncSession, member_id: UUID) -> None:
    """Deletes what a member began to set up and has not confirmed."""
    await db.execute(
        delete(SecondFactorRow).where(
            col(SecondFactorRow.member_id) == member_id,
            col(SecondFactorRow.confirmed_at).is_(None),
        )
    )


async def delete_recovery_codes(db: AsyncSession, member_id: UUID) -> None:
    """Deletes every recovery code of a member."""
    await db.execute(delete(RecoveryCodeRow).where(col(RecoveryCodeRow.member_id) == member_id))


async def delete_factors(db: AsyncSession, member_id: UUID) -> bool:
    """Deletes a member's app and recovery codes; whether there was a confirmed one."""
    had_one = await factor_of(db, member_id) is not None
    await delete_recovery_codes(db, member_id)
    await db.execute(delete(SecondFactorRow).where(col(SecondFactorRow.member_id) == member_id))
    return had_one
