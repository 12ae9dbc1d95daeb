"""When what was captured is erased, and what is shown in its place."""

from datetime import datetime, timedelta

ERASED_NAME = "erased"
"""What stands in lists where the name of an erased party stood."""
CONFIRMATION = "erase"
"""What has to be sent with the order to erase: it cannot be undone."""


def erase_at(ended_at: datetime, retention_days: int | None) -> datetime | None:
    """When a session that ended is erased by itself; None: never."""
    return None if retention_days is None else ended_at + timedelta(days=retention_days)
