"""What the reports tell: who signed in or tried to, which pages were opened (EE-15 to EE-17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from store.columns import instant, primary_id
from store.page import page_of
from store.sealed import Owner, OwnerKind, SealedRow, opened, sealed


class LoginRow(SealedRow, table=True):
    """One attempt at signing in. Without a member nobody was recognised."""

    __tablename__ = "login"
    __table_args__ = (Index(None, "workspace_id", "id"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID | None = Field(default=None, foreign_key="member.id", index=True)
    mode: str
    outcome: str
    at: datetime = instant(index=True)

    browser = sealed("browser", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member it was, or the workspace."""
        if self.member_id is None:
            return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)


class PageVisitRow(SQLModel, table=True):
    """One page, or route of the API, that a member opened or was denied; or a token was denied."""

    __tablename__ = "page_visit"
    __table_args__ = (Index(None, "workspace_id", "id"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID | None = Field(default=None, foreign_key="member.id", index=True)
    token_id: UUID | None = Field(default=None, foreign_key="token.id")
    on_behalf_of: UUID | None = None
    mode: str = ""
    page: str
    denied: bool = False
    at: datetime = instant(index=True)


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which entries a report shows; None shows all."""

    member: UUID | None = None
    outcome: str | None = None
    denied: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


async def logins_page(
    db: AsyncSession, workspace_id: UUID, wanted: AccessFilter, cursor: str | None, limit: int
) -> tuple[Sequence[LoginRow], str | None]:
    """A page of the login report, newest first."""
    found = select(LoginRow).where(LoginRow.workspace_id == workspace_id)
    if wanted.outcome is not None:
        found = found.where(LoginRow.outcome == wanted.outcome)
    found = _filtered(found, LoginRow, wanted)
    rows, following = await page_of(db, found, col(LoginRow.id), cursor, limit)
    return await opened(db, rows), following


async def visits_page(
    db: AsyncSession, workspace_id: UUID, wanted: AccessFilter, cursor: str | None, limit: int
) -> tuple[Sequence[PageVisitRow], str | None]:
    """A page of the application report, newest first."""
    found = select(PageVisitRow).where(PageVisitRow.workspace_id == workspace_id)
    if wanted.denied is not None:
        found = found.where(PageVisitRow.denied == wanted.denied)
    found = _filtered(found, PageVisitRow, wanted)
    return await page_of(db, found, col(PageVisitRow.id), cursor, limit)


def _filtered(found: Any, row: type[LoginRow | PageVisitRow], wanted: AccessFilter) -> Any:
    """The entries of a member and a time, where these are asked for."""
    if wanted.member is not None:
        found = found.where(col(row.member_id) == wanted.member)
    if wanted.since is not None:
        found = found.where(col(row.at) >= wanted.since)
    if wanted.until is not None:
        found = found.where(col(row.at) < wanted.until)
    return found
