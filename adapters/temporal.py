"""The Temporal client: how a workflow is started and told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from temporalio.client import (
    Client,
    PayloadLimitsConfig,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal_codec import CodecKeys, data_converter_of
from domain.settings import Settings
from domain.workflow_names import QUEUE_OF, STARTED_ANEW

WORKFLOW_TASK_TIMEOUT = timedelta(seconds=2)
"""A worker that died in a task is noticed after this; the default is 10 s."""

LARGEST_PAYLOAD = 16 * 1024
"""Messages are ids, facts and times. A larger one is refused, a larger result is logged."""


class Delivery(StrEnum):
    """What became of a start or signal."""

    DONE = "done"
    NOT_THERE = "not_there"


class TemporalAway(Exception):
    """Temporal did not answer in time, or not at all; try again later."""


class TelegramRefused(Exception):
    """Temporal answered and would not take this one; others may fare better."""


AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Telegram:
    """One start (no signal) or one signal, with the fields of its message."""

    workflow: str
    workflow_id: str
    signal: str | None
    payload: Mapping[str, Any]


async def connect(
    settings: Settings, keys: CodecKeys, *, lazy: bool = True, runtime: Runtime | None = None
) -> Client:
    """A client that seals under the installation's keys.

    A lazy one connects with its first call: the API starts without Temporal.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter_of(keys, settings.temporal_namespace),
        payload_limits=PayloadLimitsConfig(payloads_warn_size=LARGEST_PAYLOAD),
        tls=settings.temporal_tls,
        api_key=_api_key(settings.temporal_api_key_file),
        lazy=lazy,
        runtime=runtime,
    )


def runtime_of(settings: Settings) -> Runtime | None:
    """A runtime that serves the SDK's metrics and ours to Prometheus, if an address is set."""
    address = settings.temporal_metrics_address
    if not address:
        return None
    metrics = PrometheusConfig(bind_address=address)
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def _api_key(file: str) -> str | None:
    return Path(file).read_text(encoding="utf-8").strip() if file else None


@asynccontextmanager
async def calling(seconds: float) -> AsyncIterator[None]:
    """Bounds calls in time; raises `TemporalAway`, or `TelegramRefused` when it was answered."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except RPCError as error:
        kind = TemporalAway if error.status in AWAY else TelegramRefused
        raise kind(_shown(error)) from error
    except (TimeoutError, RuntimeError) as error:
        # A lazy client that cannot connect raises a bare RuntimeError.
        raise TemporalAway(_shown(error)) from error


class Telegraph:
    """Delivers telegrams, each call bounded in time."""

    def __init__(self, client: Client, timeout: timedelta) -> None:
        """Takes a client and the longest a call may last."""
        self._client = client
        self._timeout = timeout.total_seconds()

    async def deliver(self, telegram: Telegram) -> Delivery:
        """Starts or signals; what was started before counts as done.

        Raises `TemporalAway` or `TelegramRefused`.
        """
        _refuse_large(telegram)
        async with calling(self._timeout):
            if telegram.signal is None:
                return await self._start(telegram)
            return await self._signal(telegram, telegram.signal)

    async def _start(self, telegram: Telegram) -> Delivery:
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                telegram.workflow,
                telegram.payload,
                id=telegram.workflow_id,
                task_queue=QUEUE_OF[telegram.workflow],
                id_reuse_policy=_reuse_of(telegram.workflow),
                task_timeout=WORKFLOW_TASK_TIMEOUT,
            )
        return Delivery.DONE

    async def _signal(self, telegram: Telegram, signal: str) -> Delivery:
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(telegram.workflow_id)
        try:
            await handle.signal(signal, telegram.payload)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Delivery.NOT_THERE
            raise
        return Delivery.DONE

    async def knows(self, workflow_id: str) -> bool:
        """Whether Temporal has a workflow of this id, running or over.

        Raises `TemporalAway` or `TelegramRefused`.
        """
        return await self._status(workflow_id) is not None

    async def is_over(self, workflow_id: str) -> bool:
        """Whether Temporal has a workflow of this id that no longer runs; raises as `knows`."""
        return await self._status(workflow_id) not in {None, WorkflowExecutionStatus.RUNNING}

    async def _status(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        async with calling(self._timeout):
            try:
                return (await self._client.get_workflow_handle(workflow_id).describe()).status
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

    async def is_up(self) -> bool:
        """Whether Temporal answers."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._client.service_client.check_health()
        except (TimeoutError, RPCError, RuntimeError):
            return False


def _reuse_of(workflow: str) -> WorkflowIDReusePolicy:
    is_anew = workflow in STARTED_ANEW
    policy = WorkflowIDReusePolicy
    return policy.ALLOW_DUPLICATE if is_anew else policy.REJECT_DUPLICATE


def _refuse_large(telegram: Telegram) -> None:
    size = len(json.dumps(dict(telegram.payload)))
    if size > LARGEST_PAYLOAD:
        raise TelegramRefused(f"{telegram.workflow} {telegram.signal or 'start'}: {size} bytes")


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
