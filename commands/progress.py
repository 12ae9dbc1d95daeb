"""How far something that takes long has got."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, how much of it is done, and of how much if that is known."""

    what: str
    done: int
    total: int | None = None
