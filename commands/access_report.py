"""Reads the login and application reports, with the names of who is in them (EE-15, EE-16)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from commands.setting import effective_settings
from commands.work import Work
from domain.member import MemberState
from store.access import AccessFilter, LoginRow, PageVisitRow, logins_page, visits_page
from store.member import members_by_id
from store.token import tokens_by_id

Row = TypeVar("Row")
GONE = "Deleted member"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a report: of one workspace, filtered, a page of it."""

    workspace_id: UUID
    only: AccessFilter
    cursor: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Reported(Generic[Row]):
    """A page of a report, the names behind its ids, and what somebody unknown is called."""

    rows: Sequence[Row]
    following: str | None
    names: dict[UUID, str]
    guest: str


async def report_logins(work: Work, wanted: Wanted) -> Reported[LoginRow]:
    """A page of the login report, newest first."""
    rows, following = await logins_page(
        work.db, wanted.workspace_id, wanted.only, wanted.cursor, wanted.limit
    )
    names = await _members(work, (each.member_id for each in rows))
    return Reported(rows, following, names, await _guest(work, wanted.workspace_id))


async def report_visits(work: Work, wanted: Wanted) -> Reported[PageVisitRow]:
    """A page of the application report, newest first."""
    rows, following = await visits_page(
        work.db, wanted.workspace_id, wanted.only, wanted.cursor, wanted.limit
    )
    names = await _members(work, (each.member_id for each in rows))
    tokens = await tokens_by_id(work.db, {each.token_id for each in rows if each.token_id})
    names |= {each.id: each.name for each in tokens}
    return Reported(rows, following, names, await _guest(work, wanted.workspace_id))


async def _members(work: Work, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    found = await members_by_id(work.db, {each for each in ids if each})
    return {
        key: GONE if each.state == MemberState.DELETED else each.name for key, each in found.items()
    }


async def _guest(work: Work, workspace_id: UUID) -> str:
    return (await effective_settings(work, workspace_id)).login_guest_name
