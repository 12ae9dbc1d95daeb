"""Reminders: data relative to the deadline, at most three, none after the end."""

from collections.abc import Sequence
from datetime import datetime, timedelta

MOST = 3
LEAST_GAP = timedelta(hours=24)


def reminder_times(
    days_before_end: Sequence[int], issued_at: datetime, expires_at: datetime, most: int = MOST
) -> tuple[datetime, ...]:
    """When reminders are due, earliest first; the last `most` of them.

    Those not at least a day after `issued_at` are left out: the invitation has just been read.
    """
    times = sorted(expires_at - timedelta(days=days) for days in set(days_before_end))
    kept = [each for each in times if each >= issued_at + LEAST_GAP]
    return tuple(kept[max(len(kept) - most, 0) :])
