"""Removes objects that no upload needs: left by uploads that broke off, or of files taken back."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from adapters.object_notes import ObjectNotes
from adapters.objects import ObjectStore
from commands.object_claim import may_sweep
from commands.upload_file import let_go
from commands.work import Transactions
from domain.housekeeping import (
    ASKED_AGAIN_AFTER,
    BATCH,
    ORPHANS_LEFT_FOR,
    STAGED_LEFT_FOR,
    SWEEP_FOR,
    Swept,
)
from store.upload import doomed_uploads, known_objects


async def remove_orphans(
    begin: Transactions, objects: ObjectStore, at: datetime, cursor: str
) -> Swept:
    """Removes what nobody needs, for as long as a step may go on; counts the objects that went.

    First the objects of files that were taken back or erased, which are known; then what broken
    writes left; then the store is read from the name `cursor` on, for objects without a row. A
    store of which this database may not know everything keeps what has no row. Again is harmless.
    Raises `ObjectStoreAway`.
    """
    stop_at = asyncio.get_running_loop().time() + SWEEP_FOR.total_seconds()
    return await _Sweep(begin, objects, at, stop_at).run(cursor)


@dataclass(frozen=True, slots=True)
class _Sweep:
    """One run over the store; `stop_at` is by the loop's clock."""

    begin: Transactions
    objects: ObjectStore
    at: datetime
    stop_at: float

    async def run(self, cursor: str) -> Swept:
        removed = await self._remove_doomed()
        if not await may_sweep(self.begin, ObjectNotes.beside(self.objects)):
            return Swept(removed, cursor)
        removed += await self.objects.sweep_staging(self.at - STAGED_LEFT_FOR)
        unknown, cursor = await self._unknown_after(cursor)
        return Swept(removed + await self._remove(unknown), cursor)

    def _is_late(self) -> bool:
        return asyncio.get_running_loop().time() >= self.stop_at

    async def _remove_doomed(self) -> int:
        removed = 0
        while True:
            async with self.begin.work() as work:
                doomed = await doomed_uploads(work.db, BATCH)
            for row in doomed:
                await let_go(self.begin, self.objects, row)
                removed += 1
                if self._is_late():
                    return removed
            if len(doomed) < BATCH:
                return removed

    async def _unknown_after(self, cursor: str) -> tuple[list[str], str]:
        """Old objects without a row, and where to go on; "" once the whole store is read.

        A page is read even when it is late: no number of removed files keeps the others waiting.
        """
        unknown: list[str] = []
        before = self.at - ORPHANS_LEFT_FOR
        async with aclosing(self.objects.listed_before(before, cursor)) as pages:
            async for page in pages:
                unknown += await self._without_row(page.old)
                if self._is_late() or len(unknown) >= BATCH:
                    return unknown, page.last
        return unknown, ""

    async def _remove(self, unknown: Sequence[str]) -> int:
        if not unknown:
            return 0
        await asyncio.sleep(ASKED_AGAIN_AFTER.total_seconds())
        orphans = await self._without_row(unknown)
        for each in orphans:
            await self.objects.delete(each)
        return len(orphans)

    async def _without_row(self, names: Sequence[str]) -> list[str]:
        async with self.begin.work() as work:
            known = await known_objects(work.db, names)
        return [each for each in names if each not in known]
