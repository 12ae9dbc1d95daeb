"""A member's session as its owner sees it in a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.browser_name import browser_and_system
from domain.member_session import MemberSessionEnd
from store.member_session import MemberSessionRow


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One session: where, since when, until when if nobody does anything, and whether it is this.

    `killed_at`: it was ended and is shown for a while all the same (SH-14).
    """

    id: UUID
    browser: str
    system: str
    mode: str
    signed_in_at: datetime
    seen_at: datetime
    ends_at: datetime
    absolute_at: datetime | None
    is_this: bool
    killed_at: datetime | None


def own_sessions(
    rows: Sequence[MemberSessionRow], this: UUID | None = None
) -> tuple[OwnSession, ...]:
    """Rows for a page: this browser's first, then the living, then the killed ones."""
    shown = [_own_session(each, this) for each in rows]
    return tuple(sorted(shown, key=lambda each: (not each.is_this, each.killed_at is not None)))


def _own_session(row: MemberSessionRow, this: UUID | None) -> OwnSession:
    browser, system = browser_and_system(row.browser)
    return OwnSession(
        id=row.id,
        browser=browser,
        system=system,
        mode=row.mode,
        signed_in_at=row.signed_in_at,
        seen_at=row.seen_at,
        ends_at=row.value.ends_at,
        absolute_at=row.absolute_at,
        is_this=row.id == this,
        killed_at=row.ended_at if row.end_reason == MemberSessionEnd.KILLED else None,
    )
