"""Removes objects that no upload needs: left by uploads that broke off, or of files taken back."""

from collections.abc import AsyncIterator
from datetime import datetime

from adapters.object_notes import ObjectNotes
from adapters.objects import ObjectStore
from commands.object_claim import may_sweep
from commands.upload_file import let_go
from commands.work import Transactions
from store.upload import doomed_uploads, known_objects

BATCH = 500
"""Names that one question to the database asks about, and rows that one transaction reads."""


async def remove_orphans(begin: Transactions, objects: ObjectStore, before: datetime) -> int:
    """Removes what was written before a moment and has no row; returns how many objects went.

    `before` lies far enough back for every upload under way to have its row, 15 minutes. Then come
    the objects of files that were taken back or erased. Again is harmless. A store of which this
    database may not know everything keeps what has no row. Raises `ObjectStoreAway`.
    """
    removed = await _remove_doomed(begin, objects)
    if await may_sweep(begin, ObjectNotes.beside(objects)):
        removed += await _remove_unknown(begin, objects, before)
        removed += await objects.sweep_staging(before)
    return removed


async def _remove_unknown(begin: Transactions, objects: ObjectStore, before: datetime) -> int:
    removed = 0
    async for names in _batches(objects.names_before(before)):
        async with begin.work() as work:
            known = await known_objects(work.db, names)
        for each in set(names) - known:
            await objects.delete(each)
        removed += len(names) - len(known)
    return removed


async def _batches(names: AsyncIterator[str]) -> AsyncIterator[list[str]]:
    batch: list[str] = []
    async for each in names:
        batch.append(each)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _remove_doomed(begin: Transactions, objects: ObjectStore) -> int:
    removed = 0
    while True:
        async with begin.work() as work:
            doomed = await doomed_uploads(work.db, BATCH)
        for row in doomed:
            await let_go(begin, objects, row)
        removed += len(doomed)
        if len(doomed) < BATCH:
            return removed
