from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.binding import Binding, BindingEnd, IdlePolicy
from domain.errors import (
    BindingLost,
    ExtensionRefused,
    NotFound,
    SessionEnded,
    TaskDone,
    TaskLocked,
)
from domain.public_session import (
    OPEN,
    STATUS_OF,
    TRANSITIONS,
    EndReason,
    PublicSession,
    Status,
)
from domain.task import Task, TaskState

ISSUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
END = ISSUED + 14 * DAY
POLICY = IdlePolicy(timedelta(minutes=30), timedelta(seconds=60))
HERE, ELSEWHERE = UUID(int=1), UUID(int=2)


def session(**changes: Any) -> PublicSession:
    whole = PublicSession(
        status=Status.ISSUED,
        issued_at=ISSUED,
        expires_at=END,
        ordered=True,
        tasks=(Task("a"), Task("b"), Task("c")),
    )
    return replace(whole, **changes)


def bound(**changes: Any) -> PublicSession:
    return session(**changes).binding_to(Binding(HERE, 1, ISSUED))


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (ISSUED, None),
        (END - SECOND, None),
        (END, EndReason.BOUND_REACHED),
        (END + SECOND, EndReason.BOUND_REACHED),
    ],
)
def test_the_bound_ends_a_session_to_the_second(at: datetime, end: EndReason | None) -> None:
    # PS-8, PS-29
    each = session()
    assert each.end_at(at) == end
    refusal = each.refuses(at)
    assert (refusal.end_reason if isinstance(refusal, SessionEnded) else refusal) == end


@pytest.mark.parametrize("reason", EndReason)
@pytest.mark.parametrize("at", [ISSUED - 400 * DAY, ISSUED, END - SECOND, END + 400 * DAY])
def test_an_end_stands_whatever_the_clock_says(reason: EndReason, at: datetime) -> None:
    each = session().ending(reason)
    assert each.status == STATUS_OF[reason]
    assert each.end_at(at) == reason
    assert isinstance(bound().ending(reason).refuses_browser(HERE, at, POLICY), SessionEnded)


@pytest.mark.parametrize(
    ("browser", "after", "reason"),
    [
        (HERE, POLICY.whole - SECOND, None),
        (HERE, POLICY.whole + SECOND, BindingEnd.INACTIVE),
        (ELSEWHERE, timedelta(), "none"),
        (None, timedelta(), "none"),
    ],
)
def test_only_the_bound_browser_may_act_and_not_after_idling(
    browser: UUID | None, after: timedelta, reason: str | None
) -> None:
    # PS-27, C18
    refusal = bound().refuses_browser(browser, ISSUED + after, POLICY)
    assert (refusal.reason if isinstance(refusal, BindingLost) else refusal) == reason


def test_an_unbound_session_lets_no_browser_act() -> None:
    # PS-26
    assert isinstance(session().refuses_browser(HERE, ISSUED, POLICY), BindingLost)


def test_the_end_of_the_session_is_told_before_that_of_the_browser() -> None:
    refusal = bound().refuses_browser(ELSEWHERE, END, POLICY)
    assert isinstance(refusal, SessionEnded)


def test_ordered_tasks_come_one_after_the_other() -> None:
    # PS-11
    each = session()
    assert [each.state_of(task) for task in each.tasks] == [
        TaskState.OPEN,
        TaskState.LOCKED,
        TaskState.LOCKED,
    ]
    refusal = each.refuses_task("c")
    assert isinstance(refusal, TaskLocked)
    assert refusal.before == "a"
    assert each.refuses_task("a") is None


def test_unordered_tasks_come_in_any_order() -> None:
    # PS-11
    each = session(ordered=False).completing("c", ISSUED)
    assert [each.state_of(task) for task in each.tasks] == [
        TaskState.OPEN,
        TaskState.OPEN,
        TaskState.COMPLETED,
    ]
    assert each.refuses_task("b") is None
    assert each.next_task == Task("a")


def test_a_completion_keeps_its_time_and_is_not_taken_twice() -> None:
    # PS-12
    each = bound().completing("a", ISSUED + SECOND)
    assert each.task("a").completed_at == ISSUED + SECOND
    refusal = each.refuses_task("a")
    assert isinstance(refusal, TaskDone)
    assert refusal.completed_at == ISSUED + SECOND


def test_the_last_task_completes_the_session() -> None:
    # PS-19
    each = bound()
    for key in "ab":
        each = each.completing(key, ISSUED)
        assert (each.status, each.end_reason) == (Status.IN_PROGRESS, None)
    assert (each.done, each.next_task) == (2, Task("c"))
    each = each.completing("c", ISSUED)
    assert (each.status, each.end_reason) == (Status.COMPLETED, EndReason.COMPLETED)
    assert (each.done, each.next_task) == (3, None)


def test_an_unknown_task_is_not_found() -> None:
    with pytest.raises(NotFound):
        session().task("d")
    with pytest.raises(NotFound):
        session().refuses_task("d")


@pytest.mark.parametrize(
    ("to", "good"),
    [
        (END, False),
        (END - SECOND, False),
        (END + SECOND, True),
        (ISSUED + 366 * DAY, True),
        (ISSUED + 366 * DAY + SECOND, False),
    ],
)
def test_a_deadline_moves_later_and_not_too_far(to: datetime, good: bool) -> None:
    if good:
        assert session().extending(to, 366 * DAY).expires_at == to
    else:
        with pytest.raises(ExtensionRefused) as caught:
            session().extending(to, 366 * DAY)
        assert caught.value.latest == ISSUED + 366 * DAY


def test_the_transitions_of_a_status() -> None:
    # PS-41
    assert {
        (Status.ISSUED, Status.IN_PROGRESS),
        (Status.ISSUED, Status.EXPIRED),
        (Status.ISSUED, Status.REVOKED),
        (Status.IN_PROGRESS, Status.COMPLETED),
        (Status.IN_PROGRESS, Status.DECLINED),
        (Status.IN_PROGRESS, Status.EXPIRED),
        (Status.IN_PROGRESS, Status.REVOKED),
    } == TRANSITIONS
    assert {old for old, _ in TRANSITIONS} == OPEN
    assert set(STATUS_OF) == set(EndReason)
