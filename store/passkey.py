"""Passkeys of members: public keys, and which of our questions were answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from store.changed import changed_rows
from store.columns import instant, new_id, optional_instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened, sealed


class PasskeyRow(SealedRow, table=True):
    """One passkey. `credential` names it to browsers; `sign_count` is 0 where a device has none."""

    __tablename__ = "passkey"
    __table_args__ = (UniqueConstraint("workspace_id", "credential"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID = Field(foreign_key="member.id", index=True)
    credential: str
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = instant()
    used_at: datetime | None = optional_instant()

    browser = sealed("browser", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member it is of."""
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)


class AnsweredRow(SQLModel, table=True):
    """A question that was answered with a passkey: it is never answered again."""

    __tablename__ = "passkey_answer"

    id: UUID = primary_id()
    digest: str = Field(unique=True)
    expires_at: datetime = instant(index=True)


async def passkey_by_credential(
    db: AsyncSession, workspace_id: UUID, credential: str
) -> PasskeyRow | None:
    """The passkey with this name in a workspace."""
    found = select(PasskeyRow).where(
        PasskeyRow.workspace_id == workspace_id, PasskeyRow.credential == credential
    )
    return (await db.scalars(found)).one_or_none()


async def passkeys_of(db: AsyncSession, member_id: UUID) -> Sequence[PasskeyRow]:
    """A member's passkeys, newest first."""
    found = select(PasskeyRow).where(PasskeyRow.member_id == member_id)
    ordered = found.order_by(col(PasskeyRow.id).desc())
    return await opened(db, (await db.scalars(ordered)).all())


async def answer_once(db: AsyncSession, digest: str, expires_at: datetime) -> bool:
    """Uses a question up: of any number of answers at once, one is told True."""
    added = await db.execute(
        insert(AnsweredRow)
        .values(id=new_id(), digest=digest, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(col(AnsweredRow.id))
    )
    return added.first() is not None


async def delete_passkey(db: AsyncSession, member_id: UUID, passkey_id: UUID) -> bool:
    """Deletes one of a member's passkeys; whether there was such a one."""
    gone = await db.execute(
        delete(PasskeyRow).where(
            col(PasskeyRow.id) == passkey_id, col(PasskeyRow.member_id) == member_id
        )
    )
    return changed_rows(gone) > 0


async def delete_passkeys(db: AsyncSession, member_id: UUID) -> bool:
    """Deletes every passkey of a member; whether there was any."""
    gone = await db.execute(delete(PasskeyRow).where(col(PasskeyRow.member_id) == member_id))
    return changed_rows(gone) > 0
