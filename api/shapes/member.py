"""Members and their sessions as the API takes and shows them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from api.shapes.field import Address, Shown, Wanted
from api.shapes.party import Locale, Name, Zone
from commands.member import MemberChanges
from domain.member import MemberFields, MemberState, Role
from domain.member_session import MemberSessionEnd
from domain.sign_in import LockPolicy, SignInMode
from store.member import MemberRow
from store.member_session import MemberSessionRow


class NewMember(Wanted):
    """A member to invite; the mailed link makes its account."""

    email: Address
    name: Name
    role: Role
    locale: Locale = "en"
    zone: Zone = "UTC"

    def fields(self) -> MemberFields:
        """What the command takes."""
        return MemberFields(**dict(self))


class ChangedMember(Wanted):
    """Members to replace; one that is null or left out stays."""

    role: Role | None = None
    name: Name | None = None
    locale: Locale | None = None
    zone: Zone | None = None

    def changes(self) -> MemberChanges:
        """What the command takes."""
        return MemberChanges(**dict(self))


class SignInLock(Shown):
    """The wrong passwords since the last right one, and until when they lock (SX-16)."""

    locked_until: datetime | None = Field(description="Null: nobody is locked out")
    failures: int

    @classmethod
    def of(cls, row: MemberRow, policy: LockPolicy, at: datetime) -> Self:
        """The lock of a member at a moment."""
        attempts = row.attempts
        until = attempts.locked_until(policy) if attempts.is_locked(at, policy) else None
        return cls(locked_until=until, failures=attempts.failures)


class MemberShape(Shown):
    """A member of the workspace."""

    id: UUID
    email: str
    name: str
    role: Role
    state: MemberState
    locale: str
    zone: str
    lock: SignInLock
    password_set_at: datetime | None
    second_factor_set_at: datetime | None = Field(description="Null: there is no second factor")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(
        cls, row: MemberRow, policy: LockPolicy, at: datetime, second_factor: datetime | None
    ) -> Self:
        """The shape of a row; `second_factor` is since when there is one."""
        lock = SignInLock.of(row, policy, at)
        return cls.showing(row, lock=lock, second_factor_set_at=second_factor)


class MemberSessionShape(Shown):
    """A session that may act, or one that was killed a short while ago (SH-14, SH-19)."""

    id: UUID
    member: UUID
    mode: SignInMode
    browser: str
    signed_in_at: datetime
    seen_at: datetime
    ends_at: datetime = Field(description="When it ends, or ended, if nobody does anything")
    end_reason: MemberSessionEnd | None = Field(description="Null: it may act")

    @classmethod
    def of(cls, row: MemberSessionRow) -> Self:
        """The shape of a row."""
        return cls.showing(row, member=row.member_id, ends_at=row.ended_at or row.value.ends_at)
