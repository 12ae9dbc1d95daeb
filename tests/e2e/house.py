"""The whole house with everything real: each program a process of its own, as `gatepass demo` runs
them, and an office in it for each test."""

import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import anyio
import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.embedded.data_folder import DataFolder
from adapters.embedded.demo_example import EXAMPLE, is_up
from adapters.embedded.demo_ports import Ports
from adapters.embedded.demo_programs import api_program, environ_of, worker_program
from adapters.embedded.ports import free_port
from adapters.embedded.postgres import Postgres, launch_postgres
from adapters.embedded.process import Child, Program, wait_until_ready
from adapters.embedded.temporal_server import TemporalServer, launch_temporal
from adapters.keyring import open_keyring
from adapters.mailbox.folder import ReceivedMail
from adapters.root_key import create_key_file
from adapters.settings import load_settings
from commands.mail import link_of
from commands.pack import load_pack
from commands.token import CreateToken, create_token
from commands.work import Transactions
from commands.workspace import CreateWorkspace, create_workspace
from domain.settings import Settings
from store.database import connect
from store.intent import IntentRow
from store.migrate import upgrade
from store.public_session import session_by_id
from tests.rooms.house import fresh_code
from tests.rooms.mail import Mailbox, start_mailbox

STOP = timedelta(seconds=1.5)
READY = timedelta(seconds=60)
CODE = re.compile(r"^ +(\d{4} ?\d{4})\s*$", re.MULTILINE)
Found = TypeVar("Found")
_numbers = count(1)


async def until(
    ask: Callable[[], Awaitable[Found]], what: str = "", within: float = 30, every: float = 0.1
) -> Found:
    """What `ask` answers as soon as that is true; fails after `within` seconds."""
    give_up = time.monotonic() + within
    while True:
        if found := await ask():
            return found
        if time.monotonic() > give_up:
            pytest.fail(f"not within {within} s: {what or ask}; last answer {found!r}")
        await anyio.sleep(every)


class NothingToDeliver:
    """What a test writes by itself starts no workflow."""

    def hand_over(self, intents: list[IntentRow]) -> None:
        """Takes none."""
        assert not intents


@dataclass(slots=True)
class House:
    """Everything that runs; what a test kills it starts again."""

    folder: DataFolder
    ports: Ports
    environ: Mapping[str, str]
    settings: Settings
    postgres: Postgres
    temporal: TemporalServer
    mailbox: Mailbox
    programs: Mapping[str, Program]
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people and programs reach us."""
        return self.settings.public_url

    def start(self, name: str) -> Child:
        """Starts `api` or `worker`, without waiting."""
        child = self.programs[name].start()
        self.children[name] = child
        return child

    def kill(self, name: str) -> None:
        """`kill -9` of `api` or `worker`."""
        kill(self.children[name])

    async def wait_until_up(self) -> None:
        """Returns when the API says that it can serve."""
        await until(partial(anyio.to_thread.run_sync, is_up, self.ports.api), "the API is up", 60)

    async def ready(self) -> dict[str, Any]:
        """What `/readyz` says."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            return dict((await client.get(f"{self.url}/readyz", timeout=5)).json())

    def stop_postgres(self, stop: signal.Signals = signal.SIGKILL) -> None:
        """Ends PostgreSQL as `stop` does it: SIGKILL, or SIGINT for an orderly end."""
        self.postgres.child.process.send_signal(stop)
        self.postgres.child.process.wait(20)

    async def start_postgres(self) -> None:
        """PostgreSQL again, with its data and on its port."""
        folder = self.folder.path / "postgres"
        self.postgres = launch_postgres(folder, self.postgres.port)
        await anyio.to_thread.run_sync(self.postgres.wait_until_ready)

    def kill_temporal(self) -> None:
        """`kill -9` of Temporal."""
        kill(self.temporal.child)

    async def start_temporal(self) -> None:
        """Temporal again, with its histories and on its port."""
        self.temporal = launch_temporal(self.folder.path / "temporal", self.temporal.port)
        await anyio.to_thread.run_sync(self.temporal.wait_until_ready)


def kill(child: Child) -> None:
    """`kill -9` of one of our own children, which is gone afterwards."""
    os.kill(child.pid, signal.SIGKILL)
    child.process.wait(20)


@contextmanager
def running_house(path: Path, *, durable: bool = False) -> Iterator[House]:
    """Starts everything on the new folder `path`; ends all of it.

    `durable` where PostgreSQL is going to be killed.
    """
    folder = DataFolder(path)
    with ExitStack() as ends:
        house = _servers(folder, ends, durable=durable)
        ends.callback(_stop_clients, house)
        for name in house.programs:
            house.start(name)
        wait_until_ready(house.children["api"], partial(is_up, house.ports.api), READY)
        yield house


def _servers(folder: DataFolder, ends: ExitStack, *, durable: bool) -> House:
    postgres = launch_postgres(folder.path / "postgres", durable=durable)
    temporal = launch_temporal(folder.path / "temporal")
    mailbox = start_mailbox(folder.path / "mails")
    ports = Ports(free_port(), mailbox.http_port, mailbox.smtp_port, temporal.port, 0)
    environ = _environ(folder, ports, postgres)
    ours = {name: value for name, value in environ.items() if name.startswith("GATEPASS_")}
    programs = {
        "api": api_program(folder, ports, environ),
        "worker": worker_program(folder, environ),
    }
    house = House(
        folder, ports, environ, load_settings(ours), postgres, temporal, mailbox, programs
    )
    ends.callback(_stop_servers, house)
    create_key_file(folder.root_key)
    postgres.wait_until_ready()
    upgrade(postgres.url)
    temporal.wait_until_ready()
    return house


def _environ(folder: DataFolder, ports: Ports, postgres: Postgres) -> dict[str, str]:
    """The demo's settings without those of whoever runs the tests."""
    known = environ_of(folder, ports, postgres.url)
    own = {"PUBLIC_URL": f"http://localhost:{ports.api}", "LOG_LEVEL": "info"}
    kept = {
        name: value
        for name, value in known.items()
        if not name.startswith("GATEPASS_") or os.environ.get(name) != value
    }
    return kept | {f"GATEPASS_{name}": value for name, value in own.items()}


def _stop_clients(house: House) -> None:
    for child in house.children.values():
        child.ask_to_stop()
    for child in house.children.values():
        child.stop(STOP)


def _stop_servers(house: House) -> None:
    servers = (house.mailbox.child, house.temporal.child, house.postgres.child)
    for child in servers:
        child.ask_to_stop()
    for child in servers:
        child.stop(STOP)
    house.postgres.place.remove()


@dataclass(slots=True)
class Office:
    """One workspace in a running house: its API, its mails, and what SQL says of it."""

    house: House
    engine: AsyncEngine
    transactions: Transactions
    client: httpx2.AsyncClient
    workspace_id: UUID
    name: str

    def address(self, who: str) -> str:
        """A mail address of this test's own."""
        return f"{who}@{self.name}.example"

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What the API answers, which must be a success."""
        return _body(await self.client.get(f"/api/v1/{path}", params=query))

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        """As `get`, for a POST."""
        return _body(await self.client.post(f"/api/v1/{path}", json=body))

    async def create(self, who: str, kind: str = "vendor", **more: Any) -> dict[str, Any]:
        """A party with what its first state issues."""
        party = {"kind": kind, "name": f"{who.title()} Ltd", "email": self.address(who)}
        return await self.post("parties", party | more)

    async def vendor(self, who: str) -> UUID:
        """A new vendor's first session."""
        [issued] = (await self.create(who))["issued"]
        return UUID(issued["public_session"])

    async def session(self, session_id: UUID) -> dict[str, Any]:
        """A session as the API shows it."""
        return await self.get(f"public-sessions/{session_id}")

    async def audit(self, session_id: UUID) -> list[dict[str, Any]]:
        """What happened in a session, oldest first."""
        items = (await self.get(f"public-sessions/{session_id}/audit", limit=200))["items"]
        return sorted(items, key=lambda each: each["at"])

    async def events(self, session_id: UUID) -> list[str]:
        """The names of what happened in a session."""
        return [each["event"] for each in await self.audit(session_id)]

    async def mail(self, who: str, subject: str, number: int = 1) -> ReceivedMail:
        """The newest mail to somebody with `subject` in it, once `number` of them arrived."""
        return await self.mail_to(self.address(who), subject, number)

    async def mail_to(self, address: str, subject: str, number: int = 1) -> ReceivedMail:
        """As `mail`, to an address."""

        async def arrived() -> ReceivedMail | None:
            mails = self.house.mailbox.mails(address)
            found = [each for each in mails if subject in each.subject]
            return found[0] if len(found) >= number else None

        found = await until(arrived, f"mail {number} to {address} about {subject!r}")
        assert found is not None
        return found

    async def mailed_link(self, who: str, subject: str = "Vendor intake") -> str:
        """The link in the newest mail."""
        return link_in((await self.mail(who, subject)).text)

    async def mailed_code(self, who: str, number: int = 1) -> str:
        """The code in the newest code mail, once `number` of them arrived."""
        found = CODE.search((await self.mail(who, "Your code", number)).text)
        assert found is not None
        return found[1]

    async def link(self, session_id: UUID) -> str:
        """The living link, derived as its mail derives it."""
        async with self.transactions.work() as work:
            row = await session_by_id(work.db, session_id)
            assert row is not None
            return link_of(work, row)

    async def fresh_code(self, session_id: UUID) -> str:
        """A new code without its mail: nobody waits for the minute between two mails."""
        return await fresh_code(self.transactions, session_id)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """The rows of a statement, of any workspace; none of one that changes some."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


def _body(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
    return dict(answer.json())


def link_in(words: str) -> str:
    """The link in a mail's text."""
    found = re.search(r"https?://\S+/s/\S+", words)
    assert found is not None, words
    return found[0]


@asynccontextmanager
async def open_office(house: House) -> AsyncIterator[Office]:
    """A new workspace with the procurement example and a token whose owner is told of outcomes."""
    engine = connect(house.settings)
    keyring = open_keyring(house.settings)
    begin = Transactions(engine, house.settings, keyring, NothingToDeliver())
    name = f"office-{next(_numbers)}"
    try:
        async with begin.work() as work:
            wanted = CreateWorkspace(name, f"Northfield {name}", f"help@{name}.example")
            workspace = await create_workspace(work, wanted)
            await load_pack(work, workspace.id, EXAMPLE, publish=True)
            owner = CreateToken("Olivia Owner", f"owner@{name}.example")
            _, token = await create_token(work, workspace, owner)
        headers = {"authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(
            base_url=house.url, headers=headers, timeout=20, trust_env=False
        ) as client:
            yield Office(house, engine, begin, client, workspace.id, name)
    finally:
        await engine.dispose()
