"""Embedded Temporal: starts, continues, keeps its history as long as asked."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from adapters.embedded.temporal_server import TemporalServer, start_temporal
from tests.store.test_embedded_postgres import ended, is_running

HOLDER = """
import sys, time
from pathlib import Path
from adapters.embedded.temporal_server import start_temporal
server = start_temporal(Path(sys.argv[1]))
print(server.child.pid, flush=True)
time.sleep(60)
"""


@workflow.defn
class Fortnight:
    """Waits for two weeks."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await workflow.sleep(timedelta(days=14))


async def test_history_is_kept_as_long_as_asked(tmp_path: Path) -> None:
    """The development server's own default is a day."""
    server = start_temporal(tmp_path, retention=timedelta(days=30))
    client = await Client.connect(server.address, namespace=server.namespace)
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="gatepass")
    )
    server.stop()
    kept_for = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    assert kept_for == timedelta(days=30)


async def test_continues_with_its_workflows(tmp_path: Path) -> None:
    first = start_temporal(tmp_path)
    client = await Client.connect(first.address, namespace=first.namespace)
    await client.start_workflow("Anything", id="kept", task_queue="nobody")
    first.stop()
    second = start_temporal(tmp_path)
    client = await Client.connect(second.address, namespace=second.namespace)
    described = await client.get_workflow_handle("kept").describe()
    second.stop()
    assert described.workflow_type == "Anything"


def test_a_killed_parent_leaves_no_server(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    with holder, holder.stdout:
        pid = int(holder.stdout.readline())
        assert is_running(pid)
        holder.kill()
    assert ended(pid)


async def test_the_shared_server_answers(
    temporal_server: TemporalServer, temporal_client: Client
) -> None:
    assert temporal_client.namespace == temporal_server.namespace
    assert await temporal_client.service_client.check_health()


async def test_time_is_skipped(time_skipping: WorkflowEnvironment) -> None:
    before = await time_skipping.get_current_time()
    async with Worker(time_skipping.client, task_queue="fortnight", workflows=[Fortnight]):
        await time_skipping.client.execute_workflow(
            Fortnight.run, id="fortnight", task_queue="fortnight"
        )
    assert await time_skipping.get_current_time() - before >= timedelta(days=14)
