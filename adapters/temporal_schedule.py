"""The schedule of housekeeping: made or brought up to date by every worker that starts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from adapters.temporal import WORKFLOW_TASK_TIMEOUT, TelegramRefused, TemporalAway, calling
from domain.housekeeping import CATCH_UP, EVERY, LONGEST_RUN
from domain.settings import Settings
from domain.workflow_names import HOUSEKEEPING, HOUSEKEEPING_SCHEDULE, QUEUE_OF

log = structlog.get_logger()

AGAIN_AFTER = timedelta(seconds=5)
CALLS = 3
"""Describing and updating take as many calls as this, each of which may last."""


def housekeeping_schedule() -> Schedule:
    """Every quarter of an hour, one run at a time, a missed one left out.

    The runs get no arguments: a payload that is kept in a schedule would need its key for ever.
    """
    return Schedule(
        action=ScheduleActionStartWorkflow(
            HOUSEKEEPING,
            id=HOUSEKEEPING_SCHEDULE,
            task_queue=QUEUE_OF[HOUSEKEEPING],
            run_timeout=LONGEST_RUN,
            task_timeout=WORKFLOW_TASK_TIMEOUT,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )


async def ensure_schedule(client: Client, settings: Settings) -> None:
    """Makes the schedule, or brings it up to date; one that an operator paused stays paused.

    Raises `TemporalAway` or `TelegramRefused`.
    """
    async with calling(settings.temporal_call_timeout.total_seconds() * CALLS):
        try:
            await client.create_schedule(HOUSEKEEPING_SCHEDULE, housekeeping_schedule())
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(HOUSEKEEPING_SCHEDULE).update(_up_to_date)


def _up_to_date(known: ScheduleUpdateInput) -> ScheduleUpdate:
    state = known.description.schedule.state
    return ScheduleUpdate(replace(housekeeping_schedule(), state=state))


async def keep_schedule(client: Client, settings: Settings, stop: asyncio.Event) -> None:
    """Ensures the schedule, again and again while Temporal is away or refuses, until `stop`."""
    while not stop.is_set():
        try:
            await ensure_schedule(client, settings)
        except (TemporalAway, TelegramRefused) as error:
            log.warning("schedule_waits", error=str(error))
            await _pause(stop)
        else:
            return


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), AGAIN_AFTER.total_seconds())
    except TimeoutError:
        return
