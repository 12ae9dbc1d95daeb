"""The tokens of a member's program, and for how long a repeated exchange is honest (SH-10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

REPEATED_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair as it is handed out, with the life that its access token was given."""

    access: str
    refresh: str
    life: timedelta


def is_repetition(used_at: datetime, at: datetime) -> bool:
    """Whether a refresh token that was used at `used_at` comes again because an answer was lost."""
    return at - used_at < REPEATED_WITHIN
