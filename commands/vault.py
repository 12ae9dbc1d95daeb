"""The data keys as one process knows them: unwrapped once, then kept for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from adapters.aead import RecordKey, Undecipherable, new_key, new_number
from adapters.data_key import DataKey, bound_key, bound_workspace_key, wrapping
from adapters.keyring import Keyring
from store.data_key import DataKeyRow, add_data_key, data_keys
from store.sealed import KEYS, Owner, forget_rolled_back
from store.workspace_key import KeyState, WorkspaceKeyRow, primary_key_of

MOST_KEYS = 20_000
KEPT_FOR = 300.0
"""Seconds. An erased owner's rows are emptied with its key, so that this only bounds memory."""
PRIMARY_KEPT_FOR = 5.0
"""Seconds until a process that has not heard of a rotation asks again which key is primary."""


@dataclass(frozen=True, slots=True)
class _Kept:
    key: DataKey
    until: float


@dataclass(frozen=True, slots=True)
class _Primary:
    key: RecordKey
    until: float


class Vault:
    """Finds and unwraps keys; what it keeps was committed."""

    def __init__(self, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        """Takes the keyring that unwraps workspace keys, and the clock that dates new ones."""
        self._keyring = keyring
        self.clock = clock
        self._kept: OrderedDict[UUID, _Kept] = OrderedDict()
        self._workspace_keys: dict[tuple[UUID, int], RecordKey] = {}
        self._primaries: dict[UUID, _Primary] = {}

    @property
    def reads_clear(self) -> bool:
        """Whether rows of a release without keys may be left."""
        return self._keyring.reads_clear

    def known(self, subject_id: UUID) -> DataKey | None:
        """A key that needs no question to the database."""
        found = self._kept.get(subject_id)
        if found is None or found.until < time.monotonic():
            return None
        self._kept.move_to_end(subject_id)
        return found.key

    def forget(self, subject_id: UUID) -> None:
        """The owner was erased."""
        self._kept.pop(subject_id, None)

    def read(self, db: Session, subjects: Collection[UUID]) -> list[DataKey]:
        """The keys that exist of these owners, read in one statement."""
        return [self._unwrapped(row, key) for row, key in data_keys(db, subjects)]

    def keep(self, key: DataKey) -> None:
        """Remembers a key that lies in the database."""
        self._kept[key.subject_id] = _Kept(key, time.monotonic() + KEPT_FOR)
        if len(self._kept) > MOST_KEYS:
            self._kept.popitem(last=False)

    def _unwrapped(self, row: DataKeyRow, workspace_key: WorkspaceKeyRow) -> DataKey:
        if row.wrapped is None:
            return DataKey(row.workspace_id, row.subject_id, row.number, None)
        bound = bound_key(row.workspace_id, row.subject_id, row.number)
        clear = self.workspace_key(workspace_key).open(row.wrapped, bound)
        return DataKey(row.workspace_id, row.subject_id, row.number, clear)

    def workspace_key(self, row: WorkspaceKeyRow) -> RecordKey:
        """One version of a workspace's key; raises `Undecipherable` once it is destroyed."""
        place = row.workspace_id, row.version
        if place not in self._workspace_keys:
            clear = self._keyring.unwrap(row.wrapped or b"", bound_workspace_key(*place))
            self._workspace_keys[place] = wrapping(row.version, clear)
        return self._workspace_keys[place]

    def primary(self, db: Session, workspace_id: UUID) -> RecordKey:
        """The key that wraps a workspace's new data keys; raises `LookupError` without one."""
        known = self._primaries.get(workspace_id)
        if known and known.until > time.monotonic():
            return known.key
        row = primary_key_of(db, workspace_id)
        if row is None:
            raise LookupError(f"workspace {workspace_id} has no key")
        key = self.workspace_key(row)
        self._primaries[workspace_id] = _Primary(key, time.monotonic() + PRIMARY_KEPT_FOR)
        return key

    def forget_primary(self, workspace_id: UUID) -> None:
        """The workspace's key may have been rotated."""
        self._primaries.pop(workspace_id, None)

    def new_workspace_key(self, workspace_id: UUID, version: int) -> WorkspaceKeyRow:
        """A new version of a workspace's key, wrapped by the newest epoch every process has."""
        wrapped = self._keyring.wrap(new_key(), bound_workspace_key(workspace_id, version))
        return WorkspaceKeyRow(
            workspace_id=workspace_id,
            version=version,
            epoch=self._keyring.epoch,
            state=KeyState.PRIMARY,
            wrapped=wrapped,
            created_at=self.clock(),
            # Of the first version there is nothing before that it would have to take over.
            rewrapped_at=self.clock() if version == 1 else None,
        )


class TransactionKeys:
    """The vault as one transaction sees it: with the keys that it created itself.

    They become the process's after the commit, and are forgotten by a rollback of what created
    them, to a savepoint too: nothing may ever be sealed with a key that was not written down.
    """

    def __init__(self, vault: Vault) -> None:
        """Takes the process's vault."""
        self._vault = vault
        # As it is when the transaction begins: what it reads may be sealed in the middle.
        self.reads_clear = vault.reads_clear
        self._found: dict[UUID, DataKey] = {}
        self._seen: dict[UUID, DataKey] = {}
        self._created_in: dict[UUID, SessionTransaction | None] = {}

    def known(self, subject_id: UUID) -> DataKey | None:
        """A key that needs no question to the database."""
        found = self._found.get(subject_id) or self._seen.get(subject_id)
        if found is None and (found := self._vault.known(subject_id)):
            # Kept until the transaction ends: the vault may forget it in the middle.
            self._seen[subject_id] = found
        return found

    def clear(self, contents: dict[str, Any]) -> dict[str, Any]:
        """What a release without keys wrote; raises `Undecipherable` if none of it can be left."""
        if not self.reads_clear:
            raise Undecipherable
        return dict(contents)

    def load(self, db: Session, subjects: Collection[UUID]) -> None:
        """Reads the keys that exist of these owners, in one statement."""
        self._found |= {each.subject_id: each for each in self._vault.read(db, subjects)}

    def create(self, db: Session, owner: Owner) -> DataKey:
        """The first key of an owner, wrapped by its workspace's primary key."""
        made = DataKey(owner.workspace_id, owner.subject_id, new_number(), new_key())
        while owner.subject_id not in self._found:
            if add_data_key(db, self._wrapped(db, owner, made)):
                self._found[owner.subject_id] = made
                self._created_in[owner.subject_id] = _innermost(db)
            else:
                # Another transaction made the owner's key, or another version is primary by now.
                self.load(db, {owner.subject_id})
                self._vault.forget_primary(owner.workspace_id)
        return self._found[owner.subject_id]

    def _wrapped(self, db: Session, owner: Owner, made: DataKey) -> dict[str, Any]:
        primary = self._vault.primary(db, owner.workspace_id)
        bound = bound_key(owner.workspace_id, owner.subject_id, made.number)
        return {
            "subject_id": owner.subject_id,
            "workspace_id": owner.workspace_id,
            "kind": owner.kind,
            "number": made.number,
            "workspace_key_version": primary.number,
            "wrapped": primary.seal(made.key or b"", bound),
            "created_at": self._vault.clock(),
        }

    def committed(self) -> None:
        """What was created or read is the process's from now on."""
        for each in self._found.values():
            self._vault.keep(each)

    def rolled_back(self, db: Session, ended: SessionTransaction) -> None:
        """What was created within `ended` does not exist, nor may a row be read with it."""
        gone = [each for each, origin in self._created_in.items() if _is_within(origin, ended)]
        forget_rolled_back(db, [self._found.pop(each) for each in gone])
        for each in gone:
            del self._created_in[each]


def _innermost(db: Session) -> SessionTransaction | None:
    return db.get_nested_transaction() or db.get_transaction()


def _is_within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None and inner is not outer:
        inner = inner.parent
    return inner is outer


@event.listens_for(Session, "after_soft_rollback")
def _forget_created(db: Session, ended: SessionTransaction) -> None:
    keys = db.info.get(KEYS)
    if isinstance(keys, TransactionKeys):
        keys.rolled_back(db, ended)
