"""One house for the whole run, one that may be broken, and an office of each test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.bureau import Bureau, open_bureau
from tests.e2e.house import House, Office, open_office, running_house
from tests.e2e.person import Browsers


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everything real, started once for all tests that break nothing."""
    with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="session")
def fragile_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Another one, of which tests kill parts; they leave it whole."""
    with running_house(tmp_path_factory.mktemp("fragile"), durable=True) as running:
        yield running


@pytest_asyncio.fixture
async def office(house: House) -> AsyncIterator[Office]:
    """A new workspace in the house."""
    async with open_office(house) as opened:
        yield opened


@pytest_asyncio.fixture
async def fragile_office(fragile_house: House) -> AsyncIterator[Office]:
    """A new workspace in the house that may be broken."""
    async with open_office(fragile_house) as opened:
        yield opened


@pytest_asyncio.fixture
async def bureau(database_url: str) -> AsyncIterator[Bureau]:
    """A console with an agreement that two members may edit."""
    async with open_bureau(database_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def browsers(chromium: Browser) -> AsyncIterator[Browsers]:
    """Browsers of different people, each with its own cookies; nothing may go wrong in any."""
    opened = Browsers(chromium)
    yield opened
    await opened.close()
