"""Houses for the tests of commands."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.rooms.house import House, furnished_house


@pytest_asyncio.fixture
async def house(module_database_url: str) -> AsyncIterator[House]:
    """A furnished workspace of this test's own; nothing in it is delivered."""
    async with furnished_house(module_database_url) as house:
        yield house
