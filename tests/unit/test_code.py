from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.code import Code, CodePolicy, MailAllowance

MADE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
LIFE = 10 * MINUTE
POLICY = CodePolicy(LIFE, tries_per_browser=5, tries_per_code=20, failures_per_party=100)
ALLOWANCE = MailAllowance(MINUTE, per_hour=5, per_day=20)


def code(tries: int = 0, tries_here: int = 0, *, consumed: bool = False) -> Code:
    return Code(1, MADE, MADE + LIFE, tries, tries_here, consumed)


@pytest.mark.parametrize(
    ("after", "good"),
    [(timedelta(), True), (LIFE - SECOND, True), (LIFE, False), (LIFE + SECOND, False)],
)
def test_a_code_lives_to_the_second(after: timedelta, good: bool) -> None:
    # C11
    assert code().may_be_tried(MADE + after, POLICY) is good


@pytest.mark.parametrize(
    ("tries", "tries_here", "good"),
    [(0, 0, True), (4, 4, True), (5, 5, False), (19, 0, True), (20, 0, False), (19, 5, False)],
)
def test_five_tries_a_browser_and_twenty_a_code(tries: int, tries_here: int, good: bool) -> None:
    # C12
    assert code(tries, tries_here).may_be_tried(MADE, POLICY) is good


def test_a_used_code_is_used() -> None:
    assert not code(consumed=True).may_be_tried(MADE, POLICY)
    assert not code(consumed=True).is_sent_again(MADE, POLICY)


@given(st.integers(0, 25), st.integers(0, 25))
def test_tries_left_is_what_the_tighter_limit_leaves(tries: int, more: int) -> None:
    each = code(tries + more, tries)
    left = each.tries_left(POLICY)
    assert left == max(0, min(5 - tries, 20 - tries - more))
    assert (left > 0) == each.may_be_tried(MADE, POLICY)


@pytest.mark.parametrize(
    ("after", "again"),
    [
        (timedelta(), True),
        (LIFE * 2 / 3 - SECOND, True),
        (LIFE * 2 / 3 + SECOND, False),
        (LIFE - SECOND, False),
        (LIFE + SECOND, False),
    ],
)
def test_the_same_code_is_sent_again_for_two_thirds_of_its_life(
    after: timedelta, again: bool
) -> None:
    # C13
    assert code().is_sent_again(MADE + after, POLICY) is again


def test_a_code_that_cannot_be_tried_here_is_not_sent_again() -> None:
    # C12: a spent code is replaced when asked for
    assert not code(5, 5).is_sent_again(MADE, POLICY)
    assert not code(20, 0).is_sent_again(MADE, POLICY)


@pytest.mark.parametrize(
    ("sent", "wait"),
    [
        ([], timedelta()),
        ([timedelta()], MINUTE),
        ([59 * SECOND], SECOND),
        ([60 * SECOND], timedelta()),
        ([each * 2 * MINUTE for each in range(1, 6)], 50 * MINUTE),
        ([each * 70 * MINUTE for each in range(1, 21)], 40 * MINUTE),
    ],
)
def test_one_a_minute_five_an_hour_twenty_a_day(sent: list[timedelta], wait: timedelta) -> None:
    # `sent` are ages; C12, C13
    ages = [MADE - each for each in sent]
    assert ALLOWANCE.next_at(ages, MADE) - MADE == wait


def test_who_has_just_finished_one_session_may_begin_the_next() -> None:
    """The minute is counted from the session's own mails, the hour from all to the address."""
    of_others = [MADE - each * MINUTE / 60 for each in range(1, 5)]
    assert ALLOWANCE.next_at(of_others, MADE, here=[]) == MADE
    assert ALLOWANCE.next_at(of_others, MADE, here=of_others[:1]) == MADE + MINUTE - SECOND
    assert ALLOWANCE.next_at([*of_others, MADE], MADE, here=[]) == of_others[-1] + HOUR


@given(st.lists(st.integers(0, 400), min_size=1, max_size=200), st.randoms())
def test_nobody_is_mailed_more_than_allowed_in_any_window(
    gaps: list[int], shuffled: Random
) -> None:
    at, sent = MADE, list[datetime]()
    for gap in gaps:
        at += timedelta(seconds=gap)
        shuffled.shuffle(sent)
        if ALLOWANCE.next_at(sent, at) <= at:
            sent.append(at)
    sent.sort()
    for window, most in ((MINUTE, 1), (HOUR, 5), (DAY, 20)):
        assert _most_in(sent, window) <= most


@given(st.lists(st.integers(0, 90_000), max_size=60))
def test_the_moment_named_is_one_at_which_a_mail_may_go(ages: list[int]) -> None:
    sent = [MADE - timedelta(seconds=each) for each in ages]
    named = ALLOWANCE.next_at(sent, MADE)
    assert named >= MADE
    assert ALLOWANCE.next_at(sent, named) == named
    if named > MADE:
        earlier = named - SECOND
        assert ALLOWANCE.next_at(sent, max(earlier, MADE)) == named


def _most_in(times: list[datetime], window: timedelta) -> int:
    """The largest number of times within any half-open window."""
    return max(
        (bisect_right(times, each) - bisect_right(times, each - window) for each in times),
        default=0,
    )
