"""How many sessions one member may have at once, and what becomes of one too many (C1, C17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from domain.sign_in import MODES, SignInMode

T = TypeVar("T")


class Overflow(StrEnum):
    """What happens when one more session would be too many."""

    REFUSE_NEW = "refuse_new"
    DISPLACE_OLDEST = "displace_oldest"
    KEEP_MOST_RECENT = "keep_most_recent"


@dataclass(frozen=True, slots=True)
class Admission(Generic[T]):
    """Whether a new session is let in, and which others end for it."""

    is_refused: bool
    displaced: tuple[T, ...] = ()


@dataclass(frozen=True, slots=True)
class ConcurrencyPolicy:
    """At most `limit` sessions of one member, which can all still act (SH-6)."""

    limit: int
    overflow: Overflow

    @classmethod
    def of(
        cls, mode: SignInMode, *, allow_concurrent: bool, limit: int, overflow: Overflow
    ) -> "ConcurrencyPolicy":
        """The policy a mode falls under (C17).

        Off: the newest wins (EE-9, EE-11). On, or locked by the mode (EE-12): up to the limit of
        SH-5, then what `overflow` says. A mode that comes back by itself displaces instead of being
        refused: nobody is there who could be asked.
        """
        if MODES[mode].concurrency_locked:
            return cls(limit, Overflow.DISPLACE_OLDEST)
        if not allow_concurrent:
            return cls(1, Overflow.KEEP_MOST_RECENT)
        return cls(limit, overflow)

    def admitting(self, living: Sequence[T]) -> Admission[T]:
        """What one more session means for the `living` ones, oldest first."""
        if self.overflow is Overflow.KEEP_MOST_RECENT:
            return Admission(is_refused=False, displaced=tuple(living))
        over = len(living) + 1 - self.limit
        if over <= 0:
            return Admission(is_refused=False)
        if self.overflow is Overflow.REFUSE_NEW:
            return Admission(is_refused=True)
        return Admission(is_refused=False, displaced=tuple(living[:over]))
