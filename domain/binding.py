"""The one browser that may act in a public session (PS-27), and how that ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class BindingEnd(StrEnum):
    """Why a browser stopped being the one that may act."""

    QUIT = "quit"
    INACTIVE = "inactive"
    OPENED_ELSEWHERE = "opened_elsewhere"
    LINK_RENEWED = "link_renewed"
    SESSION_ENDED = "session_ended"


@dataclass(frozen=True, slots=True)
class IdlePolicy:
    """How long a browser may be silent, and how long a warning waits for an answer (C18)."""

    idle: timedelta
    grace: timedelta

    @property
    def whole(self) -> timedelta:
        """Silence after which the binding is over."""
        return self.idle + self.grace


@dataclass(frozen=True, slots=True)
class Binding:
    """The browser's place: its fence counts every verification and never repeats."""

    id: UUID
    fence: int
    last_seen_at: datetime
    ended: BindingEnd | None = None

    def warns_at(self, policy: IdlePolicy) -> datetime:
        """When the idle warning is due."""
        return self.last_seen_at + policy.idle

    def idles_out_at(self, policy: IdlePolicy) -> datetime:
        """When silence ends the binding."""
        return self.last_seen_at + policy.whole

    def end_at(self, at: datetime, policy: IdlePolicy) -> BindingEnd | None:
        """Why the binding is over at `at`, or None while it may act."""
        if self.ended is not None:
            return self.ended
        return BindingEnd.INACTIVE if at >= self.idles_out_at(policy) else None
