"""What a release without keys left in clear: its rows are read as long as this record says so.

Whoever can write to the database could otherwise put clear contents into any row. The record is
sealed by the newest epoch, so that nobody without the root key makes one; it is made once, when an
older release's tables are met by the first process with keys. A fresh installation never has one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from adapters.aead import Undecipherable, associated, number_of
from adapters.keyring import Keyring
from commands.work import Transactions, Work
from store.installation_key import (
    InstallationKeyKind,
    InstallationKeyRow,
    clear_text_row,
    installation_keys,
    lock_installation_keys,
)
from store.unsealed import has_unsealed
from store.workspace_key import has_workspace_keys

BOUND_TO = associated("clear-text")


class ClearText(StrEnum):
    """Where clear text is left: `in rows → in files → rewritten`."""

    IN_ROWS = "in rows"
    IN_FILES = "in files"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class ClearTextRecord:
    """Where clear text is left, and since when."""

    left: ClearText
    since: datetime


async def first_record(db: AsyncSession, keyring: Keyring, at: datetime) -> bool:
    """Makes the record where an older release left rows and nothing was ever sealed."""
    if await has_workspace_keys(db) or not await has_unsealed(db):
        return False
    row = InstallationKeyRow(
        kind=InstallationKeyKind.CLEAR_TEXT, number=0, epoch=0, wrapped=b"", created_at=at
    )
    _write(keyring, row, ClearTextRecord(ClearText.IN_ROWS, at), keyring.newest)
    db.add(row)
    return True


async def clear_text_record(db: AsyncSession, keyring: Keyring) -> ClearTextRecord | None:
    """What the record says; None without one, or if it is not of the newest epoch."""
    newest = max((each.epoch for each in await installation_keys(db)), default=0)
    # Read after the keys: what a rotation commits between the two is newer, not older.
    row = await clear_text_row(db)
    return _opened(keyring, row, newest) if row else None


def _opened(keyring: Keyring, row: InstallationKeyRow, newest: int) -> ClearTextRecord | None:
    try:
        epoch = number_of(row.wrapped)
        # An old copy, put back, is of an older epoch. The root key is not asked for an unknown one.
        if epoch < newest or epoch not in keyring.roots:
            return None
        left = ClearText(keyring.unwrap(row.wrapped, BOUND_TO).decode())
    except Undecipherable:
        return None
    return ClearTextRecord(left, row.active_at)


def _write(keyring: Keyring, row: InstallationKeyRow, what: ClearTextRecord, epoch: int) -> None:
    row.wrapped, row.epoch = keyring.wrap(what.left.encode(), BOUND_TO, epoch), epoch
    row.active_at = what.since


async def carry_clear_text(work: Work, epoch: int) -> None:
    """Seals the record by a new epoch, before the keys are; one that is not ours is removed."""
    row, record = await clear_text_row(work.db), await clear_text_record(work.db, work.keyring)
    if row is None:
        return
    if record is None:
        await work.db.delete(row)
    else:
        _write(work.keyring, row, record, epoch)


async def note_rows_sealed(begin: Transactions) -> None:
    """Writes down that no row lies in clear: none in clear is read from now on."""
    await _note(begin, ClearText.IN_ROWS, ClearText.IN_FILES)


async def note_rewritten(begin: Transactions) -> None:
    """Writes down that the tables' files hold no clear copies."""
    await _note(begin, ClearText.IN_FILES, ClearText.REWRITTEN)


async def _note(begin: Transactions, before: ClearText, after: ClearText) -> None:
    async with begin.work() as work:
        await lock_installation_keys(work.db)
        row, record = await clear_text_row(work.db), await clear_text_record(work.db, work.keyring)
        if row is not None and record is not None and record.left == before:
            changed = ClearTextRecord(after, work.at)
            _write(work.keyring, row, changed, number_of(row.wrapped))
