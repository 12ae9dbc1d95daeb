"""The reports of sign-ins and of opened pages (EE-15 to EE-17, EE-21)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from api.shapes.field import Shown
from commands.login import LoginOutcome
from domain.access import denial
from store.access import LoginRow, PageVisitRow

RECOGNISED = frozenset({LoginOutcome.SIGNED_IN, LoginOutcome.LIMIT_REACHED})


class LoginShape(Shown):
    """One attempt at signing in."""

    id: UUID
    at: datetime
    person: str = Field(description="Who was recognised, or the guest name of the settings")
    member: UUID | None = Field(description="Whose account it was; null: of nobody here")
    status: LoginOutcome
    mode: str
    device: str

    @classmethod
    def of(cls, row: LoginRow, names: Mapping[UUID, str], guest: str) -> Self:
        """The shape of a row; a failed attempt shows nobody, for nobody showed who it was."""
        is_known = row.member_id is not None and row.outcome in RECOGNISED
        person = names.get(row.member_id, guest) if is_known and row.member_id else guest
        named = {"person": person, "member": row.member_id}
        return cls.showing(row, **named, status=row.outcome, device=row.browser)

    def cells(self) -> tuple[str, ...]:
        """The line of a table."""
        return (self.at.isoformat(), self.person, self.status, self.mode, self.device)


LOGIN_HEAD = ("time", "person", "status", "mode", "device")


class VisitShape(Shown):
    """One page, or route of the API, that was opened or denied."""

    id: UUID
    at: datetime
    page: str
    denied: bool
    person: str
    member: UUID | None
    on_behalf_of: UUID | None
    token: UUID | None = Field(description="The program's, where it was no member")
    mode: str

    @classmethod
    def of(cls, row: PageVisitRow, names: Mapping[UUID, str], guest: str) -> Self:
        """The shape of a row; a denial is told in the words of the report."""
        whose = row.member_id or row.token_id
        person = names.get(whose, guest) if whose else guest
        page = denial(row.page) if row.denied else row.page
        ids = {"member": row.member_id, "token": row.token_id}
        return cls.showing(row, page=page, person=person, **ids)

    def cells(self) -> tuple[str, ...]:
        """The line of a table."""
        acting = str(self.on_behalf_of or "")
        return (self.at.isoformat(), self.page, self.person, self.mode, acting)


VISIT_HEAD = ("time", "page", "person", "mode", "on behalf of")
