"""What a directory said of members: their groups, its own id and words for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.member import MemberState, Role
from domain.provision import Standing
from store.columns import instant, optional_instant
from store.member import MemberRow
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class ProvisionRow(SealedRow, table=True):
    """The directory's side of one member; `external_digest` is what its own id is found by.

    `removed_at`: the directory deleted it, and sees it no more; the account is disabled.
    """

    __tablename__ = "provision"
    __table_args__ = (Index(None, "workspace_id", "external_digest"),)

    member_id: UUID = Field(foreign_key="member.id", primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    external_digest: str | None = None
    groups: list[str] = Field(default_factory=list, sa_type=ARRAY(String), nullable=False)
    active: bool = True
    updated_at: datetime = instant()
    removed_at: datetime | None = optional_instant()

    external_id = sealed("external_id", "")
    profile = sealed("profile", dict[str, Any]())

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member it is of."""
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)

    @property
    @override
    def row_name(self) -> str:
        """The member's id."""
        return str(self.member_id)


@dataclass(frozen=True, slots=True)
class Account:
    """A member with what a directory said of it, if one ever did."""

    member: MemberRow
    provision: ProvisionRow | None

    @property
    def standing(self) -> Standing:
        """The domain value."""
        stated = [Role(each) for each in self.provision.groups] if self.provision else None
        wanted = self.provision is not None and self.provision.active
        return Standing(Role(self.member.role), MemberState(self.member.state), stated, wanted)

    @property
    def updated_at(self) -> datetime:
        """When it was last changed, by whomever."""
        if self.provision is None:
            return self.member.updated_at
        return max(self.member.updated_at, self.provision.updated_at)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which accounts of a workspace are looked for: all, or those found by one of these."""

    workspace_id: UUID
    member_id: UUID | None = None
    email_digest: str | None = None
    external_digest: str | None = None


async def accounts(
    db: AsyncSession, sought: Sought, offset: int = 0, limit: int | None = None
) -> Sequence[Account]:
    """The accounts that a directory sees, in the order of their ids, with what they contain."""
    found = _seen(select(MemberRow, ProvisionRow), sought).order_by(col(MemberRow.id))
    rows = (await db.execute(found.offset(offset).limit(limit))).all()
    await opened(db, [each for each, _ in rows])
    await opened(db, [each for _, each in rows if each is not None])
    return [Account(member, provision) for member, provision in rows]


async def count_accounts(db: AsyncSession, sought: Sought) -> int:
    """How many accounts a directory sees."""
    found = _seen(select(func.count()).select_from(MemberRow), sought)
    return int((await db.scalars(found)).one())


def _seen(found: Any, sought: Sought) -> Any:
    found = found.outerjoin(ProvisionRow, col(ProvisionRow.member_id) == col(MemberRow.id)).where(
        col(MemberRow.workspace_id) == sought.workspace_id,
        col(MemberRow.state) != MemberState.DELETED,
        col(ProvisionRow.removed_at).is_(None),
    )
    if sought.member_id is not None:
        found = found.where(col(MemberRow.id) == sought.member_id)
    if sought.email_digest is not None:
        found = found.where(col(MemberRow.email_digest) == sought.email_digest)
    if sought.external_digest is not None:
        found = found.where(col(ProvisionRow.external_digest) == sought.external_digest)
    return found


async def standings(db: AsyncSession, workspace_id: UUID) -> dict[UUID, Account]:
    """Every account a directory sees by its member's id, without opening what it contains."""
    found = _seen(select(MemberRow, ProvisionRow), Sought(workspace_id))
    rows = (await db.execute(found.order_by(col(MemberRow.id)))).all()
    return {member.id: Account(member, provision) for member, provision in rows}


async def provision_of(db: AsyncSession, member_id: UUID) -> ProvisionRow | None:
    """What a directory said of a member, removed or not."""
    found = select(ProvisionRow).where(ProvisionRow.member_id == member_id)
    return await opened_one(db, (await db.scalars(found)).one_or_none())
