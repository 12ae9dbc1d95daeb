"""Exports everything that is held about a party, piece by piece and in short transactions."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from adapters.aead import Undecipherable
from adapters.file_cipher import SealedFile
from adapters.objects import ObjectMissing, ObjectStore, ObjectStoreAway
from adapters.zip_stream import ZipStream
from commands.agreement_copy import copies_of_session
from commands.party import find_party
from commands.party_record import README, as_json, as_line, event_of, everything_in, unique_name
from commands.upload_file import file_key_of, open_file
from commands.work import Transactions, Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import Erased
from store.agreement import signed_in_session, signers_in_session
from store.audit import AuditRow, trail_page
from store.mail import mails_of
from store.party import passages_of
from store.party_export import (
    files_of_session,
    party_trail_page,
    session_ids_of_party,
    visitors_of,
)
from store.public_session import session_by_id, submissions_of, tasks_of
from store.signing_session import signing_sessions_of
from store.upload import UploadRow, UploadState

EVENTS_AT_ONCE = 500
UNREADABLE = (Undecipherable, ObjectMissing, ObjectStoreAway)

TrailPage = Callable[[Any, UUID, str | None, int], Awaitable[tuple[Sequence[AuditRow], str | None]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: its path, about how many bytes it has, and these."""

    path: str
    size: int
    pieces: AsyncGenerator[bytes, None]


async def note_export(work: Work, workspace_id: UUID, party_id: UUID, actor: Actor) -> None:
    """Writes down that everything about a party is read; raises `NotFound` or `Erased`."""
    party = await find_party(work, workspace_id, party_id)
    if party.erased_at is not None:
        raise Erased
    work.audit_party(AuditEvent.PARTY_EXPORTED, workspace_id, party_id, actor)


@dataclass(frozen=True, slots=True)
class PartyExport:
    """One export under way, and the files that could not be part of it."""

    begin: Transactions
    objects: ObjectStore
    workspace_id: UUID
    party_id: UUID
    missing: list[dict[str, Any]] = field(default_factory=list)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The archive, as it is written; no transaction is open between two pieces."""
        with ZipStream.begun(self.begin.clock()) as archive:
            async with aclosing(self._entries()) as entries:
                async for entry in entries:
                    with archive.file(entry.path, entry.size) as file:
                        async with aclosing(entry.pieces) as pieces:
                            async for piece in pieces:
                                file.write(piece)
                                yield archive.taken()
        yield archive.taken()

    async def _entries(self) -> AsyncGenerator[Entry, None]:
        yield _text("README.txt", README)
        yield await self._party()
        yield self._trail("audit.jsonl", party_trail_page, self.party_id)
        async with self.begin.work() as work:
            sessions = await session_ids_of_party(work.db, self.party_id)
        for each in sessions:
            yield await self._session(each)
            yield self._trail(f"sessions/{each}/audit.jsonl", trail_page, each)
            for signed in await self._signed(each):
                yield signed
            async with aclosing(self._files(each)) as files:
                async for entry in files:
                    yield entry
        yield _text("missing.json", as_json(self.missing))

    async def _party(self) -> Entry:
        async with self.begin.work() as work:
            party = await find_party(work, self.workspace_id, self.party_id)
            passages = await passages_of(work.db, self.party_id)
            told = everything_in(party) | {"passages": [everything_in(each) for each in passages]}
        return _text("party.json", as_json(told))

    async def _session(self, session_id: UUID) -> Entry:
        async with self.begin.work() as work:
            row = await session_by_id(work.db, session_id)
            parts = {
                "tasks": await tasks_of(work.db, session_id),
                "submissions": await submissions_of(work.db, session_id),
                "uploads": await files_of_session(work.db, session_id),
                "mails": await mails_of(work.db, session_id),
                "agreements": await signed_in_session(work.db, session_id),
                "signers": await signers_in_session(work.db, session_id),
                "signing_sessions": await signing_sessions_of(work.db, session_id),
            } | await visitors_of(work.db, session_id)
            told = (everything_in(row) if row else {}) | {
                name: [everything_in(each) for each in found] for name, found in parts.items()
            }
        return _text(f"sessions/{session_id}/session.json", as_json(told))

    async def _signed(self, session_id: UUID) -> list[Entry]:
        """The sealed documents that were signed in a session."""
        async with self.begin.work() as work:
            copies = await copies_of_session(work, session_id)
        taken: set[str] = set()
        at = f"sessions/{session_id}/signed"
        return [_bytes(f"{at}/{unique_name(each.name, taken)}", each.pdf) for each in copies]

    def _trail(self, path: str, page: TrailPage, subject_id: UUID) -> Entry:
        return Entry(path, 0, self._events(page, subject_id))

    async def _events(self, page: TrailPage, subject_id: UUID) -> AsyncGenerator[bytes, None]:
        cursor: str | None = None
        while True:
            async with self.begin.work() as work:
                rows, cursor = await page(work.db, subject_id, cursor, EVENTS_AT_ONCE)
                lines = "".join(as_line(event_of(each)) for each in rows)
            yield lines.encode()
            if cursor is None:
                return

    async def _files(self, session_id: UUID) -> AsyncGenerator[Entry, None]:
        async with self.begin.work() as work:
            rows = await files_of_session(work.db, session_id)
            named = [(each, each.name) for each in rows]
        taken: set[str] = set()
        for row, name in named:
            file = await self._opened(row, name)
            if file is not None:
                path = f"sessions/{session_id}/files/{unique_name(name, taken)}"
                yield Entry(path, file.size, self._pieces(row, path, file))

    async def _opened(self, row: UploadRow, name: str) -> SealedFile | None:
        """The file, if there still is one that may be handed out and that opens."""
        if reason := _withheld(row, name):
            self._miss(row, reason, name=name)
            return None
        async with self.begin.work() as work:
            key = await file_key_of(work, row)
        if key is None:
            self._miss(row, "erased")
            return None
        try:
            return await open_file(self.objects, row, key)
        except UNREADABLE as error:
            self._miss(row, "unreadable", name=name, error=type(error).__name__)
            return None

    async def _pieces(
        self, row: UploadRow, path: str, file: SealedFile
    ) -> AsyncGenerator[bytes, None]:
        """The file's bytes; what breaks in the middle ends it there, which is noted."""
        try:
            async for each in file.chunks():
                yield each
        except UNREADABLE as error:
            self._miss(row, "incomplete", path=path, error=type(error).__name__)

    def _miss(self, row: UploadRow, reason: str, **others: str) -> None:
        told = {"public_session": row.session_id, "upload": row.id, "reason": reason}
        self.missing.append(told | others)


def _withheld(row: UploadRow, name: str) -> str:
    """Why a file is not handed out, in one word; "" for one that is."""
    if row.removed_at is not None:
        return "removed" if name else "erased"
    return "" if row.state == UploadState.READY else row.state


def _text(path: str, text: str) -> Entry:
    return _bytes(path, text.encode())


def _bytes(path: str, content: bytes) -> Entry:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield content

    return Entry(path, len(content), whole())
