"""Tasks: the pieces of a public session (PS-10 to PS-12)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TaskKind(StrEnum):
    """What a party is asked to do in one task (PS-10)."""

    FORM = "form"
    ACKNOWLEDGMENT = "acknowledgment"
    CONFIRMATION = "confirmation"
    UPLOAD = "upload"
    SIGNATURE = "signature"


class TaskState(StrEnum):
    """Where one task stands: `locked → open → completed`."""

    LOCKED = "locked"
    OPEN = "open"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Task:
    """One task of one session: its key and, once there is one, its completion (PS-12)."""

    key: str
    completed_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Whether a completion was recorded."""
        return self.completed_at is not None
