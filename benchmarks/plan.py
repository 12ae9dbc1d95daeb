"""How much is measured: bounded in count, and each part in time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts; `longest` is the seconds after which a part takes on nothing more."""

    alone: int
    crowd: int
    rounds: int
    issues: int
    sessions: int
    longest: float
    warm_up: int = 3

    @property
    def parties(self) -> int:
        """Every session has a party of its own: code mails are limited for each address."""
        a_round = self.issues + self.sessions
        return self.alone + self.rounds * a_round + 2 * self.crowd + self.warm_up + 10


FULL = Plan(alone=25, crowd=20, rounds=3, issues=100, sessions=100, longest=12)
QUICK = Plan(alone=6, crowd=20, rounds=1, issues=60, sessions=60, longest=5)
