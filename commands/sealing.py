"""Seals what a release without keys left in clear; stopped anywhere, it goes on from there."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from commands.clear_text import note_rewritten, note_rows_sealed
from commands.progress import Progress
from commands.work import Transactions
from store.database import is_away
from store.sealed import SealedRow
from store.unsealed import (
    STATISTICS,
    TABLES,
    Place,
    count_unsealed,
    make_keys,
    rewrite_table,
    seal_some,
)

log = structlog.get_logger()

BATCH = 100
PAUSE = 1.0
"""Seconds until rows that somebody held, or a table, are tried again."""
REWRITE_TRIES = 30


class ClearRowsRefused(Exception):
    """Rows in clear where no older release can have left any; the text says what they are."""

    def __init__(self, rows: dict[str, int]) -> None:
        """Takes how many there are in each table."""
        self.rows = {table: count for table, count in rows.items() if count}
        told = ", ".join(f"{count} of {table}" for table, count in self.rows.items())
        super().__init__(
            f"Rows lie in clear where no older release left any ({told}): somebody wrote them into "
            "the database. They are neither read nor sealed."
        )


async def seal_everything(begin: Transactions) -> AsyncGenerator[Progress]:
    """Seals every row that lies in clear, batch by batch, until there is none; writes that down.

    Raises `ClearRowsRefused`: what somebody planted must not become a sealed row.
    """
    while sum((left := await unsealed(begin)).values()):
        if not begin.keyring.reads_clear:
            raise ClearRowsRefused(left)
        for table in TABLES:
            async for done in _seal_table(begin, table):
                total = left[str(table.__tablename__)]
                yield Progress(str(table.__tablename__), done, max(total, done))
        # What somebody held is tried again.
        await asyncio.sleep(PAUSE if sum((await unsealed(begin)).values()) else 0)
    await note_rows_sealed(begin)


async def unsealed(begin: Transactions) -> dict[str, int]:
    """How many rows of each table lie in clear."""
    async with begin.work() as work:
        return await count_unsealed(work.db)


async def _seal_table(begin: Transactions, table: type[SealedRow]) -> AsyncIterator[int]:
    done, place = 0, None
    while True:
        some, place = await _seal_batch(begin, table, place)
        if not some:
            return
        done += some
        yield done


async def _seal_batch(
    begin: Transactions, table: type[SealedRow], after: Place | None
) -> tuple[int, Place | None]:
    async with begin.work() as work:
        await make_keys(work.db, table, after, BATCH)
    async with begin.work() as work:
        return await seal_some(work.db, table, after, BATCH)


async def seal_old_rows(begin: Transactions, stop: asyncio.Event) -> None:
    """Seals what an older release left, in a worker's background; ends when nothing is left."""
    while not stop.is_set():
        try:
            async for progress in seal_everything(begin):
                log.info("rows_sealed", table=progress.what, rows=progress.done)
                if stop.is_set():
                    return
        except ClearRowsRefused as refusal:
            log.error("clear_rows_refused", rows=refusal.rows)  # noqa: TRY400 - says all there is
            return
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("sealing_waits", error=type(error).__name__)
            await asyncio.sleep(PAUSE)
        else:
            return


async def forget_clear_copies(engine: AsyncEngine, begin: Transactions) -> AsyncGenerator[Progress]:
    """Rewrites the tables' files, where sealed rows left copies of themselves; writes that down."""
    tables = [*(str(each.__tablename__) for each in TABLES), STATISTICS]
    async with engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for number, table in enumerate(tables):
            yield Progress(f"rewriting {table}", number, len(tables))
            await _rewrite(free, table)
        # Its limits are off now.
        await connection.invalidate()
    await note_rewritten(begin)


async def _rewrite(connection: AsyncConnection, table: str) -> None:
    for tries in range(REWRITE_TRIES):
        try:
            await rewrite_table(connection, table)
        except DBAPIError as error:
            # Somebody held the table for longer than a request may wait.
            if not is_away(error) or tries == REWRITE_TRIES - 1:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return
