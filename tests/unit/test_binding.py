from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.binding import Binding, BindingEnd, IdlePolicy

SEEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = IdlePolicy(idle=timedelta(minutes=30), grace=timedelta(seconds=60))
SECOND = timedelta(seconds=1)


def binding(ended: BindingEnd | None = None) -> Binding:
    return Binding(UUID(int=1), 1, SEEN, ended)


def test_a_silent_browser_is_warned_and_then_given_the_grace() -> None:
    # C18
    assert binding().warns_at(POLICY) == SEEN + timedelta(minutes=30)
    assert binding().idles_out_at(POLICY) == SEEN + timedelta(minutes=31)


@pytest.mark.parametrize(
    ("after", "end"),
    [
        (timedelta(), None),
        (POLICY.idle + SECOND, None),
        (POLICY.whole - SECOND, None),
        (POLICY.whole, BindingEnd.INACTIVE),
        (POLICY.whole + SECOND, BindingEnd.INACTIVE),
    ],
)
def test_idleness_ends_a_binding_to_the_second(after: timedelta, end: BindingEnd | None) -> None:
    assert binding().end_at(SEEN + after, POLICY) == end


@given(st.sampled_from(BindingEnd), st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_an_ended_binding_stays_ended_whatever_the_clock_says(
    end: BindingEnd, shift: timedelta
) -> None:
    assert binding(end).end_at(SEEN + shift, POLICY) == end


@given(
    st.timedeltas(SECOND, timedelta(hours=12)),
    st.timedeltas(SECOND, timedelta(minutes=10)),
    st.timedeltas(timedelta(), timedelta(days=1)),
)
def test_a_binding_is_over_exactly_when_its_whole_silence_has_passed(
    idle: timedelta, grace: timedelta, silence: timedelta
) -> None:
    policy = IdlePolicy(idle, grace)
    over = binding().end_at(SEEN + silence, policy) is not None
    assert over == (silence >= idle + grace)
