"""Delivers intents: right after the commit, and again by a loop in every worker until done."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.temporal import Delivery, Telegram, TelegramRefused, Telegraph, TemporalAway
from domain.settings import Settings
from store.database import is_away
from store.idempotency import purge_keys
from store.intent import (
    IntentRow,
    Undelivered,
    claim_due,
    mark_delivered,
    mark_failed,
    purge_delivered,
    start_is_due,
)

log = structlog.get_logger()

AT_ONCE = 40
"""Calls to Temporal under way at once from one process."""
AWAY_AFTER = 3
GATHER_FOR = 0.02
"""Seconds in which delivered intents are gathered into one UPDATE."""
LOOP_EVERY = 1.0
REFUSED_REPEAT = timedelta(minutes=10)
PURGE_EVERY = timedelta(minutes=10)


class IntentCourier:
    """Hands intents to Temporal. What fails stays in its row and is repeated."""

    def __init__(
        self,
        engine: AsyncEngine,
        telegraph: Telegraph,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        """Takes the database, the way to Temporal and the clock."""
        self._engine = engine
        self._telegraph = telegraph
        self._settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._newest: dict[str, asyncio.Task[None]] = {}
        self._delivered: list[UUID] = []
        self._gathering: asyncio.Task[None] | None = None
        self._away_until: datetime | None = None
        self._failures = 0

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Delivers committed intents in the background, those of one workflow in their order.

        That order holds over transactions: a signal that overtook its workflow's start would find
        nobody, and wait for the loop.
        """
        if self._is_away():
            return
        for workflow_id, group in groupby(intents, key=lambda each: each.workflow_id):
            before = self._newest.get(workflow_id)
            task = asyncio.create_task(self._deliver_after(before, list(group)))
            self._newest[workflow_id] = task
            task.add_done_callback(partial(self._forget, workflow_id))
            self._keep(task)

    def _forget(self, workflow_id: str, task: asyncio.Task[None]) -> None:
        if self._newest.get(workflow_id) is task:
            del self._newest[workflow_id]

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _note_failure(self) -> None:
        """Several failures in a row, not a single slow call, mean that Temporal is away."""
        self._failures += 1
        if self._failures >= AWAY_AFTER:
            self._away_until = self._clock() + self._settings.intent_repeat_after

    def _is_away(self) -> bool:
        return self._away_until is not None and self._clock() < self._away_until

    async def _deliver_after(
        self, before: asyncio.Task[None] | None, intents: list[IntentRow]
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._deliver_in_order(intents)

    async def _deliver_in_order(self, intents: list[IntentRow]) -> None:
        async with self._slots:
            for intent in intents:
                if not await self._try_one(intent):
                    return

    async def _try_one(self, intent: IntentRow) -> bool:
        """Whether the intent was delivered; a failure is logged and left to the loop."""
        try:
            done = await self._deliver(intent)
        except TelegramRefused as error:
            log.warning("intent_refused", workflow_id=intent.workflow_id, error=str(error))
            return False
        except TemporalAway as error:
            self._note_failure()
            log.warning("intent_waits", workflow_id=intent.workflow_id, error=str(error))
            return False
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("intent_waits", workflow_id=intent.workflow_id, error=type(error).__name__)
            return False
        self._failures = 0
        if done:
            self._note_delivered(intent.id)
        return done

    async def _deliver(self, intent: IntentRow) -> bool:
        telegram = Telegram(intent.workflow, intent.workflow_id, intent.signal, intent.payload)
        if await self._telegraph.deliver(telegram) is Delivery.DONE:
            return True
        # The workflow is not there: over already, which is fine, or its start is still on its way.
        async with AsyncSession(self._engine) as db:
            return not await start_is_due(db, intent.workflow_id)

    def _note_delivered(self, intent_id: UUID) -> None:
        self._delivered.append(intent_id)
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._write_delivered())
            self._keep(self._gathering)

    async def _write_delivered(self) -> None:
        while self._delivered:
            await asyncio.sleep(GATHER_FOR)
            ids, self._delivered = self._delivered, []
            try:
                async with AsyncSession(self._engine) as db:
                    await mark_delivered(db, ids, self._clock())
                    await db.commit()
            except Exception as error:
                if not is_away(error):
                    raise
                # Delivered but not noted: the loop delivers again, which changes nothing.
                log.warning("delivery_not_noted", intents=len(ids), error=type(error).__name__)

    async def deliver_due(self) -> int:
        """One round of the loop: everything due is tried once; returns how many were delivered."""
        at = self._clock()
        async with AsyncSession(self._engine, expire_on_commit=False) as db:
            intents = await claim_due(db, at, self._settings.intent_repeat_after)
            await db.commit()
        delivered, failed = await self._deliver_round(intents)
        async with AsyncSession(self._engine) as db:
            if delivered:
                await mark_delivered(db, delivered, self._clock())
            await mark_failed(db, failed)
            await db.commit()
        return len(delivered)

    async def _deliver_round(
        self, intents: Iterable[IntentRow]
    ) -> tuple[list[UUID], dict[UUID, Undelivered]]:
        delivered: list[UUID] = []
        failed: dict[UUID, Undelivered] = {}
        soon = self._clock() + self._settings.intent_repeat_after
        for intent in intents:
            try:
                if await self._deliver(intent):
                    delivered.append(intent.id)
                else:
                    failed[intent.id] = Undelivered("the workflow is not started yet", soon)
            except TemporalAway as error:
                failed[intent.id] = Undelivered(str(error), soon)
                break
            except Exception as error:
                if is_away(error):
                    raise
                # One that cannot be delivered, as from a newer release, must not hold up the rest.
                log.warning("intent_refused", workflow_id=intent.workflow_id, error=repr(error))
                failed[intent.id] = Undelivered(repr(error), self._later(intent))
        return delivered, failed

    def _later(self, intent: IntentRow) -> datetime:
        """A refused intent is tried ever more rarely: nothing is lost, and nothing is flooded."""
        wait: timedelta = self._settings.intent_repeat_after * 2 ** min(intent.attempts, 10)
        return self._clock() + min(wait, REFUSED_REPEAT)

    async def repeat_until_stopped(self, stop: asyncio.Event) -> None:
        """The loop of a worker: repeats what is due and clears away what is old."""
        purged_at = self._clock() - PURGE_EVERY
        while not stop.is_set():
            try:
                again = await self.deliver_due()
                if self._clock() >= purged_at + PURGE_EVERY:
                    await self._purge()
                    purged_at = self._clock()
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("intent_loop_waits", error=type(error).__name__)
                again = 0
            if not again:
                await _pause(stop, LOOP_EVERY)

    async def _purge(self) -> None:
        at = self._clock()
        async with AsyncSession(self._engine) as db:
            await purge_delivered(db, at - self._settings.intent_kept_for)
            await purge_keys(db, at - self._settings.idempotency_kept_for)
            await db.commit()

    async def drain(self) -> None:
        """Waits for what is under way, as before a process ends."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
