"""`/api/v1/public-sessions/{id}/uploads`: a session's files, listed and downloaded (PS-40)."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from adapters.aead import Undecipherable
from adapters.file_cipher import SealedFile
from adapters.objects import ObjectMissing, ObjectStore
from api.call import ApiCall, ApiCaller
from api.context import Begin
from api.errors import refusals
from api.public_session_views import find_session
from api.shapes.field import Page
from api.shapes.upload import UploadShape
from commands.public_session import Target
from commands.upload_file import open_file
from commands.upload_read import Readable, find_readable, note_damaged, note_downloaded
from commands.work import Transactions
from domain.audit import AuditEvent
from domain.byte_range import ByteRange, range_asked
from domain.errors import Erased, NotFound, RangeRefused, UploadWithheld
from domain.file_kind import FileKind
from store.public_session import tasks_of
from store.upload import submitted_uploads

log = structlog.get_logger()
router = APIRouter(prefix="/api/v1/public-sessions", tags=["public-sessions"])

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/octet-stream": BINARY}},
    206: {"description": "The range that was asked for"},
}
NOTHING_RUNS = "default-src 'none'; sandbox"


@router.get("/{session_id}/uploads", responses=refusals(NotFound))
async def list_uploads(call: ApiCall, session_id: UUID) -> Page[UploadShape]:
    """The files that were submitted, oldest first; that the list was read is written down (PS-25).

    Until its task is submitted a file is the party's own.
    """
    session = await find_session(call, session_id)
    tasks = {each.id: each.key for each in await tasks_of(call.work.db, session.id)}
    erased = session.erased_at is not None
    rows = await submitted_uploads(call.work.db, session.id)
    details = {"uploads": len(rows)}
    call.work.audit_session(AuditEvent.UPLOADS_READ, session, call.actor, details=details)
    return Page(items=[UploadShape.of(each, tasks[each.task_id], erased=erased) for each in rows])


@router.get(
    "/{session_id}/uploads/{upload_id}/content",
    response_class=StreamingResponse,
    responses=refusals(NotFound, Erased, UploadWithheld, RangeRefused) | CONTENT,
)
async def get_content(
    request: Request, caller: ApiCaller, begin: Begin, session_id: UUID, upload_id: UUID
) -> StreamingResponse:
    """A submitted file or one range of it, decrypted on its way; that it was read is written down.

    A file whose bytes were changed in the store breaks off before the first changed one.
    """
    # No transaction is open while the object store is asked.
    target = Target(session_id, caller.workspace_id, caller.actor)
    async with begin.work() as work:
        file = await find_readable(work, target, upload_id)
    content = await _opened(request, begin, file)
    asked = _asked(request, file, content.size)
    async with begin.work() as work:
        note_downloaded(work, file, asked.content_range if asked else "whole")
    part = asked or ByteRange(0, content.size, content.size)
    return StreamingResponse(
        _bytes(begin, file, content, part),
        206 if asked else 200,
        _headers(file, part) | ({"content-range": part.content_range} if asked else {}),
        FileKind(file.row.kind).media_type,
    )


async def _opened(request: Request, begin: Transactions, file: Readable) -> SealedFile:
    objects: ObjectStore = request.app.state.objects
    try:
        return await open_file(objects, file.row, file.key)
    except (Undecipherable, ObjectMissing) as error:
        await _tell_damaged(begin, file, error)
        raise


def _asked(request: Request, file: Readable, size: int) -> ByteRange | None:
    """The range asked for; the whole file if it is not the one that the caller has a part of."""
    known = request.headers.get("if-range")
    if known is not None and known != _tag(file):
        return None
    return range_asked(request.headers.get("range", ""), size)


def _tag(file: Readable) -> str:
    return f'"{file.row.sha256}"'


def _headers(file: Readable, part: ByteRange) -> dict[str, str]:
    return {
        "content-length": str(part.length),
        "accept-ranges": "bytes",
        "etag": _tag(file),
        "content-disposition": disposition(file.row.name),
        "content-security-policy": NOTHING_RUNS,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


def disposition(name: str) -> str:
    """Says to save, never to show, under this name (RFC 6266, RFC 8187)."""
    plain = "".join(each if each.isascii() and each not in '"\\%' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _bytes(
    begin: Transactions, file: Readable, content: SealedFile, part: ByteRange
) -> AsyncIterator[bytes]:
    """The bytes; an error in their midst cuts the connection, so that nobody takes a part for all.

    No byte of a segment that was changed is given out.
    """
    try:
        async for each in content.chunks(part.start, part.end):
            yield each
    except (Undecipherable, ObjectMissing) as error:
        await _tell_damaged(begin, file, error)
        raise


async def _tell_damaged(begin: Transactions, file: Readable, error: Exception) -> None:
    log.error("upload_damaged", upload_id=str(file.row.id), error=type(error).__name__)
    async with begin.work() as work:
        note_damaged(work, file)
