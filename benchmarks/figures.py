"""What a measurement comes to: percentiles, goals, rows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, variance
from typing import Any


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least `percent` of all are not above (nearest rank)."""
    ordered = sorted(samples)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1]


def median(samples: Sequence[float]) -> float:
    """The 50th percentile."""
    return percentile(samples, 50)


def cropped(samples: Sequence[float], percent: float) -> list[float]:
    """The samples without the slowest `percent` of them."""
    return sorted(samples)[: len(samples) - math.floor(len(samples) * percent / 100)]


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t: how many standard errors two means are apart, whatever the variances."""
    error = math.sqrt(variance(one) / len(one) + variance(other) / len(other))
    return (mean(one) - mean(other)) / error


@dataclass(frozen=True, slots=True)
class Goal:
    """What a row should reach: its words, and the test of floor and ours."""

    words: str
    is_met: Callable[["Row"], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `floor` is what the bare parts need, where there is such a thing."""

    name: str
    unit: str
    ours: float
    floor: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Ours as a part of the floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        return self.goal.is_met(self) if self.goal else None

    def as_json(self) -> dict[str, Any]:
        """The row of `bench.json`."""
        return {
            "name": self.name,
            "unit": self.unit,
            "floor": _rounded(self.floor),
            "ours": _rounded(self.ours),
            "ratio": _rounded(self.ratio),
            "goal": self.goal.words if self.goal else None,
            "met": self.met,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def at_most_of_floor(part: float) -> Goal:
    """Ours is at most this part of the floor."""
    return Goal(f"≤ {part:g} × floor", lambda row: row.ratio is not None and row.ratio <= part)


def at_least_of_floor(part: float) -> Goal:
    """Ours is at least this part of the floor."""
    return Goal(f"≥ {part:g} × floor", lambda row: row.ratio is not None and row.ratio >= part)


def under(limit: float) -> Goal:
    """Ours is under a limit, whatever the floor."""
    return Goal(f"< {limit:g}", lambda row: row.ours < limit)


def at_most(limit: float) -> Goal:
    """Ours is a limit at most, whatever the floor."""
    return Goal(f"≤ {limit:g}", lambda row: row.ours <= limit)
