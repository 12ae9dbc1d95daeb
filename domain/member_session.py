"""A signed-in member's browser: when it ends, and why (SH-1 to SH-3, EE-1, EE-2, C2).

Every length was settled when the session began: a setting that is changed later never lengthens an
end that was stated (SH-20). Access is arithmetic on the row; no timer has to fire.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MemberSessionEnd(StrEnum):
    """Why a member's session ended."""

    LOGGED_OUT = "logged_out"
    INACTIVE = "inactive"
    ABSOLUTE_TIMEOUT = "absolute_timeout"
    DISPLACED = "displaced"
    DIFFERENT_USER = "different_user"
    OPEN_AS_SIGNER = "open_as_signer"
    KILLED = "killed"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a reason, not a secret


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """The lengths a new session is given; `absolute` is None where there is no absolute end."""

    idle: timedelta
    grace: timedelta
    absolute: timedelta | None

    def absolute_at(self, begins_at: datetime) -> datetime | None:
        """The moment no activity can move; None where there is none."""
        return begins_at + self.absolute if self.absolute is not None else None


@dataclass(frozen=True, slots=True)
class MemberSession:
    """One session as its row says. `seen_at` is the last request by a person, in any tab (SX-3)."""

    seen_at: datetime
    idle: timedelta
    grace: timedelta
    absolute_at: datetime | None
    ended: MemberSessionEnd | None = None

    @property
    def warns_at(self) -> datetime:
        """When the person is asked whether to stay connected (SH-1)."""
        return self.seen_at + self.idle

    @property
    def idles_out_at(self) -> datetime:
        """When an unanswered warning becomes the end (SH-3)."""
        return self.seen_at + self.idle + self.grace

    @property
    def ends_at(self) -> datetime:
        """When the session ends if nobody does anything."""
        return min(self.idles_out_at, self.absolute_at or self.idles_out_at)

    def end_at(self, at: datetime) -> MemberSessionEnd | None:
        """Why the session is over at `at`: the earliest cause wins; None while it may act."""
        if self.ended is not None:
            return self.ended
        if at < self.ends_at:
            return None
        is_absolute = self.absolute_at is not None and self.absolute_at <= self.idles_out_at
        return MemberSessionEnd.ABSOLUTE_TIMEOUT if is_absolute else MemberSessionEnd.INACTIVE
