"""Checks an uploaded file for viruses: what is to be read, and what came of it (PS-40)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from uuid import UUID

from adapters.file_cipher import FileKey
from adapters.objects import ObjectStore
from adapters.virus_scan import TooLargeToScan
from commands.upload_file import file_key_of, read_file
from commands.work import Transactions, Work
from domain.actor import VIRUS_CHECK
from domain.audit import AuditEvent
from store.public_session import session_by_id, value_of
from store.upload import UploadRow, UploadState, upload_by_id

GONE = ""
"""The state of a file that is not needed any more and was not checked: it was taken back, or
erased, or its session is over."""

Scan = Callable[[AsyncIterator[bytes]], Awaitable[str | None]]
"""The virus that is in a stream of bytes, by its name, or None."""


async def check_upload(
    begin: Transactions, objects: ObjectStore, upload_id: UUID, at: datetime, scan: Scan
) -> str:
    """Checks a file, unless it was checked before; returns its state, `GONE` if there is none.

    `at` is when the check was asked for, by the clock of whoever asked. What is too large for the
    scanner is `unscannable`. Once its session is over a file is not checked: nobody can send it in.

    Raises what else `scan` raises, `Undecipherable`, `ObjectMissing` or `ObjectStoreAway`; the file
    is still to be checked then.
    """
    async with begin.work(begin.later(at)) as work:
        row = await upload_by_id(work.db, upload_id)
        key = await _key_to_check(work, row)
    if row is None or key is None:
        return _state_of(row)
    state, virus = await _judged(scan, read_file(objects, row, key))
    async with begin.work(begin.later(at)) as work:
        return await _note_checked(work, upload_id, state, virus)


async def _key_to_check(work: Work, row: UploadRow | None) -> FileKey | None:
    if row is None or row.removed_at is not None or row.state != UploadState.CHECKING:
        return None
    session = await session_by_id(work.db, row.session_id)
    if session is None or value_of(session, ()).refuses(work.at):
        return None
    return await file_key_of(work, row)


async def _judged(scan: Scan, content: AsyncIterator[bytes]) -> tuple[UploadState, str]:
    try:
        virus = await scan(content)
    except TooLargeToScan:
        return UploadState.UNSCANNABLE, ""
    return (UploadState.INFECTED, virus) if virus else (UploadState.READY, "")


def _state_of(row: UploadRow | None) -> str:
    if row is None or row.removed_at is not None or row.state == UploadState.CHECKING:
        return GONE
    return row.state


async def _note_checked(work: Work, upload_id: UUID, state: UploadState, virus: str) -> str:
    row = await upload_by_id(work.db, upload_id, lock=True)
    if row is None or row.removed_at is not None or row.state != UploadState.CHECKING:
        return _state_of(row)
    row.state = state
    session = await session_by_id(work.db, row.session_id)
    if session is not None:
        details = {"upload": str(row.id), "virus": virus}
        work.audit_session(
            AuditEvent.UPLOAD_CHECKED, session, VIRUS_CHECK, reason=row.state, details=details
        )
    return row.state
