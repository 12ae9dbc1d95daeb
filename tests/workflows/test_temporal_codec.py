"""What a real server holds of sealed workflows, and what becomes of those begun in clear."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from adapters.aead import RecordKey, new_key
from adapters.embedded.temporal_server import TemporalServer
from adapters.temporal import connect
from adapters.temporal_codec import data_converter_of
from domain.settings import Settings
from tests.rooms.works import kinds_of

CANARY = "canary-7f3a"
QUEUE = "canaries"
SECOND = timedelta(seconds=1)


class OneKey:
    """An installation with one key."""

    def __init__(self) -> None:
        self.key = RecordKey(7, new_key())

    def current(self) -> RecordKey:
        """The key."""
        return self.key

    async def by_number(self, number: int) -> RecordKey:
        """The key, whoever asks."""
        return self.key


@dataclass(frozen=True, slots=True)
class Captured:
    """A message with a telling field."""

    iban_of_party: str


@activity.defn
async def fail(captured: Captured) -> None:
    """Fails with what it was given."""
    raise ApplicationError(f"cannot pay {captured.iban_of_party}", captured, non_retryable=True)


@workflow.defn
class Canary:
    """Takes a message and a signal, and fails as its activity does."""

    def __init__(self) -> None:
        self.told: Captured | None = None

    @workflow.signal
    def tell(self, captured: Captured) -> None:
        """Something is told."""
        self.told = captured

    @workflow.run
    async def run(self, captured: Captured) -> Captured:
        """Waits to be told, then fails if it was told the same."""
        await workflow.wait_condition(lambda: self.told is not None)
        await workflow.sleep(SECOND)
        if self.told == captured:
            await workflow.execute_activity(
                fail,
                captured,
                start_to_close_timeout=SECOND,
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        return captured


def sealing(client: Client, keys: OneKey) -> Client:
    known: dict[str, Any] = dict(client.config())
    return Client(**{**known, "data_converter": data_converter_of(keys, client.namespace)})


def worker(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Canary],
        activities=[fail],
        workflow_runner=UnsandboxedWorkflowRunner(),
        # The worker that takes over asks for the whole history and not for what it missed.
        max_cached_workflows=0,
    )


async def test_a_history_holds_neither_messages_nor_what_failed(
    time_skipping: WorkflowEnvironment,
) -> None:
    # PS-28: payloads, signals, results, failure messages, details and stack traces
    client = sealing(time_skipping.client, OneKey())
    async with worker(client):
        handle = await client.start_workflow(
            Canary.run, Captured(CANARY), id="canary:1", task_queue=QUEUE
        )
        await handle.signal(Canary.tell, Captured(CANARY))
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    history = await time_skipping.client.get_workflow_handle("canary:1").fetch_history()
    assert {"ACTIVITY_TASK_FAILED", "WORKFLOW_EXECUTION_FAILED"} <= set(kinds_of(history))
    raw = b"".join(each.SerializeToString() for each in history.events)
    # `fail` is the activity's type, which is not sealed; its file and line are.
    for secret in (CANARY, "iban_of_party", "cannot pay", "test_temporal_codec.py"):
        assert secret.encode() not in raw, secret
    cause = failed.value.cause
    assert isinstance(cause, ActivityError)
    assert isinstance(cause.cause, ApplicationError)
    assert cause.cause.message == f"cannot pay {CANARY}", "whoever has the key reads it"
    replayer = Replayer(
        workflows=[Canary],
        data_converter=client.data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history)


async def test_every_client_of_an_installation_seals(temporal_server: TemporalServer) -> None:
    settings = Settings(
        temporal_address=temporal_server.address, temporal_namespace=temporal_server.namespace
    )
    client = await connect(settings, OneKey(), lazy=False)
    handle = await client.start_workflow(
        Canary.run, Captured(CANARY), id="canary:3", task_queue=QUEUE
    )
    await handle.signal(Canary.tell, Captured(CANARY))
    await handle.terminate(CANARY)
    plain = await Client.connect(temporal_server.address, namespace=temporal_server.namespace)
    history = await plain.get_workflow_handle("canary:3").fetch_history()
    started, *_, ended = history.events
    payload = started.workflow_execution_started_event_attributes.input.payloads[0]
    assert payload.metadata == {"encoding": b"binary/gatepass", "kid": b"7"}
    raw = b"".join(each.SerializeToString() for each in history.events if each is not ended)
    assert CANARY.encode() not in raw


async def test_a_workflow_that_began_in_clear_goes_on_sealed(
    time_skipping: WorkflowEnvironment,
) -> None:
    # an installation that is upgraded while sessions are open
    handle = await time_skipping.client.start_workflow(
        Canary.run, Captured("clear"), id="canary:2", task_queue=QUEUE
    )
    async with worker(time_skipping.client):
        await time_skipping.sleep(SECOND)
    client = sealing(time_skipping.client, OneKey())
    async with worker(client):
        told = client.get_workflow_handle("canary:2", result_type=Captured)
        await told.signal(Canary.tell, Captured(CANARY))
        assert await told.result() == Captured("clear")
    raw = b"".join(each.SerializeToString() for each in (await handle.fetch_history()).events)
    assert b"clear" in raw
    assert CANARY.encode() not in raw
