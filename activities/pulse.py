"""Tells Temporal while a long activity runs that its worker still lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

BEATS = 3
"""Beats within the time in which Temporal expects one."""


@asynccontextmanager
async def pulse() -> AsyncIterator[None]:
    """Beats in the background; without a beat, another worker takes the activity over.

    An activity that is done before its first beat sends none.
    """
    timeout = activity.info().heartbeat_timeout if activity.in_activity() else None
    if timeout is None:
        yield
        return
    beating = asyncio.create_task(_beat(timeout.total_seconds() / BEATS))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(every: float) -> None:
    while True:
        await asyncio.sleep(every)
        activity.heartbeat()
