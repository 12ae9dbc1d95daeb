"""What the workflow of one signing session knows and waits for.

The row stays the arbiter: whatever an activity reads there is adopted. A timer that is due is armed
again lazily, so that a window's signs of life never reach the workflow (SX-3).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.messages import SigningChecked, SigningSessionStart, SigningTakenOver


@dataclass(frozen=True, slots=True)
class SigningWatch:
    """The fence that was heard of last, and when to look at the row."""

    fence: int
    due_at: datetime
    told_over: bool = False

    @classmethod
    def of(cls, start: SigningSessionStart) -> "SigningWatch":
        """The watch a workflow begins with."""
        return cls(start.fence, start.due_at)

    def hearing_window(self, told: SigningTakenOver) -> "SigningWatch":
        """A window was opened; an older fence than the one known is stale news."""
        if told.fence <= self.fence:
            return self
        return replace(self, fence=told.fence, due_at=told.due_at)

    def hearing_end(self) -> "SigningWatch":
        """The session is said to be over: the row is asked."""
        return replace(self, told_over=True)

    def is_due(self, at: datetime) -> bool:
        """Whether the row is to be looked at."""
        return self.told_over or at >= self.due_at

    def adopting(self, asked: int, checked: SigningChecked) -> "SigningWatch":
        """What the row says, unless a window was opened since it was asked under `asked`."""
        if checked.due_at is None or self.fence != asked:
            return replace(self, told_over=False)
        return SigningWatch(checked.fence, checked.due_at)
