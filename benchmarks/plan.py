"""How much is measured: bounded in count, and each part in time."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts; a part takes on nothing more after `longest` seconds, no round begins after `until`.

    On a busy machine these end the run in time, with fewer samples. `file` is the bytes of one
    upload, `limit` the seconds after which something hangs.
    """

    alone: int
    crowd: int
    rounds: int
    issues: int
    sessions: int
    files: int
    file: int
    events: int
    keys: int
    pairs: int
    longest: float
    until: float
    limit: float
    warm_up: int = 3

    @property
    def parties(self) -> int:
        """Every session has a party of its own: code mails are limited for each address."""
        a_round = self.issues + self.sessions
        by_hand = 3 * self.alone + self.files + self.warm_up
        return by_hand + self.rounds * a_round + 2 * self.crowd + 10


FULL = Plan(
    alone=25,
    crowd=20,
    rounds=3,
    issues=80,
    sessions=80,
    files=3,
    file=1024 * MIB,
    events=100_000,
    keys=5000,
    pairs=2000,
    longest=10,
    until=120,
    limit=3600,
)
QUICK = Plan(
    alone=5,
    crowd=20,
    rounds=1,
    issues=40,
    sessions=40,
    files=1,
    file=64 * MIB,
    events=10_000,
    keys=400,
    pairs=100,
    longest=4,
    until=30,
    limit=600,
)
