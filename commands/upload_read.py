"""A member reads an uploaded file: which one, whether it is given out, and that it was read."""

from dataclasses import dataclass, field
from uuid import UUID

from adapters.file_cipher import FileKey
from commands.public_session import Target
from commands.upload_file import file_key_of
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import Erased, NotFound, UploadWithheld
from store.public_session import PublicSessionRow, session_by_id
from store.upload import UploadRow, UploadState, upload_by_id

OPEN = "open"
"""The state of a file whose task is not submitted: until then it is the party's own."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that may be read, and by whom."""

    session: PublicSessionRow
    row: UploadRow
    actor: Actor
    key: FileKey = field(repr=False)


async def find_readable(work: Work, target: Target, upload_id: UUID) -> Readable:
    """The file, if its bytes may be given out; raises `NotFound`, `Erased` or `UploadWithheld`."""
    session = await session_by_id(work.db, target.session_id, target.workspace_id)
    row = await upload_by_id(work.db, upload_id) if session else None
    if session is None or row is None or row.session_id != session.id:
        raise NotFound("file")
    key = await file_key_of(work, row)
    if key is None or row.is_erased:
        raise Erased
    if row.removed_at is not None:
        # Taken back before it was submitted: it never was the company's.
        raise NotFound("file")
    if row.state != UploadState.READY:
        raise UploadWithheld(row.state)
    if row.submitted_at is None:
        raise UploadWithheld(OPEN)
    return Readable(session, row, target.actor, key)


def note_downloaded(work: Work, file: Readable, part: str) -> None:
    """Writes down that a file is given out, and which part of it, before its first byte is."""
    details = {"upload": str(file.row.id), "name": file.row.name, "part": part}
    work.audit_session(AuditEvent.UPLOAD_DOWNLOADED, file.session, file.actor, details=details)


def note_damaged(work: Work, file: Readable) -> None:
    """Writes down that a file could not be given out whole: somebody changed its bytes."""
    details = {"upload": str(file.row.id), "object": file.row.object_name}
    work.audit_session(AuditEvent.UPLOAD_DAMAGED, file.session, file.actor, details=details)
