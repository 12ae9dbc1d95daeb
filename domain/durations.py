"""Lengths of time as people read them."""

from datetime import timedelta

MINUTES_AN_HOUR = 60
HOURS_A_DAY = 24


def days_hours_minutes(left: timedelta) -> str:
    """A length as DD:HH:MM (SH-15), rounded down to the minute; one that is over reads 00:00:00."""
    minutes = max(left, timedelta()) // timedelta(minutes=1)
    hours, minutes = divmod(minutes, MINUTES_AN_HOUR)
    days, hours = divmod(hours, HOURS_A_DAY)
    return f"{days:02}:{hours:02}:{minutes:02}"
