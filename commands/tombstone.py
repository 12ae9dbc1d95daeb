"""Lays tombstones into the object store after the commit, where no backup of the database is.

Every end that a restored backup would take back has one: `commands/restore.py` reads them.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from adapters.object_notes import ObjectNotes
from adapters.objects import ObjectStore, ObjectStoreAway
from commands.object_claim import note_seen
from commands.work import Transactions
from store.database import is_away
from store.tombstone import (
    TombstoneRow,
    note_laid,
    old_tombstones,
    remove_tombstones,
    waiting_tombstones,
)

log = structlog.get_logger()

MOST = 50
LOOP_EVERY = 0.5
WAIT_WHEN_AWAY = 5.0
SEEN_EVERY = timedelta(minutes=1)


class TombstoneLayer:
    """The loop of a worker that lays them, each at least once."""

    def __init__(self, begin: Transactions, objects: ObjectStore) -> None:
        """Takes the way to begin transactions, and where tombstones go."""
        self._begin = begin
        self._notes = ObjectNotes.beside(objects)
        self._seen_at: datetime | None = None

    async def round(self) -> int:
        """Lays what waits; returns how many. Raises `ObjectStoreAway`."""
        async with self._begin.work() as work:
            rows = await waiting_tombstones(work.db, MOST)
        await asyncio.gather(*(self._lay(each) for each in rows))
        if rows:
            async with self._begin.work() as noting:
                await note_laid(noting.db, [each.id for each in rows], noting.at)
        if len(rows) < MOST:
            # Whatever was committed before this round began is there now.
            await self._note_seen(work.at)
        return len(rows)

    async def _lay(self, row: TombstoneRow) -> None:
        await self._notes.write(row.value.name, row.at.isoformat())

    async def _note_seen(self, at: datetime) -> None:
        if self._seen_at is None or at - self._seen_at >= SEEN_EVERY:
            await note_seen(self._begin, self._notes, at)
            self._seen_at = at

    async def lay_until_stopped(self, stop: asyncio.Event) -> None:
        """Round after round, until the process ends."""
        while not stop.is_set():
            pause = await self._tried()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _tried(self) -> float:
        """How long to wait for the next round."""
        try:
            return 0.0 if await self.round() == MOST else LOOP_EVERY
        except Exception as error:
            if not isinstance(error, ObjectStoreAway) and not is_away(error):
                raise
            log.warning("tombstones_wait", error=type(error).__name__)
            return WAIT_WHEN_AWAY


async def purge_tombstones(
    begin: Transactions, objects: ObjectStore, at: datetime, most: int
) -> int:
    """Removes up to `most` that no backup is old enough to need; returns how many.

    Raises `ObjectStoreAway`.
    """
    async with begin.work(at) as work:
        old = await old_tombstones(work.db, at - begin.settings.key_epoch_kept_for, most)
    await _take_away(ObjectNotes.beside(objects), old)
    async with begin.work(at) as work:
        await remove_tombstones(work.db, [each.id for each in old])
    return len(old)


async def _take_away(notes: ObjectNotes, rows: Sequence[TombstoneRow]) -> None:
    for each in rows:
        await notes.delete(each.value.name)
