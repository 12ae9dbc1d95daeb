"""Rotates keys while everything goes on working; stopped anywhere, it resumes.

A rotation makes a new version of the root key (an epoch) and of each workspace's key, and wraps the
data keys anew, which are 61 bytes each; contents stay as they are. What the old epoch wrapped still
opens until the epoch is destroyed, which is what makes erasures final in backups too.

What is left to do is read from the keys themselves: nothing else remembers how far a rotation got.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from adapters.data_key import bound_key
from adapters.keyring import Keyring
from adapters.root_key import KeyFileError
from commands.clear_text import carry_clear_text
from commands.installation import (
    HEARD_AFTER,
    READ_EVERY,
    Installation,
    bound_installation_key,
    derivation_row,
    temporal_row,
)
from commands.progress import Progress
from commands.work import Transactions, Work
from domain.actor import OPERATOR
from domain.audit import AuditEvent
from store.database import is_away
from store.installation_key import (
    InstallationKeyKind,
    InstallationKeyRow,
    installation_keys,
    lock_installation_keys,
)
from store.rotation import (
    KeyCount,
    count_keys,
    count_outdated,
    every_workspace,
    lock_primary,
    outdated_data_keys,
    wait_for_writers,
)
from store.workspace import workspace_by_id
from store.workspace_key import KeyState, WorkspaceKeyRow

BATCH = 200
AT_LEISURE = timedelta(minutes=2)
"""A key service may take its time over a new version."""
PAUSE = 0.5
"""Seconds until it is asked again whether all transactions from before have ended."""


async def begin_epoch(work: Work) -> int:
    """Makes a new version of the root key the newest one; a version added by hand is taken first.

    Keys of the installation are wrapped by it at once; new secrets are derived from it, new
    payloads and workspace keys sealed by it, once every process has heard. Raises `KeyFileError`.
    """
    await lock_installation_keys(work.db)
    rows = await installation_keys(work.db)
    epoch = _new_version(work.keyring, begun_epochs(rows))
    await carry_clear_text(work, epoch)
    for row in rows:
        bound = bound_installation_key(row.kind, row.number)
        row.wrapped = work.keyring.wrap(work.keyring.unwrap(row.wrapped, bound), bound, epoch)
        row.epoch = epoch
    active_at = work.at + HEARD_AFTER
    work.db.add(derivation_row(work.keyring, epoch, work.at, active_at))
    work.db.add(temporal_row(work.keyring, work.at, active_at))
    return epoch


def begun_epochs(rows: Sequence[InstallationKeyRow]) -> dict[int, InstallationKeyRow]:
    """The epochs that were begun, by number, oldest first."""
    derivations = [each for each in rows if each.kind == InstallationKeyKind.DERIVATION]
    return {each.number: each for each in sorted(derivations, key=lambda row: row.number)}


def _new_version(keyring: Keyring, begun: dict[int, InstallationKeyRow]) -> int:
    keyring.look_again()
    if max(begun) not in keyring.roots:
        raise KeyFileError(f"Version {max(begun)} of the root key is missing here")
    if keyring.newest in begun and keyring.source is not None:
        keyring.source.add(keyring.newest + 1)
        keyring.look_again()
    return keyring.newest


async def rotate(
    begin: Transactions, installation: Installation, workspace_id: UUID | None = None
) -> AsyncGenerator[Progress]:
    """Rotates one workspace's key, or begins an epoch and rotates all; goes on where it stopped.

    Ends once nothing is wrapped by an older version any more.
    """
    if workspace_id is None and not await _unfinished(begin):
        async with begin.work(within=AT_LEISURE) as work:
            epoch = await begin_epoch(work)
        yield Progress(f"epoch {epoch} begun", 1, 1)
    async for waiting in _until_heard(begin, installation):
        yield waiting
    for each in await _to_rotate(begin, workspace_id):
        async with begin.work() as work:
            await rotate_workspace(work, each)
    for each in await _to_rewrap(begin, workspace_id):
        async for progress in rewrap(begin, each):
            yield progress


async def _unfinished(begin: Transactions) -> bool:
    """Whether an epoch was begun and its rotation stopped somewhere."""
    async with begin.work() as work:
        begun = begun_epochs(await installation_keys(work.db))
        counts = await work.db.run_sync(count_keys)
    return any(
        each.epoch < max(begun)
        or (not each.is_rewrapped and each.epoch != _epoch_before(each, counts))
        for each in counts
        if each.state == KeyState.PRIMARY
    )


def _epoch_before(count: KeyCount, counts: Sequence[KeyCount]) -> int:
    """The epoch of the version before: the same one if the workspace alone was rotated."""
    return next(
        each.epoch
        for each in counts
        if (each.workspace_id, each.version) == (count.workspace_id, count.version - 1)
    )


async def _until_heard(begin: Transactions, installation: Installation) -> AsyncGenerator[Progress]:
    """Waits until every process that runs knows the newest epoch: then keys may depend on it."""
    while (left := await _seconds_to_hear(begin)) > 0:
        whole = HEARD_AFTER.total_seconds() + READ_EVERY
        yield Progress("waiting until every process has heard", int(whole - left), int(whole))
        await asyncio.sleep(min(1, left))
    await installation.read_again()


async def _seconds_to_hear(begin: Transactions) -> float:
    async with begin.work() as work:
        rows = await installation_keys(work.db)
    used_at = max(each.active_at for each in rows) + timedelta(seconds=READ_EVERY)
    return (used_at - begin.clock()).total_seconds()


async def _to_rotate(begin: Transactions, workspace_id: UUID | None) -> list[UUID]:
    """The workspaces that need a new version: all of an older epoch, or the one unless it began."""
    async with begin.work() as work:
        counts = await work.db.run_sync(count_keys)
    primaries = [each for each in counts if each.state == KeyState.PRIMARY]
    if workspace_id is not None:
        return [
            each.workspace_id
            for each in primaries
            if each.workspace_id == workspace_id and each.is_rewrapped
        ]
    return [each.workspace_id for each in primaries if each.epoch < begin.keyring.epoch]


async def _to_rewrap(begin: Transactions, workspace_id: UUID | None) -> Sequence[UUID]:
    async with begin.work() as work:
        return [workspace_id] if workspace_id else await every_workspace(work.db)


async def rotate_workspace(work: Work, workspace_id: UUID) -> int:
    """A new version of a workspace's key, wrapped by the present epoch; returns the version."""
    before = await work.db.run_sync(lock_primary, workspace_id)
    before.state = KeyState.DECRYPT
    await work.db.flush()
    row = work.vault.new_workspace_key(workspace_id, before.version + 1)
    work.db.add(row)
    await _audit_rotation(work, row)
    return row.version


async def rewrap(begin: Transactions, workspace_id: UUID) -> AsyncGenerator[Progress]:
    """Wraps a workspace's data keys by its primary version, batch by batch, until all are."""
    async with begin.work() as work:
        primary = await work.db.run_sync(lock_primary, workspace_id)
        total = await work.db.run_sync(count_outdated, primary)
        name = (await workspace_by_id(work.db, workspace_id)).key
    if primary.rewrapped_at is not None:
        return
    done, is_done = 0, False
    while not is_done:
        some = await _rewrap_batch(begin, workspace_id)
        done += some
        yield Progress(f"data keys of {name}", done, max(total, done))
        is_done = not some and await _finish(begin, workspace_id)
        if not some and not is_done:
            await asyncio.sleep(PAUSE)


async def _rewrap_batch(begin: Transactions, workspace_id: UUID) -> int:
    async with begin.work() as work:
        return await work.db.run_sync(_rewrap_some, work, workspace_id)


def _rewrap_some(db: Session, work: Work, workspace_id: UUID) -> int:
    primary_row = lock_primary(db, workspace_id)
    primary = work.vault.workspace_key(primary_row)
    found = outdated_data_keys(db, primary_row, BATCH)
    for row, wrapper in found:
        bound = bound_key(workspace_id, row.subject_id, row.number)
        clear = work.vault.workspace_key(wrapper).open(row.wrapped or b"", bound)
        row.wrapped = primary.seal(clear, bound)
        row.workspace_key_version = primary_row.version
    return len(found)


async def _finish(begin: Transactions, workspace_id: UUID) -> bool:
    """Whether nothing is wrapped by an older version, nor will be: then it is written down."""
    try:
        async with begin.work() as work:
            return await work.db.run_sync(_note_rewrapped, work, workspace_id)
    except DBAPIError as error:
        # A transaction from before the rotation goes on.
        if not is_away(error):
            raise
        return False


def _note_rewrapped(db: Session, work: Work, workspace_id: UUID) -> bool:
    primary = lock_primary(db, workspace_id)
    wait_for_writers(db, primary)
    if count_outdated(db, primary):
        return False
    primary.rewrapped_at = work.at
    return True


async def _audit_rotation(work: Work, row: WorkspaceKeyRow) -> None:
    workspace = await workspace_by_id(work.db, row.workspace_id)
    work.audit_subject(
        AuditEvent.KEY_ROTATED,
        workspace.id,
        f"workspace:{workspace.key}",
        OPERATOR,
        {"version": row.version, "epoch": row.epoch},
    )
