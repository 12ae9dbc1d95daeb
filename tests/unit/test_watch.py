import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.messages import DeadlineMoved, PublicSessionStart, TakenOver, TaskCompleted
from domain.public_session import EndReason
from domain.reminder import LEAST_GAP
from domain.watch import Watch

ISSUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
END = ISSUED + 14 * DAY
SLOTS = (END - 7 * DAY, END - 3 * DAY, END - DAY)


def watch(reminders: tuple[datetime, ...] = SLOTS) -> Watch:
    return Watch.of(PublicSessionStart("s", END, reminders, ("a", "b")))


def completed(task: str, *, last: bool = False) -> TaskCompleted:
    return TaskCompleted(f"fact-{task}", task, last)


def bound(fence: int, idle_at: datetime = ISSUED + HOUR) -> TakenOver:
    return TakenOver(f"binding-{fence}", fence, idle_at)


def moved(move: int, to: datetime, reminders: tuple[datetime, ...] = ()) -> DeadlineMoved:
    return DeadlineMoved("s", move, to, reminders)


def test_all_tasks_or_the_last_one_end_it() -> None:
    one = watch().hearing_task(completed("b"))
    assert one.over is None
    assert one.hearing_task(completed("b")).over is None
    assert one.hearing_task(completed("a")).over == EndReason.COMPLETED
    assert watch().hearing_task(completed("b", last=True)).over == EndReason.COMPLETED


def test_the_first_end_heard_stands() -> None:
    ended = watch().hearing_end(EndReason.REVOKED)
    assert ended.hearing_end(EndReason.DECLINED).over == EndReason.REVOKED
    assert ended.hearing_task(completed("a", last=True)).over == EndReason.REVOKED


def test_an_older_browser_is_stale_news() -> None:
    second = watch().hearing_binding(bound(2, ISSUED + 2 * HOUR))
    assert (second.fence, second.idle_at) == (2, ISSUED + 2 * HOUR)
    assert second.hearing_binding(bound(1)) == second
    assert second.hearing_binding(bound(2)) == second
    assert second.hearing_binding(bound(3)).idle_at == ISSUED + HOUR


def test_an_older_move_of_the_deadline_is_stale_news() -> None:
    second = watch().hearing_deadline(moved(2, END + 2 * DAY, (END + DAY,)))
    assert (second.expires_at, second.reminders) == (END + 2 * DAY, (END + DAY,))
    assert second.hearing_deadline(moved(1, END + DAY)) == second
    assert second.hearing_deadline(moved(2, END + DAY)) == second


def test_what_is_due_next() -> None:
    assert watch().next_due() == SLOTS[0]
    assert watch(()).next_due() == END
    assert watch().hearing_binding(bound(1)).next_due() == ISSUED + HOUR


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (SLOTS[0] - SECOND, False),
        (SLOTS[0], True),
        (END - SECOND, True),
        (END, False),
        (END + SECOND, False),
    ],
)
def test_a_reminder_is_due_from_its_slot_until_the_end(at: datetime, due: bool) -> None:
    assert watch().reminder_due(at) is due
    assert not watch(()).reminder_due(at)


def test_missed_reminders_count_as_one() -> None:
    assert watch().past_reminders(SLOTS[1] + SECOND).reminders == SLOTS[2:]
    assert watch().past_reminders(SLOTS[2]).reminders == ()


@pytest.mark.parametrize("late", [SECOND, HOUR, 23 * HOUR])
def test_a_late_reminder_moves_the_next_so_that_two_never_come_within_a_day(
    late: timedelta,
) -> None:
    daily = watch((END - 3 * DAY, END - 2 * DAY, END - DAY))
    left = daily.past_reminders(END - 3 * DAY + late).reminders
    assert left == (END - 2 * DAY + late, END - DAY + late)


def test_silence_is_looked_at_when_it_would_end_the_browsers_place() -> None:
    each = watch().hearing_binding(bound(1))
    assert not watch().idle_due(END)
    assert not each.idle_due(ISSUED + HOUR - SECOND)
    assert each.idle_due(ISSUED + HOUR)


def test_the_row_says_when_to_look_again_unless_newer_news_came() -> None:
    each = watch().hearing_binding(bound(2))
    assert each.adopting_idle(2, 2, None).idle_at is None
    newer = each.adopting_idle(2, 3, ISSUED + 2 * HOUR)
    assert (newer.fence, newer.idle_at) == (3, ISSUED + 2 * HOUR)
    assert each.adopting_idle(1, 1, None) == each


def test_the_row_is_right_about_a_browser_that_nobody_bound() -> None:
    bogus = watch().hearing_binding(bound(9))
    assert bogus.adopting_idle(9, 1, None).hearing_binding(bound(2)).fence == 2


def test_times_without_a_zone_are_refused_when_they_are_told() -> None:
    naive = ISSUED.replace(tzinfo=None)
    with pytest.raises(TypeError):
        watch().hearing_binding(bound(1, naive))
    with pytest.raises(TypeError):
        watch().hearing_deadline(moved(1, naive))
    with pytest.raises(TypeError):
        watch().hearing_deadline(moved(1, END + DAY, (naive,)))


def test_silence_is_looked_at_no_later_than_the_end() -> None:
    assert watch().hearing_binding(bound(1, END + DAY)).idle_at == END


def test_a_deadline_never_comes_earlier() -> None:
    assert watch().hearing_deadline(moved(1, END - SECOND)) == watch()
    same = watch().hearing_deadline(moved(1, END, (END - DAY, END + DAY)))
    assert (same.moves, same.reminders) == (1, (END - DAY,))


def test_the_row_says_what_the_deadline_is() -> None:
    assert watch().adopting_deadline(END + DAY).expires_at == END + DAY


def test_what_was_told_is_forgotten_but_the_deadlines_are_not() -> None:
    each = watch().hearing_binding(bound(1)).hearing_task(completed("a", last=True))
    asked = each.asking_the_row()
    assert (asked.over, asked.heard) == (None, frozenset())
    assert (asked.expires_at, asked.idle_at, asked.fence) == (END, ISSUED + HOUR, 1)


@given(
    st.lists(st.integers(1, 13), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(0, 14 * 24 * 60), max_size=30),
)
def test_reminders_never_come_close_together_or_after_the_end(
    days: list[int], wakings: list[int]
) -> None:
    """A worker that wakes at any moments sends what is due then."""
    each = watch(tuple(sorted(END - day * DAY for day in days)))
    sent = []
    for at in (ISSUED + timedelta(minutes=waking) for waking in sorted(wakings)):
        if each.reminder_due(at):
            each = each.past_reminders(at)
            sent.append(at)
    assert len(sent) <= len(days)
    assert all(at < END for at in sent)
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert all(gap >= LEAST_GAP for gap in gaps)
