"""When a member's session ends, and how many there may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.concurrency import Admission, ConcurrencyPolicy, Overflow
from domain.member_session import MemberSession, MemberSessionEnd, SessionTerms
from domain.sign_in import MODES, Attempts, LockPolicy, SignInMode

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
IDLE, GRACE, ABSOLUTE = timedelta(minutes=5), timedelta(seconds=15), timedelta(seconds=86_400)
lengths = st.timedeltas(SECOND, timedelta(days=30))


def session(seen_after: timedelta = timedelta(), **changes: object) -> MemberSession:
    known = {"idle": IDLE, "grace": GRACE, "absolute_at": START + ABSOLUTE}
    return MemberSession(**{"seen_at": START + seen_after, **known, **changes})  # type: ignore[arg-type]  # of the right types


def test_a_warning_then_fifteen_seconds_then_the_end() -> None:
    # SH-1, SH-3
    silent = session()
    assert silent.warns_at == START + IDLE
    last = START + IDLE + GRACE - SECOND
    assert silent.end_at(last) is None
    assert silent.end_at(last + SECOND) is MemberSessionEnd.INACTIVE


def test_the_absolute_end_comes_however_active_somebody_is() -> None:
    # EE-1, EE-2
    busy = session(ABSOLUTE - SECOND)
    assert busy.end_at(START + ABSOLUTE - SECOND) is None
    assert busy.end_at(START + ABSOLUTE) is MemberSessionEnd.ABSOLUTE_TIMEOUT
    assert session(ABSOLUTE, absolute_at=None).end_at(START + ABSOLUTE) is None


@pytest.mark.parametrize("seconds", range(1, 201))
def test_allowed_a_second_before_and_refused_a_second_after(seconds: int) -> None:
    # C2: the earliest cause wins, and says so
    idle, grace = timedelta(seconds=60 + seconds), timedelta(seconds=10 + seconds)
    absolute_at = START + timedelta(seconds=300 - seconds)
    found = session(idle=idle, grace=grace, absolute_at=absolute_at)
    end = min(START + idle + grace, absolute_at)
    is_absolute = absolute_at <= START + idle + grace
    reason = MemberSessionEnd.ABSOLUTE_TIMEOUT if is_absolute else MemberSessionEnd.INACTIVE
    assert found.end_at(end - SECOND) is None
    assert found.end_at(end + SECOND) is reason


@given(lengths, lengths, lengths, st.timedeltas(timedelta(), timedelta(days=60)))
def test_once_over_it_stays_over(
    idle: timedelta, grace: timedelta, absolute: timedelta, later: timedelta
) -> None:
    terms = SessionTerms(idle, grace, absolute)
    found = MemberSession(START, idle, grace, terms.absolute_at(START))
    assert (found.end_at(START + later) is not None) == (later >= min(idle + grace, absolute))
    assert found.end_at(START - later) is None or later == timedelta()


def test_what_was_ended_says_why_whatever_time_it_is() -> None:
    killed = session(ended=MemberSessionEnd.KILLED)
    assert killed.end_at(START) is MemberSessionEnd.KILLED
    assert killed.end_at(START + ABSOLUTE) is MemberSessionEnd.KILLED


def policy(mode: SignInMode = SignInMode.PASSWORD, **changes: object) -> ConcurrencyPolicy:
    known = {"allow_concurrent": False, "limit": 5, "overflow": Overflow.REFUSE_NEW}
    return ConcurrencyPolicy.of(mode, **{**known, **changes})  # type: ignore[arg-type]  # of the right types


def test_off_the_most_recent_one_wins() -> None:
    # EE-9, EE-11, C17
    assert policy().admitting(["a"]) == Admission(is_refused=False, displaced=("a",))
    assert policy().admitting(["a", "b"]).displaced == ("a", "b")


def test_on_the_sixth_is_refused() -> None:
    # SH-5
    five = ["a", "b", "c", "d", "e"]
    allowed = policy(allow_concurrent=True)
    assert allowed.admitting(five[:4]) == Admission(is_refused=False)
    assert allowed.admitting(five) == Admission(is_refused=True)


def test_on_the_oldest_can_make_room() -> None:
    # C1
    allowed = policy(allow_concurrent=True, overflow=Overflow.DISPLACE_OLDEST, limit=2)
    assert allowed.admitting(["a", "b", "c"]).displaced == ("a", "b")


@pytest.mark.parametrize("mode", [SignInMode.BASIC, SignInMode.INTEGRATED])
def test_some_modes_are_always_concurrent_and_say_why(mode: SignInMode) -> None:
    # EE-12
    assert MODES[mode].concurrency_locked
    assert policy(mode).admitting(["a"]) == Admission(is_refused=False)
    assert policy(mode, limit=1).admitting(["a"]).displaced == ("a",)


@pytest.mark.parametrize("mode", SignInMode)
def test_a_mode_either_asks_or_comes_back_by_itself(mode: SignInMode) -> None:
    # EE-3, EE-8, C9
    found = MODES[mode]
    assert found.reacquires == (mode in {SignInMode.BASIC, SignInMode.INTEGRATED})
    assert found.logs_out == (not found.reacquires)


@given(st.lists(st.integers(), max_size=12), st.integers(1, 5), st.sampled_from(Overflow))
def test_never_more_than_the_limit(living: list[int], limit: int, overflow: Overflow) -> None:
    # SH-6
    found = ConcurrencyPolicy(limit, overflow).admitting(living)
    after = len(living) - len(found.displaced) + (not found.is_refused)
    assert after <= max(limit, len(living) if found.is_refused else 0)


LOCK = LockPolicy(3, timedelta(minutes=15))


def test_the_last_wrong_one_that_is_allowed_locks() -> None:
    # SX-16
    attempts = Attempts()
    for _ in range(2):
        attempts = attempts.failing(START, LOCK)
        assert not attempts.is_locked(START, LOCK)
    attempts = attempts.failing(START, LOCK)
    assert attempts.is_locked(START + LOCK.lasts - SECOND, LOCK)
    assert not attempts.is_locked(START + LOCK.lasts, LOCK)
    assert attempts.failing(START + LOCK.lasts, LOCK) == Attempts(1, None)
