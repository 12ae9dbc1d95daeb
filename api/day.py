"""Days that somebody types, in that person's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_in(text: str) -> date | None:
    """A day such as 2026-12-31; None for what is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # Years in which every zone and the day after still exist.
    return found if date.min.year < found.year < date.max.year else None


def _zone(name: str) -> ZoneInfo:
    """A zone; one that is unknown is read as UTC."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return ZoneInfo("UTC")


def begins(day: date, zone: str) -> datetime:
    """When a day begins in a zone; one that is unknown is read as UTC."""
    return datetime.combine(day, time(), _zone(zone)).astimezone(UTC)


def local_day(moment: datetime, zone: str) -> date:
    """The day that a moment is on in a zone; one that is unknown is read as UTC."""
    return moment.astimezone(_zone(zone)).date()


def is_over(day: date, zone: str) -> datetime:
    """When a day is over in a zone."""
    return begins(day + timedelta(days=1), zone)
