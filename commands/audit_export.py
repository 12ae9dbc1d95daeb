"""Writes a workspace's audit log for auditors, as `docs/audit-log.md` describes it (N10)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from adapters.aead import Undecipherable
from commands.audit_tree import TreeBroken, catch_up, origin_of, verifier_key
from commands.work import Transactions, Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.audit_export import (
    ExportHeader,
    Opening,
    checkpoint_line,
    end_line,
    event_line,
    header_line,
)
from store.audit import AuditRow
from store.audit_checkpoint import AuditCheckpointRow, checkpoints_over
from store.audit_tree import leaf_of, leaves_page
from store.sealed import opened
from store.workspace import workspace_by_id

PAGE = 500


@dataclass(slots=True)
class LogExport:
    """One export under way: for whom, with details or not, and how far it is.

    `unreadable` are the places of events whose details are there but cannot be deciphered, which
    erasing never causes. `is_broken`: what was signed last is not stored any more.
    """

    workspace_id: UUID
    actor: Actor
    details: bool = True
    done: int = 0
    size: int = 0
    unreadable: list[int] = field(default_factory=list)
    is_broken: bool = False


async def export_log(begin: Transactions, wanted: LogExport) -> AsyncIterator[str]:
    """The log up to now, line by line; that it is exported is its last event.

    Memory stays flat and each transaction is short: places and heads never change again. A log from
    which signed events were taken is written as it is stored, for auditors to see where.
    """
    key = await _begin(begin, wanted)
    head = await _head(begin, wanted)
    wanted.size = head.size
    yield header_line(
        ExportHeader(
            workspace=str(wanted.workspace_id),
            origin=origin_of(wanted.workspace_id),
            key=key,
            exported_at=begin.clock(),
            size=head.size,
            checkpoint=head.note,
        )
    )
    for first in range(0, head.size, PAGE):
        last = min(first + PAGE, head.size)
        async with begin.work() as work:
            lines = await _page(work, wanted, first, last)
        for each in lines:
            yield each
        wanted.done = last
    yield end_line(head.size)


async def _begin(begin: Transactions, wanted: LogExport) -> str:
    """Writes down that the log is exported; returns the key that checks it."""
    async with begin.work() as work:
        workspace = await workspace_by_id(work.db, wanted.workspace_id)
        subject, details = f"workspace:{workspace.key}", {"details": wanted.details}
        work.audit_subject(AuditEvent.AUDIT_EXPORTED, workspace.id, subject, wanted.actor, details)
        return await verifier_key(work, workspace.id)


async def _head(begin: Transactions, wanted: LogExport) -> AuditCheckpointRow:
    try:
        return await catch_up(begin, wanted.workspace_id)
    except TreeBroken as error:
        wanted.is_broken = True
        return error.head


async def _page(work: Work, wanted: LogExport, first: int, last: int) -> list[str]:
    """Events and the heads between them; a head stands behind the event that completes it."""
    rows = await leaves_page(work.db, wanted.workspace_id, first, last)
    if wanted.details:
        await opened(work.db, rows)
    notes = await checkpoints_over(work.db, wanted.workspace_id, first, last)
    return [line for each in rows for line in _lines(wanted, each, notes)]


def _lines(wanted: LogExport, row: AuditRow, notes: dict[int, str]) -> Sequence[str]:
    place = row.position or 0
    opening = _opening(wanted, row) if wanted.details else None
    event = event_line(place, leaf_of(row), row.leaf_hash or b"", opening)
    note = notes.get(place + 1)
    return [event] if note is None else [event, checkpoint_line(note)]


def _opening(wanted: LogExport, row: AuditRow) -> Opening | None:
    try:
        return opening_of(row)
    except Undecipherable:
        wanted.unreadable.append(row.position or 0)
        return None


def opening_of(row: AuditRow) -> Opening | None:
    """What a row's commitment was made of; None once it was erased. Raises `Undecipherable`."""
    return Opening(bytes.fromhex(row.salt), row.text) if row.salt else None
