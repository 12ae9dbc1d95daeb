from datetime import timedelta

import pytest

from domain.durations import days_hours_minutes


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (timedelta(days=13, hours=23, minutes=59, seconds=59), "13:23:59"),
        (timedelta(minutes=1), "00:00:01"),
        (timedelta(seconds=59), "00:00:00"),
        (timedelta(), "00:00:00"),
        (timedelta(seconds=-1), "00:00:00"),
        (timedelta(days=-3), "00:00:00"),
        (timedelta(days=99, hours=23), "99:23:00"),
        (timedelta(days=366), "366:00:00"),
    ],
)
def test_time_left_reads_as_days_hours_minutes(left: timedelta, shown: str) -> None:
    """SH-15: DD:HH:MM, rounded down, never negative."""
    assert days_hours_minutes(left) == shown
