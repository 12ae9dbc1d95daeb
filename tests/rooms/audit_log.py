"""The audit's log as a test reads it: straight from its table, its tree computed naively."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from sqlmodel import col, select

from adapters.checkpoint import Checkpoint, read_checkpoint
from commands.audit_export import LogExport, export_log
from commands.audit_tree import verifier_key
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from store.audit import AuditRow
from store.audit_checkpoint import AuditCheckpointRow
from store.audit_tree import leaf_of
from tests.rooms.house import House

SOMEBODY = Actor(ActorKind.TOKEN, "t1", "Anna's token")


async def write(house: House, count: int = 1, event: AuditEvent = AuditEvent.FORM_SAVED) -> None:
    """Some events in one transaction."""
    async with house.transactions.work() as work:
        for number in range(count):
            work.audit_subject(event, house.workspace_id, f"form:{number}", SOMEBODY, {"n": number})


async def numbered(house: House) -> list[AuditRow]:
    """The events that have a place, in their order."""
    async with house.transactions.work() as work:
        found = select(AuditRow).where(
            AuditRow.workspace_id == house.workspace_id, col(AuditRow.position).is_not(None)
        )
        return list((await work.db.scalars(found.order_by(col(AuditRow.position)))).all())


async def key_of(house: House) -> str:
    """The public key of the workspace's log."""
    async with house.transactions.work() as work:
        return await verifier_key(work, house.workspace_id)


async def heads(house: House) -> list[Checkpoint]:
    """Every signed head, its signature checked, smallest first."""
    key = await key_of(house)
    async with house.transactions.work() as work:
        found = select(AuditCheckpointRow.note).where(
            AuditCheckpointRow.workspace_id == house.workspace_id
        )
        notes = await work.db.scalars(found.order_by(col(AuditCheckpointRow.size)))
        return [read_checkpoint(each, key) for each in notes.all()]


async def assert_whole(house: House) -> int:
    """No gap, no fork: places from 0 on, every head is the naive root; returns how many."""
    rows = await numbered(house)
    assert [each.position for each in rows] == list(range(len(rows)))
    hashes = [hashlib.sha256(b"\x00" + leaf_of(each).canonical()).digest() for each in rows]
    assert [each.leaf_hash for each in rows] == hashes
    for head in await heads(house):
        assert head.root == naive_root(hashes[: head.size]), f"the head over {head.size}"
    return len(rows)


def naive_root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    middle = 1 << ((len(hashes) - 1).bit_length() - 1)
    both = naive_root(hashes[:middle]) + naive_root(hashes[middle:])
    return hashlib.sha256(b"\x01" + both).digest()


async def exported(house: House, path: Path, *, details: bool = True) -> LogExport:
    """The workspace's log in a file."""
    wanted = LogExport(house.workspace_id, SOMEBODY, details=details)
    lines = [each async for each in export_log(house.transactions, wanted)]
    await asyncio.to_thread(path.write_text, "".join(lines), "utf-8")
    return wanted
