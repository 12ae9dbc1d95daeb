"""Uploads of a party: checked and encrypted on their way, a row only for what is whole (PS-40).

Three steps: `begin_upload` asks the gate and the scope, `receive` streams without any transaction,
`finish_upload` asks both again under the session's lock and writes the row. What stops in between
leaves nothing, or an object without a row, which housekeeping removes.
"""

from dataclasses import dataclass
from uuid import UUID

from adapters.objects import new_object_name
from commands.room import Room, Visitor, enter_to_act
from commands.upload_file import data_key_of, file_key
from commands.upload_receive import Received, Reception
from commands.work import Work
from domain.audit import AuditEvent
from domain.errors import Erased, NotFound
from domain.file_kind import kind_of_name
from domain.file_name import clean_name
from domain.messages import UploadCheckStart
from domain.settings import Settings
from domain.task import TaskKind
from domain.upload import UploadReason, UploadRefusal, UploadRefused, UploadScope, refused
from domain.workflow_names import UPLOAD_CHECK, upload_check_id
from store.columns import new_id
from store.public_session import TaskRow
from store.upload import (
    UploadRow,
    UploadState,
    count_uploads,
    upload_by_client_id,
    uploads_of_task,
)

MOST_TRIES = 3
"""How many files one task ever takes for each that it may hold, removed ones counted, too."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that a browser wants to send: its own id for it, so that a second try is the same.

    `announced` is its size in bytes if that is known, `replaces` a file that makes room for it.
    """

    client_id: UUID
    task: str
    slot: str
    name: str
    announced: int | None = None
    replaces: UUID | None = None


def scope_of(task: TaskRow, settings: Settings) -> UploadScope:
    """What an upload task takes; where files are scanned, none that the scanner does not take."""
    scope = UploadScope.of(task.upload or {})
    return scope.at_most(settings.clamd_most_bytes) if settings.clamd_address else scope


def upload_task(work: Work, room: Room, key: str) -> tuple[TaskRow, UploadScope]:
    """An open upload task and what it takes; raises `NotFound`, `TaskLocked` or `TaskDone`."""
    task = room.task(key)
    if task.kind != TaskKind.UPLOAD:
        raise NotFound("task")
    if refusal := room.value.refuses_task(key):
        raise refusal
    return task, scope_of(task, work.settings)


async def begin_upload(work: Work, visitor: Visitor, incoming: Incoming) -> Reception | UploadRow:
    """Whether this file may be sent now; the row there is, if it came before.

    Raises what `enter_to_act` and `upload_task` raise, `Erased`, or `UploadRefused`.
    """
    room = await enter_to_act(work, visitor)
    task, scope = upload_task(work, room, incoming.task)
    before = await _before(work, task, incoming)
    if before is not None:
        return before
    name = clean_name(incoming.name)
    await _refuse(work, task, scope, incoming)
    refusal = scope.refuses_file(name, incoming.announced, 0)
    if refusal:
        raise UploadRefused(refusal)
    kind = kind_of_name(name)
    upload_id = new_id()
    key = file_key(await data_key_of(work, room.session.owner), upload_id)
    if key is None or kind is None:
        raise Erased
    return Reception(upload_id, new_object_name(), kind, name, scope, key)


async def _before(work: Work, task: TaskRow, incoming: Incoming) -> UploadRow | None:
    """The file that came under this id; raises `NotFound` for one that was taken back since."""
    before = await upload_by_client_id(work.db, task.session_id, incoming.client_id)
    if before is not None and (before.task_id != task.id or before.removed_at is not None):
        raise NotFound("file")
    return before


async def _refuse(work: Work, task: TaskRow, scope: UploadScope, incoming: Incoming) -> None:
    """Refuses a place that is taken or unknown, and one file too many."""
    filled = [
        each.slot
        for each in await uploads_of_task(work.db, task.id)
        if each.id != incoming.replaces
    ]
    refusal = scope.refuses_slot(incoming.slot, filled)
    refusal = refusal or scope.refuses_submission([*filled, incoming.slot])
    if refusal:
        raise UploadRefused(refusal)
    ever, most = await count_uploads(work.db, task.id), MOST_TRIES * scope.max_files
    if ever >= most:
        # Sending and removing without end would fill the store as well (ASVS 5.2.4).
        raise refused(UploadReason.TOO_MANY, str(most), str(ever + 1))


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that is there now, and the one that made room for it."""

    row: UploadRow
    replaced: UploadRow | None = None


async def finish_upload(
    work: Work, visitor: Visitor, incoming: Incoming, received: Received
) -> Finished:
    """Writes the row of a file that is whole, and removes the one it replaces.

    The gate and the scope are asked again under the session's lock. Raises as `begin_upload`; the
    caller deletes the object then. A second try that was quicker is answered with its row.
    """
    room = await enter_to_act(work, visitor, lock=True)
    task, scope = upload_task(work, room, incoming.task)
    before = await _before(work, task, incoming)
    if before is not None:
        return Finished(before)
    await _refuse(work, task, scope, incoming)
    replaced = await _replaced(work, room, task, incoming)
    row = _row(room, task, incoming, received)
    if work.settings.clamd_address:
        row.state = UploadState.CHECKING
        start = UploadCheckStart(str(row.id))
        work.start_workflow(UPLOAD_CHECK, upload_check_id(row.id), start)
    work.db.add(row)
    work.audit_session(
        AuditEvent.UPLOAD_RECEIVED, room.session, room.actor, details=details_of(task, row)
    )
    return Finished(row, replaced)


async def _replaced(work: Work, room: Room, task: TaskRow, incoming: Incoming) -> UploadRow | None:
    if incoming.replaces is None:
        return None
    return await _remove(work, room, task, incoming.replaces)


def _row(room: Room, task: TaskRow, incoming: Incoming, received: Received) -> UploadRow:
    return UploadRow(
        id=received.reception.upload_id,
        client_id=incoming.client_id,
        workspace_id=room.session.workspace_id,
        session_id=room.session.id,
        task_id=task.id,
        slot=incoming.slot,
        kind=received.reception.kind,
        size=received.size,
        object_name=received.reception.object_name,
        sealed_sha256=received.sealed_sha256,
        received_at=room.at,
        name=received.reception.name,
        sha256=received.sha256,
        received_sha256=received.received_sha256,
    )


def details_of(task: TaskRow, row: UploadRow) -> dict[str, str | int]:
    """What the audit says of a file."""
    return {
        "task": task.key,
        "upload": str(row.id),
        "slot": row.slot,
        "name": row.name,
        "kind": row.kind,
        "size": row.size,
        "sha256": row.sha256,
        "sealed_sha256": row.sealed_sha256,
    }


async def remove_upload(
    work: Work, visitor: Visitor, task_key: str, upload_id: UUID
) -> UploadRow | None:
    """Takes a file back before its task is submitted; one that is gone already is None.

    Raises as `begin_upload`. The caller lets the object go after the commit.
    """
    room = await enter_to_act(work, visitor, lock=True)
    task, _ = upload_task(work, room, task_key)
    return await _remove(work, room, task, upload_id)


async def _remove(work: Work, room: Room, task: TaskRow, upload_id: UUID) -> UploadRow | None:
    for row in await uploads_of_task(work.db, task.id):
        if row.id == upload_id:
            work.audit_session(
                AuditEvent.UPLOAD_REMOVED, room.session, room.actor, details=details_of(task, row)
            )
            row.removed_at = work.at
            return row
    return None


async def note_refused(work: Work, visitor: Visitor, task_key: str, refusal: UploadRefusal) -> None:
    """Writes down why a file was refused, and nothing of the file; raises as `begin_upload`."""
    room = await enter_to_act(work, visitor)
    work.audit_session(
        AuditEvent.UPLOAD_REFUSED,
        room.session,
        room.actor,
        reason=refusal.reason,
        details={"task": room.task(task_key).key},
    )
