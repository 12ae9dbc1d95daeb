from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.agreement_errors import WindowHeld, WindowLost
from domain.binding import IdlePolicy
from domain.window import Place, Window, WindowEnd, WindowPolicy, beat_ms

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = WindowPolicy(
    IdlePolicy(timedelta(minutes=5), timedelta(seconds=60)), timedelta(seconds=20)
)
NOBODY = Window("", 0, AT, AT)


def held(by: str = "w1", at: datetime = AT) -> Window:
    return NOBODY.opened_in(by, at, POLICY)


def test_the_first_window_has_the_first_fence_and_nobody_is_asked() -> None:
    assert held() == Window("w1", 1, AT, AT)
    assert not NOBODY.is_alive(AT, POLICY)


def test_the_same_window_again_goes_on_under_its_fence() -> None:
    # SX-5: a double click is one window.
    again = held().opened_in("w1", AT + SECOND, POLICY)
    assert again == Window("w1", 1, AT + SECOND, AT + SECOND)


def test_another_window_is_asked_while_the_first_is_heard_of() -> None:
    # EX-9, C16
    with pytest.raises(WindowHeld) as asked:
        held().opened_in("w2", AT + timedelta(seconds=19), POLICY)
    assert asked.value.heard_at == AT
    assert "another window" in str(asked.value)
    assert held().opened_in("w2", AT + timedelta(seconds=20), POLICY).fence == 2


def test_an_open_window_tells_so_in_time() -> None:
    assert beat_ms(POLICY.alive) == 10_000


def test_a_window_that_was_closed_asks_nobody() -> None:
    # SX-6
    closed = held().left(AT + SECOND, POLICY)
    assert closed.opened_in("w2", AT + 2 * SECOND, POLICY).fence == 2
    assert closed.opened_in("w1", AT + 2 * SECOND, POLICY).fence == 1


def test_taking_over_ones_own_place_changes_nothing() -> None:
    # SX-6: a second click is no second window
    again = held().opened_in("w1", AT + SECOND, POLICY, take_over=True)
    assert (again.fence, again.active_at) == (1, AT + SECOND)


def test_taking_over_leaves_the_first_without_its_place() -> None:
    # EX-10, EX-16
    first, second = held(), held().opened_in("w2", AT + SECOND, POLICY, take_over=True)
    assert second == Window("w2", 2, AT + SECOND, AT + SECOND)
    refusal = second.refuses(Place(first.holder, first.fence), AT + SECOND, POLICY)
    assert isinstance(refusal, WindowLost)
    assert refusal.reason == WindowEnd.OPENED_ELSEWHERE
    assert second.refuses(Place("w2", 2), AT + SECOND, POLICY) is None


@pytest.mark.parametrize(
    ("after", "end"),
    [
        (timedelta(minutes=6) - SECOND, None),
        (timedelta(minutes=6), WindowEnd.INACTIVE),
        (timedelta(minutes=6) + SECOND, WindowEnd.INACTIVE),
    ],
)
def test_silence_ends_a_window_to_the_second(after: timedelta, end: WindowEnd | None) -> None:
    # C18: 5 minutes, then 60 seconds; a page that only says it is open goes idle too (SX-3).
    window = held().heard(AT + after, active=False)
    assert window.end_at(AT + after, POLICY) == end
    refusal = window.refuses(Place("w1", 1), AT + after, POLICY)
    assert (refusal.reason if refusal else None) == end
    assert window.warns_at(POLICY) == AT + timedelta(minutes=5)


def test_what_the_person_does_moves_the_end() -> None:
    window = held().heard(AT + timedelta(minutes=5), active=True)
    assert window.idles_out_at(POLICY) == AT + timedelta(minutes=11)


def test_an_idle_window_is_opened_again_under_the_next_fence() -> None:
    # EX-14, SX-15
    late = AT + timedelta(minutes=10)
    assert held().opened_in("w1", late, POLICY) == Window("w1", 2, late, late)


def test_the_page_of_a_window_that_lost_its_place_is_not_shown_again() -> None:
    # EX-14: whoever loads it anew is told why; the page that opens windows has none yet.
    late = AT + timedelta(minutes=6)
    second = held().opened_in("w2", AT + SECOND, POLICY, take_over=True)
    for window, shown, at, reason in (
        (held(), "w1", AT + SECOND, None),
        (held(), "w1", late, WindowEnd.INACTIVE),
        (second, "w1", AT + SECOND, WindowEnd.OPENED_ELSEWHERE),
        (second, "w2", AT + SECOND, None),
        (second, "", late, None),
        (NOBODY, "w1", AT, None),
    ):
        refusal = window.refuses_page(shown, at, POLICY)
        assert (refusal.reason if refusal else None) == reason


def test_an_ended_window_stays_ended_whatever_the_clock_says() -> None:
    ended = Window("w1", 3, AT, AT, WindowEnd.SESSION_ENDED)
    assert ended.end_at(AT - timedelta(days=2), POLICY) == WindowEnd.SESSION_ENDED
    assert not ended.is_alive(AT, POLICY)


@given(st.lists(st.tuples(st.sampled_from(["w1", "w2", "w3"]), st.booleans()), max_size=20))
def test_a_fence_never_comes_twice(opened: list[tuple[str, bool]]) -> None:
    # EX-21
    window, given_out, at = NOBODY, [0], AT
    for name, taken in opened:
        at += SECOND
        try:
            new = window.opened_in(name, at, POLICY, take_over=taken)
        except WindowHeld:
            continue
        if new.fence != window.fence:
            given_out.append(new.fence)
        window = new
    assert given_out == sorted(set(given_out))


class OneHolder(RuleBasedStateMachine):
    """Three windows that open, take over, write, leave and fall silent: one of them may write."""

    def __init__(self) -> None:
        super().__init__()
        self.window, self.at = NOBODY, AT
        self.places: dict[str, Place] = {}

    @rule(name=st.sampled_from(["w1", "w2", "w3"]), take_over=st.booleans())
    def open(self, name: str, take_over: bool) -> None:
        try:
            self.window = self.window.opened_in(name, self.at, POLICY, take_over=take_over)
        except WindowHeld:
            assert not take_over
            assert self.window.is_alive(self.at, POLICY)
            return
        self.places[name] = Place(name, self.window.fence)

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @rule(active=st.booleans())
    def hear(self, active: bool) -> None:
        if self.window.end_at(self.at, POLICY) is None:
            self.window = self.window.heard(self.at, active=active)

    @rule()
    def leave(self) -> None:
        self.window = self.window.left(self.at, POLICY)

    @invariant()
    def at_most_one_may_write(self) -> None:
        may = [
            place
            for place in self.places.values()
            if self.window.refuses(place, self.at, POLICY) is None
        ]
        assert len(may) <= 1
        assert all(each.window == self.window.holder for each in may)


TestOneHolder = OneHolder.TestCase
