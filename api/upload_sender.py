"""One browser that sends files to one task: each is taken whole, or nothing of it is kept."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from fastapi import HTTPException, Request

from adapters.objects import ObjectStore, ObjectStoreAway
from api.browser import visitor_of
from api.context import transactions_in
from api.party_pages import language_of
from api.upload_post import raw_chunks
from commands.room import Visitor, enter_to_act, party_of
from commands.upload import (
    Finished,
    Incoming,
    begin_upload,
    finish_upload,
    note_refused,
    upload_task,
)
from commands.upload_file import let_go
from commands.upload_receive import Received, receive
from commands.work import Transactions
from domain.errors import DomainError
from domain.upload import UploadRefused, UploadScope
from store.database import is_away
from store.upload import UploadRow

log = structlog.get_logger()

ASKED_EVERY = timedelta(seconds=15)
"""How often the gate is asked while a file comes in, which also keeps the browser's place."""
AT_ONCE = 4
"""Files of one session that one process receives at once; further ones wait unread."""
_lanes: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, what the task takes, and the language to answer in."""

    begin: Transactions
    objects: ObjectStore
    visitor: Visitor
    task: str
    scope: UploadScope
    locale: str

    async def take(self, incoming: Incoming, chunks: AsyncIterator[bytes]) -> UploadRow:
        """Takes one file whole; one that came before is answered with its row.

        Raises what `begin_upload`, `receive` and `finish_upload` raise. A refusal is written down.
        """
        lane = _lanes.setdefault(self.visitor.session_id, asyncio.Semaphore(AT_ONCE))
        try:
            async with lane:
                return await self._take(incoming, chunks)
        except UploadRefused as refused:
            async with self.begin.work() as work:
                await note_refused(work, self.visitor, self.task, refused.refusal)
            raise

    async def _take(self, incoming: Incoming, chunks: AsyncIterator[bytes]) -> UploadRow:
        async with self.begin.work() as work:
            begun = await begin_upload(work, self.visitor, incoming)
        if isinstance(begun, UploadRow):
            return begun
        async with aclosing(self._while_allowed(chunks)) as watched:
            received = await receive(begun, watched, self.objects)
        finished = await self._finish(incoming, received)
        if finished.row.id != begun.upload_id:
            await self._delete(begun.object_name)
        if finished.replaced is not None:
            await self.let_go(finished.replaced)
        return finished.row

    async def _finish(self, incoming: Incoming, received: Received) -> Finished:
        try:
            async with self.begin.work() as work:
                return await finish_upload(work, self.visitor, incoming, received)
        except DomainError:
            # After any other error the row may have been written: housekeeping looks again.
            await self._delete(received.reception.object_name)
            raise

    async def _while_allowed(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The same bytes; ends with what the gate raises once the browser may not act any more."""
        seconds = asyncio.get_running_loop().time
        asked = seconds()
        async for each in chunks:
            if seconds() - asked >= ASKED_EVERY.total_seconds():
                await self._ask()
                asked = seconds()
            yield each

    async def _ask(self) -> None:
        try:
            async with self.begin.work() as work:
                upload_task(work, await enter_to_act(work, self.visitor), self.task)
        except Exception as error:
            # What is unknown is never called an end; the row cannot be written without an answer.
            if not is_away(error):
                raise
            log.warning("upload_gate_waits", error=type(error).__name__)

    async def let_go(self, row: UploadRow) -> None:
        """Deletes the bytes of a file that was taken back; what fails is left to housekeeping."""
        try:
            await let_go(self.begin, self.objects, row)
        except Exception as error:
            if not isinstance(error, ObjectStoreAway) and not is_away(error):
                raise
            log.warning("object_left", upload_id=str(row.id), error=type(error).__name__)

    async def _delete(self, object_name: str) -> None:
        try:
            await self.objects.delete(object_name)
        except ObjectStoreAway as error:
            log.warning("object_left", object=object_name, error=str(error))


async def sender_at(request: Request, session_id: str, task: str) -> Sender:
    """The browser behind a request, which may act in this task now.

    Raises what `enter_to_act` and `upload_task` raise.
    """
    begin, visitor = transactions_in(request), visitor_of(request, session_id)
    async with begin.work() as work:
        room = await enter_to_act(work, visitor)
        _, scope = upload_task(work, room, task)
        party = await party_of(work, room)
    objects: ObjectStore = request.app.state.objects
    return Sender(begin, objects, visitor, task, scope, language_of(request, party.locale))


async def drain(request: Request, most_bytes: int) -> None:
    """Reads on what is not kept: a browser that is still sending sees no answer before its end."""
    # A body that was read to its end says so by a RuntimeError; one that breaks off, or is too
    # long, needs no answer.
    with suppress(HTTPException, RuntimeError):
        async with aclosing(raw_chunks(request, most_bytes=most_bytes)) as rest:
            async for _ in rest:
                pass
