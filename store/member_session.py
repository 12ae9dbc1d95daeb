"""The sessions of members: a row each, over by arithmetic."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, UniqueConstraint, and_, delete, func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.member_session import MemberSession, MemberSessionEnd
from store.changed import changed_rows
from store.columns import instant, optional_instant, primary_id
from store.page import page_of
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class MemberSessionRow(SealedRow, table=True):
    """One member signed in to one workspace in one browser.

    `digest` is of the browser's cookie: workspaces in one browser share it, each with a row and an
    end of its own (EE-4, EE-5). The lengths are those that were settled at its beginning (SH-20).
    `unchecked` sessions began while limits were not checked and stay until they end (EE-19).
    While it acts for another member it does so under `delegation_id`.
    `idles_out_at` is `seen_at` and both lengths, kept so that SQL can ask for it.
    """

    __tablename__ = "member_session"
    __table_args__ = (
        UniqueConstraint("digest", "workspace_id"),
        Index(None, "member_id", "signed_in_at"),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id", index=True)
    member_id: UUID = Field(foreign_key="member.id")
    digest: str
    key_version: int
    mode: str
    signed_in_at: datetime = instant()
    seen_at: datetime = instant()
    idle: timedelta
    grace: timedelta
    idles_out_at: datetime = instant(index=True)
    absolute_at: datetime | None = optional_instant()
    unchecked: bool = False
    delegation_id: UUID | None = Field(default=None, foreign_key="delegation.id")
    ended_at: datetime | None = optional_instant()
    end_reason: str | None = None

    browser = sealed("browser", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The member it is of."""
        return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)

    @property
    def value(self) -> MemberSession:
        """The domain value."""
        ended = MemberSessionEnd(self.end_reason) if self.end_reason else None
        return MemberSession(self.seen_at, self.idle, self.grace, self.absolute_at, ended)

    def touch(self, at: datetime) -> None:
        """A person did something in it."""
        self.seen_at, self.idles_out_at = at, at + self.idle + self.grace


def is_living(at: datetime) -> ColumnElement[bool]:
    """Whether a session can still act at `at`: the predicate of `MemberSession.end_at`."""
    absolute_at = col(MemberSessionRow.absolute_at)
    return and_(
        col(MemberSessionRow.ended_at).is_(None),
        col(MemberSessionRow.idles_out_at) > at,
        or_(absolute_at.is_(None), absolute_at > at),
    )


async def session_by_digest(
    db: AsyncSession, workspace_id: UUID, digests: Sequence[str]
) -> MemberSessionRow | None:
    """The session of a browser in a workspace, living or not."""
    found = select(MemberSessionRow).where(
        MemberSessionRow.workspace_id == workspace_id, col(MemberSessionRow.digest).in_(digests)
    )
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def touch_session(db: AsyncSession, row: MemberSessionRow, at: datetime) -> bool:
    """A person did something in it; False if it was ended or deleted in this very moment."""
    touched = await db.execute(
        update(MemberSessionRow)
        .where(col(MemberSessionRow.id) == row.id, col(MemberSessionRow.ended_at).is_(None))
        .values(seen_at=at, idles_out_at=at + row.idle + row.grace)
    )
    return changed_rows(touched) > 0


async def sessions_of_browser(
    db: AsyncSession, digests: Sequence[str]
) -> Sequence[MemberSessionRow]:
    """Every session that shares a browser's cookie, locked in the order of their ids."""
    found = select(MemberSessionRow).where(col(MemberSessionRow.digest).in_(digests))
    return (await db.scalars(found.order_by(col(MemberSessionRow.id)).with_for_update())).all()


async def member_session_by_id(
    db: AsyncSession, workspace_id: UUID, session_id: UUID, *, lock: bool = False
) -> MemberSessionRow | None:
    """A session of this workspace; its row locked if asked."""
    found = select(MemberSessionRow).where(
        MemberSessionRow.workspace_id == workspace_id, MemberSessionRow.id == session_id
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def living_sessions(
    db: AsyncSession, member_id: UUID, at: datetime, *, checked: bool = False
) -> Sequence[MemberSessionRow]:
    """A member's sessions that can still act, oldest first; `checked`: those that limits count."""
    found = select(MemberSessionRow).where(MemberSessionRow.member_id == member_id, is_living(at))
    if checked:
        found = found.where(col(MemberSessionRow.unchecked).is_(False))
    ordered = found.order_by(col(MemberSessionRow.signed_in_at), col(MemberSessionRow.id))
    return await opened(db, (await db.scalars(ordered)).all())


async def sessions_shown(
    db: AsyncSession, workspace_id: UUID, at: datetime, member_id: UUID | None = None
) -> Sequence[MemberSessionRow]:
    """What a list of sessions shows: the living ones, and killed ones while they are kept."""
    found = _shown(workspace_id, at, member_id).order_by(col(MemberSessionRow.id).desc())
    return await opened(db, (await db.scalars(found.limit(500))).all())


@dataclass(frozen=True, slots=True)
class ShownSessions:
    """Which sessions a list shows at a moment; of every member where none is named."""

    workspace_id: UUID
    at: datetime
    member_id: UUID | None = None


async def member_sessions_page(
    db: AsyncSession, wanted: ShownSessions, cursor: str | None, limit: int
) -> tuple[Sequence[MemberSessionRow], str | None]:
    """A page of what `sessions_shown` shows, newest first."""
    found = _shown(wanted.workspace_id, wanted.at, wanted.member_id)
    rows, following = await page_of(db, found, col(MemberSessionRow.id), cursor, limit)
    return await opened(db, rows), following


def _shown(workspace_id: UUID, at: datetime, member_id: UUID | None) -> Any:
    is_killed = col(MemberSessionRow.end_reason) == MemberSessionEnd.KILLED
    found = select(MemberSessionRow).where(
        MemberSessionRow.workspace_id == workspace_id, or_(is_living(at), is_killed)
    )
    return found if member_id is None else found.where(MemberSessionRow.member_id == member_id)


async def sessions_timed_out(
    db: AsyncSession, at: datetime, most: int
) -> Sequence[MemberSessionRow]:
    """Sessions that are over by arithmetic and still have their row, locked; busy ones are not."""
    absolute_at = col(MemberSessionRow.absolute_at)
    over = or_(col(MemberSessionRow.idles_out_at) <= at, absolute_at <= at)
    found = (
        select(MemberSessionRow)
        .where(col(MemberSessionRow.ended_at).is_(None), over)
        .order_by(col(MemberSessionRow.id))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return await opened(db, (await db.scalars(found)).all())


async def delete_ended(db: AsyncSession, before: datetime, most: int) -> int:
    """Deletes the rows of sessions that were ended before a moment; returns how many."""
    doomed = select(MemberSessionRow.id).where(col(MemberSessionRow.ended_at) <= before).limit(most)
    gone = await db.execute(delete(MemberSessionRow).where(col(MemberSessionRow.id).in_(doomed)))
    return changed_rows(gone)


async def delete_sessions(db: AsyncSession, ids: Collection[UUID]) -> None:
    """Deletes rows of sessions."""
    await db.execute(delete(MemberSessionRow).where(col(MemberSessionRow.id).in_(ids)))


async def is_browser_living(db: AsyncSession, digests: Sequence[str], at: datetime) -> bool:
    """Whether a browser's cookie still opens anything, in any workspace."""
    found = select(MemberSessionRow.id).where(
        col(MemberSessionRow.digest).in_(digests), is_living(at)
    )
    return (await db.scalars(found.limit(1))).first() is not None


async def count_living(db: AsyncSession, member_id: UUID, at: datetime) -> int:
    """How many sessions of a member can still act."""
    found = select(func.count()).where(MemberSessionRow.member_id == member_id, is_living(at))
    return int((await db.scalars(found)).one())
