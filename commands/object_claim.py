"""Whether the object store is this database's, and the database no older than it.

A database that is another one, or was restored from a backup, does not know the rows of files that
are there: it must not take them for orphans.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog

from adapters.object_notes import ObjectNotes
from commands.work import Transactions
from store.installation import InstallationRow, installation

log = structlog.get_logger()

MARK = "installation"


class Standing(StrEnum):
    """How a database and an object store stand to each other."""

    NEW = "new"
    OURS = "ours"
    UNMARKED = "unmarked"
    FOREIGN = "foreign"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose the store is, and until when every tombstone of that database lies in it."""

    installation_id: UUID
    seen_at: datetime

    def text(self) -> str:
        """As it lies in the store."""
        return json.dumps({"installation": str(self.installation_id), "seen_at": str(self.seen_at)})

    @classmethod
    def read(cls, text: str) -> "Mark":
        """The reverse; raises `ValueError`."""
        found = json.loads(text)
        return cls(UUID(found["installation"]), datetime.fromisoformat(found["seen_at"]))


async def mark_of(notes: ObjectNotes) -> Mark | None:
    """The store's mark, if it has one; raises `ObjectStoreAway`."""
    text = await notes.read(MARK)
    return Mark.read(text) if text else None


def standing_of(row: InstallationRow, mark: Mark | None) -> Standing:
    """What the two say of each other."""
    if mark is None:
        return Standing.NEW if row.seen_at is None else Standing.UNMARKED
    if mark.installation_id != row.id:
        return Standing.FOREIGN
    if row.seen_at is None or mark.seen_at > row.seen_at:
        return Standing.RESTORED
    return Standing.OURS


async def may_sweep(begin: Transactions, notes: ObjectNotes) -> bool:
    """Whether an object without a row is nobody's; raises `ObjectStoreAway`."""
    async with begin.work() as work:
        row = await installation(work.db)
    standing = standing_of(row, await mark_of(notes))
    if standing not in {Standing.NEW, Standing.OURS}:
        # Said again and again: `gatepass restored` is what is missing, or the address is wrong.
        log.error("object_store_not_swept", standing=standing)
        return False
    return row.orphans_kept_until is None or work.at >= row.orphans_kept_until


async def note_seen(begin: Transactions, notes: ObjectNotes, at: datetime) -> bool:
    """Notes that everything until `at` is known in the store; whether it is ours to note it in.

    Raises `ObjectStoreAway`.
    """
    async with begin.work() as work:
        row = await installation(work.db, lock=True)
        standing = standing_of(row, await mark_of(notes))
        if standing not in {Standing.NEW, Standing.OURS}:
            log.error("object_store_not_ours", standing=standing)
            return False
        row.seen_at = max(at, row.seen_at or at)
    await notes.write(MARK, Mark(row.id, row.seen_at).text())
    return True
