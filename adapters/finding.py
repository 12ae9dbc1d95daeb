"""What a check of the set-up found, as the command line prints it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is; `error` means that the thing checked does not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do about it (empty when nothing)."""

    level: Level
    what: str
    to_do: str = ""
