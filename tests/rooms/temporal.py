"""A real Temporal server, and one that skips time."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from adapters.embedded.temporal_server import TemporalServer, program, start_temporal


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """A server for the whole run; `.address` and `.namespace` for clients."""
    server = start_temporal(tmp_path_factory.mktemp("temporal"))
    yield server
    server.stop()


@pytest_asyncio.fixture
async def temporal_client(temporal_server: TemporalServer) -> Client:
    """A plain client of the server, without the product's converters."""
    return await Client.connect(temporal_server.address, namespace=temporal_server.namespace)


@pytest_asyncio.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server of this test's own that skips to the next timer (it skips for all its workflows)."""
    server = program("temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=server
    ) as environment:
        yield environment
