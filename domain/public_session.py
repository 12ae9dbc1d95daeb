"""A public session: who may do what in it, at a given time.

The value is made from one locked row and its tasks; every rule is arithmetic on it, so a stopped
worker never leaves a door open (PS-29, PS-30).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.binding import Binding, IdlePolicy
from domain.errors import (
    BindingLost,
    DomainError,
    ExtensionRefused,
    NotFound,
    SessionEnded,
    TaskDone,
    TaskLocked,
)
from domain.task import Task, TaskState


class Status(StrEnum):
    """`issued → in_progress → completed / declined / expired / revoked` (PS-41)."""

    ISSUED = "issued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    DECLINED = "declined"
    EXPIRED = "expired"
    REVOKED = "revoked"


OPEN = frozenset({Status.ISSUED, Status.IN_PROGRESS})


class EndReason(StrEnum):
    """Why a public session ended; the same word on page, API and audit."""

    COMPLETED = "completed"
    DECLINED = "declined"
    BOUND_REACHED = "bound_reached"
    REVOKED = "revoked"
    REISSUED = "reissued"


STATUS_OF: dict[EndReason, Status] = {
    EndReason.COMPLETED: Status.COMPLETED,
    EndReason.DECLINED: Status.DECLINED,
    EndReason.BOUND_REACHED: Status.EXPIRED,
    EndReason.REVOKED: Status.REVOKED,
    EndReason.REISSUED: Status.REVOKED,
}

TRANSITIONS: frozenset[tuple[Status, Status]] = frozenset(
    {(Status.ISSUED, Status.IN_PROGRESS), (Status.IN_PROGRESS, Status.COMPLETED)}
    | {(Status.IN_PROGRESS, Status.DECLINED)}
    | {(old, ended) for old in OPEN for ended in (Status.EXPIRED, Status.REVOKED)}
)


class Advance(StrEnum):
    """What completing a session did to the party's lifecycle (PS-19, PS-36, PS-39)."""

    NONE = "none"
    PENDING = "pending"
    DONE = "done"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class PublicSession:
    """One template version issued to one party, as its row says at this moment."""

    status: Status
    issued_at: datetime
    expires_at: datetime
    ordered: bool
    tasks: tuple[Task, ...]
    end_reason: EndReason | None = None
    binding: Binding | None = None

    def end_at(self, at: datetime) -> EndReason | None:
        """Why the session is over at `at`, or None while it is open (PS-29)."""
        if self.end_reason is not None:
            return self.end_reason
        return EndReason.BOUND_REACHED if at >= self.expires_at else None

    def refuses(self, at: datetime) -> DomainError | None:
        """The refusal every verb on an open session meets first."""
        reason = self.end_at(at)
        return SessionEnded(reason) if reason else None

    def refuses_browser(
        self, binding_id: UUID | None, at: datetime, policy: IdlePolicy
    ) -> DomainError | None:
        """The refusal a browser meets: session over, other browser, idle for too long (PS-27)."""
        if refusal := self.refuses(at):
            return refusal
        if self.binding is None or self.binding.id != binding_id:
            return BindingLost()
        reason = self.binding.end_at(at, policy)
        return BindingLost(reason) if reason else None

    def task(self, key: str) -> Task:
        """The task with this key; raises `NotFound`."""
        for each in self.tasks:
            if each.key == key:
                return each
        raise NotFound("task")

    def state_of(self, task: Task) -> TaskState:
        """Where a task stands, given the ones before it (PS-11)."""
        if task.is_done:
            return TaskState.COMPLETED
        return TaskState.LOCKED if self._comes_before(task) else TaskState.OPEN

    def _comes_before(self, task: Task) -> Task | None:
        if not self.ordered:
            return None
        earlier = self.tasks[: self.tasks.index(task)]
        return next((each for each in earlier if not each.is_done), None)

    def refuses_task(self, key: str) -> DomainError | None:
        """Why a task cannot be completed now: done before, or not its turn (ASVS 2.3.1)."""
        task = self.task(key)
        if task.completed_at is not None:
            return TaskDone(key, task.completed_at)
        before = self._comes_before(task)
        return TaskLocked(before.key) if before else None

    def completing(self, key: str, at: datetime) -> "PublicSession":
        """The session after this task's completion at `at`; completed with its last task."""
        tasks = tuple(
            replace(each, completed_at=at) if each.key == key else each for each in self.tasks
        )
        whole = all(each.is_done for each in tasks)
        after = replace(self, tasks=tasks, status=Status.IN_PROGRESS)
        return after.ending(EndReason.COMPLETED) if whole else after

    def ending(self, reason: EndReason) -> "PublicSession":
        """The session after it ended for this reason."""
        return replace(self, status=STATUS_OF[reason], end_reason=reason)

    def binding_to(self, binding: Binding) -> "PublicSession":
        """The session after a browser verified: in progress and bound to it."""
        return replace(self, status=Status.IN_PROGRESS, binding=binding)

    def extending(self, expires_at: datetime, longest: timedelta) -> "PublicSession":
        """The session with a later deadline; raises `ExtensionRefused`."""
        latest = self.issued_at + longest
        if not self.expires_at < expires_at <= latest:
            raise ExtensionRefused(latest)
        return replace(self, expires_at=expires_at)

    @property
    def next_task(self) -> Task | None:
        """The first task that is not done."""
        return next((each for each in self.tasks if not each.is_done), None)

    @property
    def done(self) -> int:
        """How many tasks are completed."""
        return sum(each.is_done for each in self.tasks)
