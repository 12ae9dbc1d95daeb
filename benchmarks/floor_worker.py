"""`python -m benchmarks.floor_worker`: the bare workflows' worker, a process like ours.

Its options are those of `worker.py`, so that the comparison is of what the workflows do.
"""

import argparse
import asyncio
import gc
import signal
from datetime import timedelta

from psycopg_pool import AsyncConnectionPool
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from benchmarks.floor_workflows import QUEUE, BareActivities, BareSignals, BareUpdates


def bare_worker(client: Client, activities: BareActivities) -> Worker:
    """The worker."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[BareSignals, BareUpdates],
        activities=[activities.commit],
        max_cached_workflows=500,
        max_concurrent_activities=200,
        max_concurrent_workflow_tasks=200,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=timedelta(seconds=1),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )


async def serve(options: argparse.Namespace) -> None:
    """Works until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    client = await Client.connect(options.temporal, namespace=options.namespace)
    pool = AsyncConnectionPool(options.database, min_size=1, max_size=options.pool, open=False)
    async with pool, bare_worker(client, BareActivities(pool)):
        await stop.wait()


def main() -> None:
    """Reads the command line and works."""
    parser = argparse.ArgumentParser(prog="floor_worker")
    parser.add_argument("--temporal", required=True, help="host:port of the frontend")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--database", required=True, help="libpq URL")
    parser.add_argument("--pool", type=int, required=True, help="connections, as many as ours")
    asyncio.run(serve(parser.parse_args()))
    gc.collect()


if __name__ == "__main__":
    main()
