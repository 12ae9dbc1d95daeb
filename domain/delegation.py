"""A member lets another act for it, until a day (EE-13, EE-14, C8).

Whoever acts stays itself: the session is its own, every audit row says both, and its rights are
those that both have.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Delegation:
    """One grant. `ended_at`: either of the two ended it before its day came."""

    ends_at: datetime
    ended_at: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether one may act under it at `at`."""
        return self.ended_at is None and at < self.ends_at
