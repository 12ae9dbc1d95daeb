"""A house at work whose uploads are checked for viruses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import worker
from adapters.clamd import Clamd
from adapters.objects import ObjectStore
from commands.room import Visitor
from commands.upload import Incoming, begin_upload, finish_upload
from commands.upload_receive import Reception, receive
from domain.workflow_names import upload_check_id
from store.upload import UploadRow, upload_by_id
from tests.rooms.clamd import Daemon, clamd
from tests.rooms.files import MIB, with_uploads
from tests.rooms.house import INTAKE
from tests.rooms.works import Works


@dataclass(slots=True)
class Checked:
    """A house at work whose uploads are checked."""

    at: Works
    daemon: Daemon
    objects: ObjectStore
    visitor: Visitor

    async def send(self, content: bytes) -> UploadRow:
        """One file, as a browser sends it."""
        what = Incoming(uuid4(), "papers", "", "a.csv")
        transactions = self.at.house.transactions
        async with transactions.work() as work:
            begun = await begin_upload(work, self.visitor, what)
        assert isinstance(begun, Reception)
        received = await receive(begun, pieces(content), self.objects)
        async with transactions.work() as work:
            row = (await finish_upload(work, self.visitor, what, received)).row
        await self.at.courier.drain()
        return row

    async def outcome(self, row: UploadRow, again: int = 0) -> str:
        """What the file's workflow ends with; time skips until then."""
        handle = self.at.client.get_workflow_handle(upload_check_id(row.id, again))
        return str((await self.at._result(handle))["state"])

    async def state(self, row: UploadRow) -> str:
        async with self.at.house.transactions.work() as work:
            found = await upload_by_id(work.db, row.id)
            assert found is not None
            return found.state

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The worker of the checks."""
        transactions = self.at.house.transactions
        scanner = Clamd(self.daemon.address, transactions.settings.clamd_most_bytes)
        async with worker.upload_check_worker(self.at.client, transactions, self.objects, scanner):
            yield


async def pieces(raw: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), 100_000):
        yield raw[at : at + 100_000]


@asynccontextmanager
async def checking(at: Works, folder: Path) -> AsyncIterator[Checked]:
    """A vendor's browser that may send files; nobody checks them yet."""
    intake = with_uploads(required=[], min_files=1, max_bytes=12 * MIB)
    async with clamd() as daemon:
        transactions = at.house.transactions
        transactions.settings = replace(transactions.settings, clamd_address=daemon.address)
        await at.house.publish("intake", INTAKE | intake)
        visitor = await at.house.enter(await at.issue())
        yield Checked(at, daemon, ObjectStore.at(str(folder)), visitor)
