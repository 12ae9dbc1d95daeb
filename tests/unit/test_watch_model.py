"""The watch against a model that remembers every fact and asks the whole past each time."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.messages import DeadlineMoved, PublicSessionStart, TakenOver, TaskCompleted
from domain.public_session import EndReason
from domain.watch import Watch

ISSUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = ISSUED + 14 * DAY
KEYS = ("a", "b", "c")
REMINDERS = (END - 3 * DAY, END - DAY)
SAID = [each for each in EndReason if each != EndReason.COMPLETED]


class WatchLife(RuleBasedStateMachine):
    """Facts are made in order and told in any order, several times, late or never."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Watch.of(PublicSessionStart("s", END, REMINDERS, KEYS))
        self.tasks: list[TaskCompleted] = []
        self.bindings: list[TakenOver] = []
        self.moves: list[DeadlineMoved] = []
        self.told_tasks: set[str] = set()
        self.told_fences: set[int] = set()
        self.told_moves: set[int] = set()
        self.first_end: EndReason | None = None
        self.at = ISSUED

    @rule()
    def a_task_is_completed(self) -> None:
        if len(self.tasks) < len(KEYS):
            key = KEYS[len(self.tasks)]
            last = len(self.tasks) == len(KEYS) - 1
            self.tasks.append(TaskCompleted(f"fact-{key}", key, last))

    @rule(hours=st.integers(0, 300))
    def a_browser_is_bound(self, hours: int) -> None:
        fence = len(self.bindings) + 1
        self.bindings.append(TakenOver(f"b{fence}", fence, ISSUED + hours * HOUR))

    @rule(days=st.integers(1, 20))
    def the_deadline_is_moved(self, days: int) -> None:
        move = len(self.moves) + 1
        to = (self.moves[-1].expires_at if self.moves else END) + days * DAY
        self.moves.append(DeadlineMoved("s", move, to, (to - DAY,)))

    @rule(which=st.integers(0, 99))
    def a_completion_is_told(self, which: int) -> None:
        if self.tasks:
            told = self.tasks[which % len(self.tasks)]
            self.watch = self.watch.hearing_task(told)
            self.told_tasks.add(told.task)
            if told.last or self.told_tasks >= set(KEYS):
                self.first_end = self.first_end or EndReason.COMPLETED

    @rule(which=st.integers(0, 99))
    def a_browser_is_told(self, which: int) -> None:
        if self.bindings:
            told = self.bindings[which % len(self.bindings)]
            self.watch = self.watch.hearing_binding(told)
            self.told_fences.add(told.fence)

    @rule(which=st.integers(0, 99))
    def a_move_is_told(self, which: int) -> None:
        if self.moves:
            told = self.moves[which % len(self.moves)]
            self.watch = self.watch.hearing_deadline(told)
            self.told_moves.add(told.move)

    @rule(reason=st.sampled_from(SAID))
    def an_end_is_told(self, reason: EndReason) -> None:
        self.watch = self.watch.hearing_end(reason)
        self.first_end = self.first_end or reason

    @rule(step=st.timedeltas(-2 * DAY, 3 * DAY))
    def the_worker_wakes(self, step: timedelta) -> None:
        """By a clock that may have stepped back."""
        self.at += step
        if self.watch.reminder_due(self.at):
            before = self.watch
            self.watch = before.past_reminders(self.at)
            assert len(self.watch.reminders) < len(before.reminders)

    @invariant()
    def nothing_ended_comes_back(self) -> None:
        assert self.watch.over == self.first_end

    @invariant()
    def the_newest_browser_counts(self) -> None:
        newest = max(self.told_fences, default=0)
        assert self.watch.fence == newest
        assert self.watch.idle_at == (self.bindings[newest - 1].idle_at if newest else None)

    @invariant()
    def the_newest_deadline_counts_and_never_comes_earlier(self) -> None:
        newest = max(self.told_moves, default=0)
        assert self.watch.moves == newest
        assert self.watch.expires_at == (self.moves[newest - 1].expires_at if newest else END)
        assert self.watch.expires_at >= END

    @invariant()
    def it_waits_for_no_longer_than_the_deadline(self) -> None:
        assert self.watch.next_due() <= self.watch.expires_at


TestWatchLife = WatchLife.TestCase
