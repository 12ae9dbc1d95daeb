"""What the workflow of one public session knows and waits for.

Facts arrive as signals in any order, more than once, or late; the value only ever grows towards
"over". The row stays the arbiter: whatever an activity reads there is adopted.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.messages import DeadlineMoved, PublicSessionStart, TakenOver, TaskCompleted
from domain.public_session import EndReason
from domain.reminder import LEAST_GAP


@dataclass(frozen=True, slots=True)
class Watch:
    """A session's deadlines and the facts heard of it."""

    expires_at: datetime
    tasks: frozenset[str]
    reminders: tuple[datetime, ...] = ()
    idle_at: datetime | None = None
    fence: int = 0
    moves: int = 0
    heard: frozenset[str] = frozenset()
    over: EndReason | None = None

    @classmethod
    def of(cls, start: PublicSessionStart) -> "Watch":
        """The watch a workflow begins with."""
        return cls(start.expires_at, frozenset(start.tasks), tuple(start.reminders))

    def hearing_task(self, told: TaskCompleted) -> "Watch":
        """A task's completion; the last one, or all of them, ends the session."""
        heard = self.heard | {told.task}
        whole = told.last or heard >= self.tasks
        return replace(self, heard=heard, over=self._ended(EndReason.COMPLETED if whole else None))

    def hearing_end(self, reason: EndReason) -> "Watch":
        """An end decided in SQL."""
        return replace(self, over=self._ended(reason))

    def hearing_binding(self, told: TakenOver) -> "Watch":
        """A browser was bound; an older fence than the one known is stale news."""
        if told.fence <= self.fence:
            return self
        # Compared here, a time without a zone is refused here and not while waiting.
        return replace(self, fence=told.fence, idle_at=min(told.idle_at, self.expires_at))

    def hearing_deadline(self, told: DeadlineMoved) -> "Watch":
        """A later deadline with its reminders; an older move than the one known is stale news."""
        if told.move <= self.moves or told.expires_at < self.expires_at:
            return self
        reminders = tuple(each for each in told.reminders if each < told.expires_at)
        return replace(self, moves=told.move, expires_at=told.expires_at, reminders=reminders)

    def asking_the_row(self) -> "Watch":
        """As if no end had been told: what is told while the row is asked counts anew."""
        return replace(self, over=None, heard=frozenset())

    def _ended(self, reason: EndReason | None) -> EndReason | None:
        return self.over or reason

    def next_due(self) -> datetime:
        """The earliest moment at which something is to be done."""
        return min(filter(None, (self.expires_at, self.idle_at, *self.reminders[:1])))

    def reminder_due(self, at: datetime) -> bool:
        """Whether a reminder is due and the session is not."""
        return bool(self.reminders) and self.reminders[0] <= at < self.expires_at

    def past_reminders(self, at: datetime) -> "Watch":
        """What is left after reminding at `at`.

        Missed slots count as one, and a late reminder moves the next: never two within a day.
        """
        left = (each for each in self.reminders if each > at)
        spaced = (max(each, at + days * LEAST_GAP) for days, each in enumerate(left, 1))
        return replace(self, reminders=tuple(spaced))

    def idle_due(self, at: datetime) -> bool:
        """Whether the bound browser's silence is to be looked at."""
        return self.idle_at is not None and self.idle_at <= at

    def adopting_idle(self, asked: int, fence: int, idle_at: datetime | None) -> "Watch":
        """What the row says of the browser, unless news came since the row was asked.

        `asked` is the fence known then. The row is right even where it knows of an older fence.
        """
        return replace(self, fence=fence, idle_at=idle_at) if self.fence == asked else self

    def adopting_deadline(self, expires_at: datetime) -> "Watch":
        """What the row says of the deadline."""
        return replace(self, expires_at=expires_at)
