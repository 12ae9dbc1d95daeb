"""The composition root of the Temporal worker: everything concrete is made here."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.agreement import AgreementActivities
from activities.housekeeping import HousekeepingActivities, activities_of
from activities.mail import MailActivities
from activities.public_session import PublicSessionActivities
from activities.refusals import RefusalsAreFinal
from activities.signing_session import SigningSessionActivities
from activities.upload_check import Scanner, UploadCheckActivities
from adapters.keyring import open_keyring
from adapters.linux import close_memory
from adapters.logs import configure_logs
from adapters.objects import ObjectStore
from adapters.settings import load_settings
from adapters.smtp import SmtpSender
from adapters.temporal import Telegraph, connect, runtime_of
from adapters.temporal_schedule import keep_schedule
from adapters.witness import Witness
from commands.audit_tree import AuditSequencer
from commands.audit_witness import WitnessCourier
from commands.installation import Installation
from commands.intent import IntentCourier
from commands.sealing import seal_old_rows
from commands.tombstone import TombstoneLayer
from commands.work import Transactions, utc_now
from domain.settings import Settings
from domain.workflow_names import (
    AGREEMENT_QUEUE,
    HOUSEKEEPING_QUEUE,
    MAIL_QUEUE,
    SESSION_QUEUE,
    SIGNING_QUEUE,
    UPLOAD_CHECK_QUEUE,
)
from store import database
from workflows.agreement import AgreementWorkflow
from workflows.housekeeping import HousekeepingWorkflow
from workflows.mail import MailWorkflow
from workflows.public_session import PublicSessionWorkflow
from workflows.signals import SignalsNeverFail
from workflows.signing_session import SigningSessionWorkflow
from workflows.upload_check import UploadCheckWorkflow

log = structlog.get_logger()

SLOTS = 200
SEALS = 8
"""Steps of agreements that one process takes at once; a seal computes for a while."""
SCANS = 4
"""Files that one process has scanned at once; the daemon's own threads are few."""
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
    installation: Installation
    tombstones: TombstoneLayer
    transactions: Transactions
    client: Client
    workers: tuple[Worker, ...]


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


def signing_worker(client: Client, transactions: Transactions) -> Worker:
    """The worker of the signing sessions' queue."""
    activities = SigningSessionActivities(transactions)
    return _worker(client, SIGNING_QUEUE, SigningSessionWorkflow, [activities.check_window])


def agreement_worker(client: Client, transactions: Transactions) -> Worker:
    """The worker of the agreements' queue: sealing computes, and takes no slots from sessions."""
    agreements = AgreementActivities(transactions)
    known = [agreements.advance, agreements.seal, agreements.finish]
    return _worker(client, AGREEMENT_QUEUE, AgreementWorkflow, known, slots=SEALS)


def mail_worker(client: Client, transactions: Transactions, sender: SmtpSender) -> Worker:
    """The worker of the mails' queue: a slow mail server keeps no session waiting."""
    return _worker(client, MAIL_QUEUE, MailWorkflow, [MailActivities(transactions, sender).attempt])


def housekeeping_worker(client: Client, transactions: Transactions, telegraph: Telegraph) -> Worker:
    """The worker of the housekeeping's queue: sweeps take no slots from sessions."""
    objects = ObjectStore.at(transactions.settings.object_store)
    housekeeper = HousekeepingActivities(transactions, telegraph, objects)
    return _worker(client, HOUSEKEEPING_QUEUE, HousekeepingWorkflow, activities_of(housekeeper))


def upload_check_worker(
    client: Client, transactions: Transactions, objects: ObjectStore, scanner: Scanner
) -> Worker:
    """The worker of the virus checks' queue."""
    checks = UploadCheckActivities(transactions, objects, scanner)
    known = [checks.check_upload]
    return _worker(client, UPLOAD_CHECK_QUEUE, UploadCheckWorkflow, known, slots=SCANS)


def _upload_check_workers(client: Client, transactions: Transactions) -> tuple[Worker, ...]:
    settings = transactions.settings
    if not settings.clamd_address:
        return ()
    from adapters.clamd import Clamd  # noqa: PLC0415 - its library is optional

    objects = ObjectStore.at(settings.object_store)
    scanner = Clamd(settings.clamd_address, settings.clamd_most_bytes)
    return (upload_check_worker(client, transactions, objects, scanner),)


def _witness_couriers(transactions: Transactions) -> tuple[WitnessCourier, ...]:
    place = transactions.settings.audit_witness
    return (WitnessCourier(transactions, Witness.at(place)),) if place else ()


def _worker(
    client: Client,
    queue: str,
    workflow: type,
    activities: Sequence[Callable[..., Any]],
    *,
    slots: int = SLOTS,
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[workflow],
        activities=activities,
        interceptors=INTERCEPTORS,
        workflow_runner=sandbox(),
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_activities=slots,
        max_concurrent_workflow_tasks=SLOTS,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY_WAIT,
    )


async def compose(settings: Settings, stop: asyncio.Event) -> WorkerParts:
    """Makes every part of a worker process; waits for PostgreSQL, where the keys are."""
    engine = database.connect(settings)
    keyring = open_keyring(settings)
    installation = Installation(engine, keyring, utc_now)
    await installation.open_when_possible(stop)
    client = await connect(settings, installation, lazy=False, runtime=runtime_of(settings))
    telegraph = Telegraph(client, settings.temporal_call_timeout)
    courier = IntentCourier(engine, telegraph, settings, utc_now)
    transactions = Transactions(engine, settings, keyring, courier)
    sender = SmtpSender(settings)
    workers = (
        session_worker(client, transactions),
        signing_worker(client, transactions),
        agreement_worker(client, transactions),
        mail_worker(client, transactions, sender),
        housekeeping_worker(client, transactions, telegraph),
        *_upload_check_workers(client, transactions),
    )
    tombstones = TombstoneLayer(transactions, ObjectStore.at(settings.object_store))
    return WorkerParts(
        engine, sender, courier, installation, tombstones, transactions, client, workers
    )


async def run(settings: Settings) -> None:
    """Works until SIGINT or SIGTERM: finishes what is under way, then ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    parts = await compose(settings, stop)
    couriers = _witness_couriers(parts.transactions)
    async with AsyncExitStack() as working, asyncio.TaskGroup() as group:
        for each in parts.workers:
            await working.enter_async_context(each)
        group.create_task(keep_schedule(parts.client, settings, stop))
        group.create_task(parts.courier.repeat_until_stopped(stop))
        group.create_task(parts.installation.keep_reading(stop))
        group.create_task(seal_old_rows(parts.transactions, stop))
        group.create_task(parts.tombstones.lay_until_stopped(stop))
        group.create_task(AuditSequencer(parts.transactions).number_until_stopped(stop))
        for courier in couriers:
            group.create_task(courier.take_until_stopped(stop))
        log.info("worker_ready")
        await stop.wait()
    await parts.courier.drain()
    await parts.sender.close()
    await parts.engine.dispose()
    log.info("worker_stopped")


def main() -> None:
    """Reads the environment and works."""
    close_memory()
    settings = load_settings(os.environ)
    configure_logs(settings.log_level)
    asyncio.run(run(settings))
    # The SDK's client can abort the interpreter at exit unless it is collected before.
    gc.collect()


if __name__ == "__main__":
    main()
