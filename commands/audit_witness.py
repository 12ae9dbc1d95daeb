"""Keeps every signed head outside, where whoever rewrites the log cannot rewrite it too (N10).

At least once, by whichever worker comes first, and after the head was committed: signing waits for
nothing here. A head is written down as kept only when it is; what fails is tried again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from adapters.witness import Witness, WitnessAway, name_of
from commands.work import Transactions
from store.audit_checkpoint import AuditCheckpointRow, note_witnessed, unwitnessed
from store.database import is_away

log = structlog.get_logger()

MOST_HEADS = 100
LOOP_EVERY = 1.0
RETRY_AFTER = 30.0
"""Seconds; a place that is away is asked, and complained of, no more often."""


class WitnessCourier:
    """The loop of a worker that takes heads to their witness."""

    def __init__(self, begin: Transactions, witness: Witness) -> None:
        """Takes the way to begin transactions, and the place."""
        self._begin = begin
        self._witness = witness

    async def round(self) -> int:
        """Takes the oldest heads that are not there; returns how many. Raises `WitnessAway`.

        No transaction is open while the place is talked to.
        """
        async with self._begin.work(without_keys=True) as work:
            heads = await unwitnessed(work.db, MOST_HEADS)
        kept: list[AuditCheckpointRow] = []
        try:
            await self._take(heads, kept)
        finally:
            await self._note(kept)
        return len(kept)

    async def _take(
        self, heads: Sequence[AuditCheckpointRow], kept: list[AuditCheckpointRow]
    ) -> None:
        for each in heads:
            await self._witness.keep(name_of(each.workspace_id, each.size, each.root), each.note)
            kept.append(each)

    async def _note(self, kept: Sequence[AuditCheckpointRow]) -> None:
        if kept:
            async with self._begin.work(without_keys=True) as work:
                await note_witnessed(work.db, kept, work.at)

    async def take_until_stopped(self, stop: asyncio.Event) -> None:
        """Round after round, until the process ends."""
        while not stop.is_set():
            wait = await self._tried()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)

    async def _tried(self) -> float:
        """Takes a round; returns for how long to wait before the next.

        Whatever goes wrong here must end neither this process nor its sequencer.
        """
        try:
            return 0 if await self.round() == MOST_HEADS else LOOP_EVERY
        except WitnessAway as error:
            log.warning("audit_witness_away", error=str(error))
        except Exception as error:
            if not is_away(error):
                log.exception("audit_witness_failed")
            else:
                log.warning("audit_witness_waits", error=type(error).__name__)
        return RETRY_AFTER
