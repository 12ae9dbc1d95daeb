"""What the keyring consists of, and the end of an epoch: its root key is destroyed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from commands.clear_text import ClearTextRecord, clear_text_record
from commands.installation import READ_EVERY
from commands.rotation import begun_epochs
from commands.work import Work
from domain.actor import OPERATOR
from domain.audit import AuditEvent
from domain.errors import EpochInUse
from store.installation_key import InstallationKeyRow, installation_keys, lock_installation_keys
from store.rotation import KeyCount, count_keys, destroy_keys_of, lock_epoch
from store.unsealed import count_unsealed
from store.workspace_key import KeyState


class EpochRefused(Exception):
    """An epoch cannot be destroyed (yet); the text says why."""


class EpochState(StrEnum):
    """What an epoch is good for; one that is not begun lies in the root key alone."""

    NOT_BEGUN = "not begun"
    NEWEST = "newest"
    KEPT = "kept"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One version of the root key: how many keys it wraps, and when it may be destroyed."""

    number: int
    state: EpochState
    began_at: datetime | None
    workspace_keys: int
    installation_keys: int
    keys_in_use: int
    destroyable_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyringStatus:
    """The epochs, what each workspace's versions still wrap, and what lies in clear.

    `clear_text` is where an older release's contents are left; rows beyond that were planted.
    """

    epochs: Sequence[Epoch]
    counts: Sequence[KeyCount]
    unsealed: dict[str, int]
    clear_text: ClearTextRecord | None


async def status(work: Work) -> KeyringStatus:
    """What the keyring looks like; raises `KeyFileError`."""
    work.keyring.look_again()
    counts = await work.db.run_sync(count_keys)
    rows = await installation_keys(work.db)
    numbers = sorted({*begun_epochs(rows), *work.keyring.roots})
    epochs = [_epoch(work, each, counts, rows) for each in numbers]
    clear_text = await clear_text_record(work.db, work.keyring)
    return KeyringStatus(epochs, counts, await count_unsealed(work.db), clear_text)


def _epoch(
    work: Work, number: int, counts: Sequence[KeyCount], rows: Sequence[InstallationKeyRow]
) -> Epoch:
    begun = begun_epochs(rows)
    living = [each for each in counts if each.state != KeyState.DESTROYED]
    state = _state(work, number, begun)
    return Epoch(
        number=number,
        state=state,
        began_at=begun[number].created_at if number in begun else None,
        workspace_keys=sum(each.epoch == number for each in living),
        installation_keys=sum(each.epoch == number for each in rows),
        keys_in_use=keys_in_use(number, counts, rows),
        destroyable_at=_destroyable_at(work, number, begun) if state == EpochState.KEPT else None,
    )


def _state(work: Work, number: int, begun: dict[int, InstallationKeyRow]) -> EpochState:
    if number not in begun:
        return EpochState.NOT_BEGUN
    if number not in work.keyring.roots:
        return EpochState.DESTROYED
    return EpochState.NEWEST if number == max(begun) else EpochState.KEPT


def keys_in_use(epoch: int, counts: Sequence[KeyCount], rows: Sequence[InstallationKeyRow]) -> int:
    """How many keys that are needed an epoch wraps, at once or through a workspace's key."""
    primaries = sum(each.state == KeyState.PRIMARY for each in counts if each.epoch == epoch)
    data_keys = sum(each.data_keys for each in counts if each.epoch == epoch)
    return primaries + data_keys + sum(each.epoch == epoch for each in rows)


async def destroy_epoch(work: Work, epoch: int, *, early: bool = False) -> int:
    """Destroys a version of the root key for good, and the workspace keys it wrapped.

    From then on no backup gives back what was erased while it was the newest; nor can anything be
    read from a backup of that time. Raises `EpochInUse` while anything still needs it,
    `EpochRefused` before its time unless it is destroyed `early`, or `KeyFileError`.
    """
    counts = await refuse_destruction(work, epoch, early=early)
    destroyed = await work.db.run_sync(destroy_keys_of, epoch, work.at)
    concerned = {each.workspace_id: each.workspace for each in counts if each.epoch == epoch}
    for workspace_id, key in concerned.items():
        subject = f"workspace:{key}"
        event = AuditEvent.KEY_EPOCH_DESTROYED
        work.audit_subject(event, workspace_id, subject, OPERATOR, {"epoch": epoch})
    await work.db.flush()
    if epoch in work.keyring.roots and work.keyring.source is not None:
        work.keyring.source.remove(epoch)
    return destroyed


async def refuse_destruction(work: Work, epoch: int, *, early: bool = False) -> Sequence[KeyCount]:
    """Raises what `destroy_epoch` would; from here to the commit nobody can begin to need it."""
    await lock_installation_keys(work.db)
    work.keyring.look_again()
    await work.db.run_sync(lock_epoch, epoch)
    rows = await installation_keys(work.db)
    counts = await work.db.run_sync(count_keys)
    begun = begun_epochs(rows)
    if epoch not in begun:
        raise EpochRefused(f"There is no epoch {epoch}; `gatepass keyring status` lists them.")
    if epoch == max(begun):
        raise EpochRefused(f"Epoch {epoch} is the newest; run `gatepass keyring rotate` first.")
    if left := keys_in_use(epoch, counts, rows):
        raise EpochInUse(epoch, left)
    from_at = _destroyable_at(work, epoch, begun, early=early)
    if work.at < from_at:
        raise EpochRefused(
            f"Epoch {epoch} may be destroyed from {from_at:%Y-%m-%d %H:%M:%S} UTC on: backups of "
            "its time can be read with it alone."
        )
    return counts


def _destroyable_at(
    work: Work, epoch: int, begun: dict[int, InstallationKeyRow], *, early: bool = False
) -> datetime:
    following = begun[min(each for each in begun if each > epoch)]
    if early:
        # A process that has not heard of the following one may still make something by this one.
        return following.active_at + timedelta(seconds=READ_EVERY)
    return following.created_at + work.settings.key_epoch_kept_for
