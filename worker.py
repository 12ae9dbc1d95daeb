"""The composition root of the Temporal worker: everything concrete is made here."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.mail import MailActivities
from activities.public_session import PublicSessionActivities
from activities.refusals import RefusalsAreFinal
from adapters.keyring import read_key_file
from adapters.logs import configure_logs
from adapters.settings import load_settings
from adapters.smtp import SmtpSender
from adapters.temporal import Telegraph, connect, runtime_of
from commands.intent import IntentCourier
from commands.work import Transactions, utc_now
from domain.settings import Settings
from domain.workflow_names import MAIL_QUEUE, SESSION_QUEUE
from store import database
from workflows.mail import MailWorkflow
from workflows.public_session import PublicSessionWorkflow
from workflows.signals import SignalsNeverFail

log = structlog.get_logger()

SLOTS = 200
CACHED_WORKFLOWS = 500
GRACE = timedelta(seconds=10)
STICKY_WAIT = timedelta(seconds=2)
"""Another worker takes a dead one's sessions over after this; the default costs 11 s of silence."""

PASSED_THROUGH = ("domain", "activities", "commands", "store", "adapters", "workflows.options")
"""A module of ours that ran inside the sandbox would exist twice, its classes never equal."""

INTERCEPTORS: Sequence[Interceptor] = (RefusalsAreFinal(), SignalsNeverFail())


def sandbox() -> SandboxedWorkflowRunner:
    """The workflow sandbox with our own pure modules passed through."""
    return SandboxedWorkflowRunner(
        SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker process consists of."""

    engine: AsyncEngine
    sender: SmtpSender
    courier: IntentCourier
    workers: tuple[Worker, Worker]


def session_worker(client: Client, transactions: Transactions) -> Worker:
    """The worker of the sessions' queue."""
    activities = PublicSessionActivities(transactions)
    return _worker(
        client,
        SESSION_QUEUE,
        PublicSessionWorkflow,
        [
            activities.check_bound,
            activities.remind,
            activities.check_idle,
            activities.carry_revocation,
            activities.settle,
        ],
    )


def mail_worker(client: Client, transactions: Transactions, sender: SmtpSender) -> Worker:
    """The worker of the mails' queue: a slow mail server keeps no session waiting."""
    return _worker(client, MAIL_QUEUE, MailWorkflow, [MailActivities(transactions, sender).attempt])


def _worker(
    client: Client, queue: str, workflow: type, activities: Sequence[Callable[..., Any]]
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[workflow],
        activities=activities,
        interceptors=INTERCEPTORS,
        workflow_runner=sandbox(),
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_activities=SLOTS,
        max_concurrent_workflow_tasks=SLOTS,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY_WAIT,
    )


async def compose(settings: Settings) -> WorkerParts:
    """Makes every part of a worker process."""
    engine = database.connect(settings)
    client = await connect(settings, lazy=False, runtime=runtime_of(settings))
    telegraph = Telegraph(client, settings.temporal_call_timeout)
    courier = IntentCourier(engine, telegraph, settings, utc_now)
    keyring = read_key_file(Path(settings.root_key_file))
    transactions = Transactions(engine, settings, keyring, courier)
    sender = SmtpSender(settings)
    workers = (
        session_worker(client, transactions),
        mail_worker(client, transactions, sender),
    )
    return WorkerParts(engine, sender, courier, workers)


async def run(settings: Settings) -> None:
    """Works until SIGINT or SIGTERM: finishes what is under way, then ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    parts = await compose(settings)
    async with parts.workers[0], parts.workers[1], asyncio.TaskGroup() as group:
        group.create_task(parts.courier.repeat_until_stopped(stop))
        log.info("worker_ready")
        await stop.wait()
    await parts.courier.drain()
    await parts.sender.close()
    await parts.engine.dispose()
    log.info("worker_stopped")


def main() -> None:
    """Reads the environment and works."""
    settings = load_settings(os.environ)
    configure_logs(settings.log_level)
    asyncio.run(run(settings))
    # The SDK's client can abort the interpreter at exit unless it is collected before.
    gc.collect()


if __name__ == "__main__":
    main()
