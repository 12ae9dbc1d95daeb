"""A run of housekeeping, and the schedule that starts one every quarter of an hour."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import select
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

import worker
from activities.housekeeping import STEPS
from adapters import temporal_schedule
from adapters.embedded.ports import free_port
from adapters.embedded.temporal_server import TemporalServer
from adapters.temporal import Telegraph, TemporalAway
from adapters.temporal_schedule import ensure_schedule, keep_schedule
from commands import reconcile
from domain.housekeeping import Housekept
from domain.settings import Settings
from domain.workflow_names import HOUSEKEEPING, HOUSEKEEPING_QUEUE, HOUSEKEEPING_SCHEDULE
from store import housekeeping
from store.code import CodeRow
from tests.rooms.works import Works, eventually, kinds_of, works
from tests.workflows.test_temporal_codec import OneKey, sealing
from workflows.housekeeping import HousekeepingWorkflow

EVERY_STEP = {each.__name__ for each in STEPS}
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def housekeeping_at(at: Works) -> AsyncIterator[None]:
    """The worker that keeps house."""
    telegraph = Telegraph(at.client, timedelta(seconds=3))
    async with worker.housekeeping_worker(at.client, at.house.transactions, telegraph):
        yield


@pytest_asyncio.fixture
async def at(time_skipping: WorkflowEnvironment, database_url: str) -> AsyncIterator[Works]:
    """A house that is kept."""
    async with works(time_skipping, database_url) as at, housekeeping_at(at):
        yield at


async def started(at: Works) -> WorkflowHandle[Any, Housekept]:
    return await at.client.start_workflow(
        HousekeepingWorkflow.run, id="housekeeping", task_queue=HOUSEKEEPING_QUEUE
    )


async def test_a_run_does_every_step_and_says_what_it_did(
    at: Works, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = await at.issued_ago(days=2)
    at.house.clock.turn(days=-2)
    await at.house.fresh_code(session_id)
    with caplog.at_level("INFO", "temporalio.workflow"):
        done = await (await started(at)).result()
    assert set(done.counts) == EVERY_STEP
    assert {name: count for name, count in done.counts.items() if count} == {"purge_codes": 1}
    assert done.failed == ()
    assert [each for each in caplog.messages if "housekept" in each and "'purge_codes': 1" in each]
    async with at.house.transactions.work() as work:
        assert (await work.db.scalars(select(CodeRow))).all() == []


async def test_a_step_that_fails_does_not_stop_the_others(
    at: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    async def broken(*_: Any) -> int:
        tried.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(housekeeping, "purge_mails", broken)
    done = await (await started(at)).result()
    assert done.failed == ("purge_mails",)
    assert set(done.counts) == EVERY_STEP - {"purge_mails"}
    assert len(tried) == 3
    monkeypatch.undo()
    assert (await (await started(at)).result()).failed == ()


async def test_a_run_that_an_operator_cancels_stops(
    at: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, let_go = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> int:
        under_way.set()
        await let_go.wait()
        return 0

    monkeypatch.setattr(housekeeping, "purge_codes", slow)
    handle = await started(at)
    await under_way.wait()
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    let_go.set()
    assert kinds_of(await handle.fetch_history()).count("ACTIVITY_TASK_SCHEDULED") == 2


# The schedule, on a server that has schedules.


@pytest_asyncio.fixture
async def client(temporal_server: TemporalServer) -> AsyncIterator[Client]:
    """A client of a server on which nobody has scheduled anything, afterwards either."""
    client = await Client.connect(temporal_server.address, namespace=temporal_server.namespace)
    # Sealed, as a run's result is that the next one begins with.
    yield sealing(client, OneKey())
    await client.get_schedule_handle(HOUSEKEEPING_SCHEDULE).delete()


async def runs(client: Client) -> list[str]:
    """The ids of the schedule's runs, oldest first."""
    described = await client.get_schedule_handle(HOUSEKEEPING_SCHEDULE).describe()
    actions: list[Any] = [each.action for each in described.info.recent_actions]
    return [each.workflow_id for each in actions]


async def run_now(client: Client) -> Housekept:
    """What a run of the schedule, at this moment, ends with."""
    before = await runs(client)
    await client.get_schedule_handle(HOUSEKEEPING_SCHEDULE).trigger()

    async def has_begun() -> bool:
        return len(await runs(client)) > len(before)

    await eventually(has_begun)
    handle = client.get_workflow_handle_for(HousekeepingWorkflow.run, (await runs(client))[-1])
    return await handle.result()


async def test_every_worker_that_starts_ensures_the_one_schedule(client: Client) -> None:
    for _ in range(2):
        await ensure_schedule(client, Settings())
    handle = client.get_schedule_handle(HOUSEKEEPING_SCHEDULE)
    schedule = (await handle.describe()).schedule
    assert [each.every for each in schedule.spec.intervals] == [15 * MINUTE]
    assert (schedule.policy.overlap.name, schedule.policy.catchup_window) == ("SKIP", MINUTE)
    action: Any = schedule.action
    assert (action.workflow, action.task_queue) == (HOUSEKEEPING, HOUSEKEEPING_QUEUE)
    assert not action.args, "an argument would need its key for as long as the schedule lives"
    await handle.pause(note="while we look")
    await ensure_schedule(client, Settings())
    assert (await handle.describe()).schedule.state.paused


async def test_a_scheduled_run_goes_on_where_the_one_before_stopped(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOKED_UP_AT_MOST", 2)
    monkeypatch.setattr(reconcile, "LEFT_ALONE_FOR", -MINUTE)
    asked: list[str] = []

    async def knows(_: Telegraph, workflow_id: str) -> bool:
        asked.append(workflow_id)
        return True

    monkeypatch.setattr(Telegraph, "knows", knows)
    environment = WorkflowEnvironment.from_client(client)
    async with works(environment, database_url) as at, housekeeping_at(at):
        ids = [await at.issue() for _ in range(3)]
        await ensure_schedule(client, Settings())
        first, second, third = [await run_now(client) for _ in range(3)]
        assert first.cursors["reconcile"] == str(ids[1])
        assert second.cursors["reconcile"] == ""
        assert third.cursors["reconcile"] == str(ids[1])
        for session_id in ids:
            await client.get_workflow_handle(f"public-session:{session_id}").terminate()
            for mail in await at.house.mails(session_id):
                await client.get_workflow_handle(f"mail:{mail.id}").terminate()
    expected = [*ids, *ids[:2]]
    assert [each for each in asked if each.startswith("public")] == [
        f"public-session:{each}" for each in expected
    ]


async def test_while_temporal_is_away_the_schedule_waits(
    temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    settings = Settings(temporal_call_timeout=timedelta(milliseconds=100))
    with pytest.raises(TemporalAway):
        await ensure_schedule(nobody, settings)
    monkeypatch.setattr(temporal_schedule, "AGAIN_AFTER", timedelta(milliseconds=10))
    tried = 0

    async def ensured(*_: Any) -> None:
        nonlocal tried
        tried += 1
        if tried < 3:
            raise TemporalAway("no answer")

    monkeypatch.setattr(temporal_schedule, "ensure_schedule", ensured)
    await keep_schedule(nobody, settings, asyncio.Event())
    assert tried == 3


async def test_a_worker_that_is_told_to_stop_does_not_wait_for_its_schedule() -> None:
    nobody = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    settings = Settings(temporal_call_timeout=timedelta(milliseconds=100))
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_schedule(nobody, settings, stop))
    await asyncio.sleep(0.5)
    assert not keeping.done()
    stop.set()
    await asyncio.wait_for(keeping, 2)
    await keep_schedule(nobody, settings, stop)


async def test_a_server_without_schedules_is_no_reason_to_stop(
    time_skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_schedule(time_skipping.client, Settings(), stop))
    await asyncio.sleep(0.3)
    assert not keeping.done()
    stop.set()
    await asyncio.wait_for(keeping, 2)
    with pytest.raises(RPCError) as refused:
        await time_skipping.client.get_schedule_handle(HOUSEKEEPING_SCHEDULE).describe()
    assert refused.value.status is RPCStatusCode.UNIMPLEMENTED
