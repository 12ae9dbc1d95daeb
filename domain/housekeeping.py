"""What housekeeping keeps for how long, and what one run of it did."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

EVERY = timedelta(minutes=15)
CATCH_UP = timedelta(minutes=1)
"""A run that was missed for longer is left out: the next one does its work."""
LONGEST_RUN = timedelta(hours=1)

CODES_KEPT_FOR = timedelta(days=1)
STEPS_KEPT_FOR = timedelta(days=1)
LINKS_KEPT_FOR = timedelta(days=30)
"""A link that is over leads to a page that says so, and how to get a new one (SH-18)."""

ORPHANS_LEFT_FOR = timedelta(minutes=5)
"""Objects that were written more recently are not asked about: their row is about to come."""
ASKED_AGAIN_AFTER = timedelta(seconds=15)
"""An object without a row is asked about once more after this, longer than a transaction takes.

A bucket dates what came in parts by its first part: an upload that took an hour looks old before
its row is there.
"""
STAGED_LEFT_FOR = timedelta(hours=6)
"""What is staged may be on its way: a slow sender's pieces of 8 MiB reach the disk rarely."""

ERASED_AT_ONCE = 50
"""Sessions erased before a step asks whether it has gone on for long enough."""
BATCH = 500
"""Rows removed in one transaction."""
SWEEP_FOR = timedelta(seconds=30)
"""A step that is not through after this leaves the rest to the next run."""

LEFT_ALONE_FOR = timedelta(minutes=10)
"""What began or ended more recently is on its way and is not looked at."""
LOOKED_UP_AT_MOST = 200
"""Workflows asked for in one run, in each of the steps that ask."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one step did: how many rows, and after which it goes on next time; "" from the start."""

    count: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Housekept:
    """What a run did: counts of the steps that succeeded, names of those that failed, cursors."""

    counts: dict[str, int] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    cursors: dict[str, str] = field(default_factory=dict)

    def having(self, step: str, swept: Swept) -> "Housekept":
        """With a step that succeeded."""
        return replace(
            self,
            counts=self.counts | {step: swept.count},
            cursors=self.cursors | {step: swept.cursor},
        )

    def failing(self, step: str) -> "Housekept":
        """With a step that failed; it goes on where it was."""
        return replace(self, failed=(*self.failed, step))
