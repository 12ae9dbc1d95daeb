"""Sees committed rows, for ours and for the floors in the same way: one poll for all who wait."""

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from psycopg_pool import AsyncConnectionPool

LONGEST = 60.0

ADVANCED = """
    SELECT s.id::text FROM public_session s JOIN party p ON p.id = s.party_id
    WHERE s.id = ANY(%s::uuid[]) AND s.advance = 'done' AND p.state = 'known'
"""
COMMITTED = "SELECT key FROM bare.done WHERE key = ANY(%s)"


@dataclass(slots=True)
class Watcher:
    """`sql` gives back those of the keys it is given whose row is there; `every` is in seconds."""

    pool: AsyncConnectionPool
    sql: str
    every: float
    _waiting: dict[str, asyncio.Future[float]] = field(default_factory=dict)
    _polling: asyncio.Task[None] | None = None

    async def seen(self, key: str) -> float:
        """When the row of `key` was seen, on the clock of `perf_counter`."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        async with asyncio.timeout(LONGEST):
            return await future

    async def _poll(self) -> None:
        async with self.pool.connection() as connection:
            while self._waiting:
                found = await connection.execute(self.sql, [list(self._waiting)])
                rows = await found.fetchall()
                await connection.commit()
                at = perf_counter()
                for (key,) in rows:
                    future = self._waiting.pop(key)
                    if not future.done():
                        future.set_result(at)
                await asyncio.sleep(self.every)
            # At once, before the connection is given back: who comes now starts another poll.
            self._polling = None
