"""What the page of one kind of task is: what it reads, shows and recalls."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from commands.pinned import pinned_form
from commands.room import Room
from commands.work import Work
from domain.errors import AnswersRefused
from domain.form import Form
from store.public_session import TaskRow

Posted: TypeAlias = Sequence[tuple[str, str]]
"""The fields of a posted form, in their order."""


@dataclass(frozen=True, slots=True)
class Place:
    """One task of one room, in the transaction that reads or writes it."""

    work: Work
    room: Room
    task: TaskRow
    window: str = ""
    """What the browser says of its window, where a task has one."""

    async def form(self) -> Form:
        """The form version the task was issued with."""
        return await pinned_form(self.work, self.room.session.workspace_id, self.task)


class TaskPage(ABC):
    """One kind of task as a page."""

    @abstractmethod
    async def read(self, place: Place, posted: Posted) -> Mapping[str, Any]:
        """The values of a post."""

    @abstractmethod
    async def show(
        self, place: Place, locale: str, refused: AnswersRefused | None
    ) -> dict[str, Any]:
        """What the template of an open task is given."""

    @abstractmethod
    async def recall(self, place: Place, body: Mapping[str, Any], locale: str) -> dict[str, Any]:
        """What the page of a completed task is given."""
