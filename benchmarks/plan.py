"""How much is measured: bounded in count, and each part in time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts; a part takes on nothing more after `longest` seconds, no round begins after `until`.

    On a busy machine these end the run in time, with fewer samples.
    """

    alone: int
    crowd: int
    rounds: int
    issues: int
    sessions: int
    longest: float
    until: float
    warm_up: int = 3

    @property
    def parties(self) -> int:
        """Every session has a party of its own: code mails are limited for each address."""
        a_round = self.issues + self.sessions
        return self.alone + self.rounds * a_round + 2 * self.crowd + self.warm_up + 10


FULL = Plan(alone=25, crowd=20, rounds=3, issues=80, sessions=80, longest=10, until=120)
QUICK = Plan(alone=5, crowd=20, rounds=1, issues=40, sessions=40, longest=4, until=30)
