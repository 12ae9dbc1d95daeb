import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reminder import LEAST_GAP, MOST, reminder_times

ISSUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "bound", "expected"),
    [
        ([3, 1], 14, [11, 13]),
        ([1, 3], 14, [11, 13]),
        ([7, 3, 1], 21, [14, 18, 20]),
        ([1, 1, 1], 14, [13]),
        ([13], 14, [1]),
        ([14], 14, []),
        ([], 14, []),
        ([1], 1, []),
        ([9, 8, 7, 6], 14, [6, 7, 8]),
    ],
)
def test_reminders_by_example(days: list[int], bound: int, expected: list[int]) -> None:
    times = reminder_times(days, ISSUED, ISSUED + bound * DAY)
    assert [(each - ISSUED) / DAY for each in times] == expected


@given(
    st.lists(st.integers(1, 400), max_size=12),
    st.timedeltas(timedelta(seconds=1), 366 * DAY),
    st.integers(0, MOST),
)
def test_reminders_by_rule(days: list[int], bound: timedelta, most: int) -> None:
    end = ISSUED + bound
    times = reminder_times(days, ISSUED, end, most)
    assert len(times) <= most
    assert list(times) == sorted(times)
    assert all(ISSUED + LEAST_GAP <= each < end for each in times)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap >= LEAST_GAP for gap in gaps)


@given(st.lists(st.integers(1, 400), max_size=12), st.integers(1, 366))
def test_the_latest_reminders_are_the_ones_that_are_kept(days: list[int], bound: int) -> None:
    end = ISSUED + bound * DAY
    possible = sorted({each for each in days if end - each * DAY >= ISSUED + LEAST_GAP})
    kept = [(end - each) / DAY for each in reminder_times(days, ISSUED, end)]
    assert kept == sorted(possible[:MOST], reverse=True)
