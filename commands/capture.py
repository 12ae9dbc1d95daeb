"""What a browser posts for a task, and what is kept of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from commands.work import Work
from store.public_session import PublicSessionRow, TaskRow


@dataclass(frozen=True, slots=True)
class Posted:
    """What a browser posted for a task, in which language, with the page's gettext."""

    values: Mapping[str, Any]
    locale: str
    translate: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Captured:
    """What is kept: the body, and the evidence of what was shown."""

    body: dict[str, Any]
    evidence: dict[str, Any]


class CapturesTask(Protocol):
    """One kind of task."""

    async def capture(
        self, work: Work, session: PublicSessionRow, task: TaskRow, posted: Posted
    ) -> Captured:
        """What a completion keeps; raises `AnswersRefused` naming each field and limit."""
