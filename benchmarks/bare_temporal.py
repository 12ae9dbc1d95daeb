"""The Temporal floors, driven from this process."""

import asyncio
from dataclasses import dataclass
from time import perf_counter
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy

from adapters.temporal import WORKFLOW_TASK_TIMEOUT
from benchmarks.floor_workflows import QUEUE, SIGNALS, BareSignals, BareUpdates, Told
from benchmarks.watcher import Watcher


@dataclass(frozen=True, slots=True)
class BareTemporal:
    """A client, and who sees the committed rows."""

    client: Client
    watcher: Watcher

    async def start(self) -> WorkflowHandle[BareSignals, None]:
        """A bare start, with the options of ours."""
        return await self.client.start_workflow(
            BareSignals.run,
            id=f"bare-signals:{uuid4()}",
            task_queue=QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            task_timeout=WORKFLOW_TASK_TIMEOUT,
        )

    async def tell(self, handle: WorkflowHandle[BareSignals, None], pause: float) -> float:
        """The signals, `pause` seconds before each; when the last was sent."""
        sent_at = 0.0
        for number in range(SIGNALS):
            if pause:
                await asyncio.sleep(pause)
            sent_at = perf_counter()
            await handle.signal(BareSignals.told, Told(str(number), number == SIGNALS - 1))
        return sent_at

    async def whole(self, pause: float = 0.0) -> float:
        """Start, four signals, one committed row; seconds from the last signal to the row."""
        handle = await self.start()
        told_at = await self.tell(handle, pause)
        return await self.watcher.seen(handle.id) - told_at

    async def start_asked(self) -> WorkflowHandle[BareUpdates, None]:
        """The start of a workflow that answers updates."""
        return await self.client.start_workflow(
            BareUpdates.run,
            id=f"bare-updates:{uuid4()}",
            task_queue=QUEUE,
            task_timeout=WORKFLOW_TASK_TIMEOUT,
        )


async def ask(handle: WorkflowHandle[BareUpdates, None], number: int) -> float:
    """One update with an activity that commits; seconds until the answer."""
    begun = perf_counter()
    await handle.execute_update(BareUpdates.complete, Told(str(number), number == SIGNALS - 1))
    return perf_counter() - begun
