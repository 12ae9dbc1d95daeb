"""Whether this process can serve, and what of the rest is behind.

Ready means that PostgreSQL answers and is migrated: people are served without Temporal and without
any worker, and what follows catches up by itself.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from adapters.temporal import Telegraph
from commands.work import Transactions
from store.backlog import Backlog, backlog
from store.database import is_away
from store.migrate import is_migrated

KEPT_FOR = 1.0
"""Seconds a report is given again, so that probes cost nothing."""
PROBE_WAIT = 0.5
DATABASE_WAIT = timedelta(seconds=2)
"""Seconds Temporal has to answer; a probe of ours must be quicker than whoever probes us."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; `behind` is None while PostgreSQL does not answer or is not migrated."""

    database: Literal["up", "down", "not_migrated"]
    temporal: bool
    behind: Backlog | None
    at: datetime

    @property
    def is_ready(self) -> bool:
        """Whether requests can be served."""
        return self.database == "up"

    @property
    def is_behind(self) -> bool:
        """Whether something waits, or will."""
        return not self.temporal or self.behind is None or not self.behind.is_empty


class Readiness:
    """Asks PostgreSQL and Temporal, at most once in `KEPT_FOR`."""

    def __init__(self, transactions: Transactions, telegraph: Telegraph) -> None:
        """Takes the ways to both."""
        self._transactions = transactions
        self._telegraph = telegraph
        self._lock = asyncio.Lock()
        self._last: Report | None = None
        self._asked_at = 0.0

    async def report(self) -> Report:
        """The state of things, `KEPT_FOR` old at most."""
        async with self._lock:
            if self._last is None or time.monotonic() - self._asked_at > KEPT_FOR:
                self._last = await self._ask()
                self._asked_at = time.monotonic()
            return self._last

    async def _ask(self) -> Report:
        found, temporal = await asyncio.gather(self._database(), self._temporal())
        state, behind = found
        return Report(state, temporal, behind, self._transactions.clock())

    async def _database(self) -> tuple[Literal["up", "down", "not_migrated"], Backlog | None]:
        try:
            async with self._transactions.work(within=DATABASE_WAIT, without_keys=True) as work:
                if not await is_migrated(work.db):
                    return "not_migrated", None
                if not work.keyring.is_ready:
                    return "down", None
                patience = work.settings.intent_repeat_after
                return "up", await backlog(work.db, work.at - patience)
        except Exception as error:
            if not is_away(error):
                raise
            return "down", None

    async def _temporal(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_WAIT):
                return await self._telegraph.is_up()
        except TimeoutError:
            return False
