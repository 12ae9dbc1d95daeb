"""The application in this process, on a real database, with a clock that tests turn."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from adapters.embedded.ports import free_port
from api.app import create_app
from commands.token import CreateToken, create_token
from commands.workspace import CreateWorkspace, create_workspace, find_workspace
from domain.settings import Settings
from store.workspace import workspace_by_id
from tests.api.directory import Directory, scim_token
from tests.api.office import Office, office_of
from tests.rooms.house import KEYRING, Clock, House, bare_house
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at

BASE = "http://testserver"


@pytest.fixture
def database_url(swept_database_url: str) -> str:
    """The SQLAlchemy URL of a migrated database that nobody else has now."""
    return swept_database_url


@pytest.fixture
def clock() -> Clock:
    """What the application and the house take for the time."""
    return Clock()


@pytest_asyncio.fixture
async def house(database_url: str, clock: Clock) -> AsyncIterator[House]:
    """The commands on the application's database, as its worker would use them."""
    async with bare_house(database_url, clock=clock) as built:
        yield built


@pytest_asyncio.fixture
async def browser(house: House) -> AsyncIterator[PartyBrowser]:
    """A browser of a party, in front of the house's own pages."""
    async with browser_at(app_of(house), house) as built:
        yield built


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The application's settings; Temporal is nowhere, which no request notices."""
    key_file = tmp_path / "root.key"
    key_file.write_text(f"1 {base64.b64encode(KEYRING.roots[1]).decode()}\n")
    return replace(
        Settings(),
        database_url=database_url,
        root_key_file=str(key_file),
        object_store=str(tmp_path / "objects"),
        temporal_address=f"127.0.0.1:{free_port()}",
        public_url=BASE,
    )


@pytest_asyncio.fixture
async def app(settings: Settings, clock: Clock) -> AsyncIterator[FastAPI]:
    """The running application."""
    application = create_app(settings, clock=clock)
    async with application.router.lifespan_context(application):
        yield application


def caller(app: FastAPI, token: str | None = None) -> AsyncClient:
    """A client of the application; its cookies are its own."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = ASGITransport(app=app, raise_app_exceptions=True)
    return AsyncClient(transport=transport, base_url=BASE, headers=headers)


async def token_of(house: House, workspace_id: object = None) -> str:
    """A new token of the house's workspace, or of another one."""
    async with house.transactions.work() as work:
        workspace = await workspace_by_id(work.db, workspace_id or house.workspace_id)  # type: ignore[arg-type]  # an id
        _, text = await create_token(work, workspace, CreateToken("tests", "anna@demo.example"))
        return text


@pytest_asyncio.fixture
async def client(app: FastAPI, house: House) -> AsyncIterator[AsyncClient]:
    """A caller with a token of the house's workspace."""
    async with caller(app, await token_of(house)) as built:
        yield built


@pytest_asyncio.fixture
async def stranger(app: FastAPI, house: House) -> AsyncIterator[AsyncClient]:
    """A caller with a token of another workspace."""
    async with house.transactions.work() as work:
        await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
    async with house.transactions.work() as work:
        other = await find_workspace(work, "other")
    async with caller(app, await token_of(house, other.id)) as built:
        yield built


@pytest_asyncio.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A caller, or a browser, without a token."""
    async with caller(app) as built:
        yield built


@pytest_asyncio.fixture
async def office(app: FastAPI, house: House, anonymous: AsyncClient) -> Office:
    """Members who sign in over the API."""
    return await office_of(house, app, anonymous)


@pytest_asyncio.fixture
async def directory(app: FastAPI, house: House) -> AsyncIterator[Directory]:
    """A directory that provisions the members of the house's workspace."""
    async with caller(app, await scim_token(house)) as built:
        yield Directory(built)
