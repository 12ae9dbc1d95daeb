"""Rows whose personal contents are sealed: one encrypted column, opened where it is read (PS-28).

A row's sealed fields read and write like any other attribute. They lie in the column `sealed` as
one record under the key of the row's owner (a workspace, party or public session), bound to its
place, and are written when the session flushes. `unsealed` holds what a release without keys wrote,
until it is sealed too; from then on whatever is put there is refused like a broken record.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from sqlalchemy import LargeBinary, event
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Field, SQLModel

from store.columns import optional_json

KEYS = "keys"
"""Where a database session keeps what it seals and opens with."""
CONTENTS, KEY = "_contents", "_key"
T = TypeVar("T")
Row = TypeVar("Row", bound="SealedRow")


class OwnerKind:
    """Whose key a row is sealed with."""

    WORKSPACE = "workspace"
    PARTY = "party"
    PUBLIC_SESSION = "public_session"
    MEMBER = "member"
    AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Owner:
    """The workspace, party, public session, member or agreement whose key seals a row."""

    workspace_id: UUID
    subject_id: UUID
    kind: str


class Key(Protocol):
    """The data key of one owner."""

    def seal(self, place: tuple[str, str, str], clear: bytes) -> bytes | None:
        """A record bound to table, column and row; None once the key is destroyed."""

    def open(self, place: tuple[str, str, str], record: bytes) -> bytes | None:
        """The value of a record; None once the key is destroyed. Raises `Undecipherable`."""

    def blind(self, text: str) -> bytes:
        """What is searched for instead of a text: its keyed hash."""


class Keys(Protocol):
    """The data keys of an installation, as one process knows them."""

    reads_clear: bool

    def clear(self, contents: dict[str, Any]) -> dict[str, Any]:
        """What a release without keys wrote; raises `Undecipherable` if none of it can be left."""

    def known(self, subject_id: UUID) -> Key | None:
        """A key that needs no question to the database."""

    def load(self, db: Session, subjects: Collection[UUID]) -> None:
        """Reads the keys that exist of these owners."""

    def create(self, db: Session, owner: Owner) -> Key:
        """The key of an owner that has none yet."""


class SealedRow(SQLModel):
    """What every table with sealed fields has."""

    sealed: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    unsealed: dict[str, Any] | None = optional_json()

    def __init__(self, **fields: Any) -> None:
        contents = {name: fields.pop(name) for name in _sealed_names(type(self)) & fields.keys()}
        super().__init__(**fields)
        for name, value in contents.items():
            setattr(self, name, value)

    @property
    def owner(self) -> Owner:
        """Whose key seals this row."""
        raise NotImplementedError

    @property
    def place(self) -> tuple[str, str, str]:
        """What the record is bound to, besides its workspace: table, column and row."""
        return str(self.__tablename__), "sealed", self.row_name

    @property
    def row_name(self) -> str:
        """The row's primary key."""
        return str(cast("Any", self).id)

    def texts_to_find(self) -> Sequence[str]:
        """The texts this row is searched by; blinded in its column `words` if it has one."""
        return ()


def words_column() -> Any:
    """The blinded texts a row is found by."""
    return Field(default_factory=list, sa_type=ARRAY(LargeBinary), nullable=False)


@cache
def _sealed_names(kind: type) -> frozenset[str]:
    members = (each for place in kind.__mro__ for each in vars(place).items())
    return frozenset(name for name, found in members if isinstance(found, _SealedProperty))


class _SealedProperty(property):
    """A property by type: pydantic leaves properties alone and lets them be set."""


def sealed(name: str, default: T) -> T:
    """A field of a row's sealed contents. Its value must be JSON; it is replaced, never changed."""

    def read(row: SealedRow) -> Any:
        contents = _contents_of(row)
        return contents.values[name] if name in contents.values else deepcopy(default)

    def write(row: SealedRow, value: Any) -> None:
        contents = _contents_of(row)
        if name in contents.values and contents.values[name] == value:
            return
        if name not in contents.values and value == default:
            return
        contents.values[name] = value
        _mark(row, contents)

    return cast("T", _SealedProperty(read, write))


@dataclass(slots=True)
class _Contents:
    """The opened contents of a row, and the record they were read from."""

    values: dict[str, Any]
    record: bytes | None
    unsealed: dict[str, Any] | None
    changed: bool = False


def _contents_of(row: SealedRow) -> _Contents:
    known: _Contents | None = row.__dict__.get(CONTENTS)
    if known and (known.changed or (known.record is row.sealed and known.unsealed is row.unsealed)):
        return known
    found = _Contents(_values(row), row.sealed, row.unsealed)
    row.__dict__[CONTENTS] = found
    return found


def _values(row: SealedRow) -> dict[str, Any]:
    if row.sealed is None:
        return {} if row.unsealed is None else _keys_of(row).clear(row.unsealed)
    clear = _key_of(row).open(row.place, row.sealed)
    return {} if clear is None else cast("dict[str, Any]", json.loads(clear))


def _key_of(row: SealedRow) -> Key:
    session = object_session(row)
    found: Key | None = row.__dict__.get(KEY)
    if found is None and session is not None:
        found = session.info[KEYS].known(row.owner.subject_id)
    if found is None:
        raise LookupError(f"{row.__tablename__} {row.row_name} was read without its key")
    row.__dict__[KEY] = found
    return found


def _keys_of(row: SealedRow) -> Keys:
    session = object_session(row)
    found: Keys | None = session.info[KEYS] if session else row.__dict__.get(KEYS)
    if found is None:
        raise LookupError(f"{row.__tablename__} {row.row_name} was read without any keys")
    return found


def _mark(row: SealedRow, contents: _Contents) -> None:
    contents.changed = True
    if object_session(row) is not None:
        flag_modified(row, "sealed")


def seal_again(row: SealedRow) -> None:
    """Has the row written anew: what lies in clear is sealed."""
    _mark(row, _contents_of(row))


async def opened(db: AsyncSession, rows: Iterable[Row]) -> list[Row]:
    """The rows with the keys to read them by; those not known yet are read in one statement."""
    found = list(rows)
    await db.run_sync(_attach, found)
    return found


async def opened_one(db: AsyncSession, row: Row | None) -> Row | None:
    """The row, if there is one, with the key to read it by."""
    if row is not None:
        await opened(db, [row])
    return row


def _attach(db: Session, rows: Sequence[SealedRow]) -> None:
    keys: Keys = db.info[KEYS]
    missing = {each.owner.subject_id for each in rows if _needs_key(each, keys)}
    if missing:
        keys.load(db, missing)
    for row in rows:
        key = keys.known(row.owner.subject_id)
        if key is not None:
            row.__dict__[KEY] = key
        if row.unsealed is not None:
            row.__dict__[KEYS] = keys


def _needs_key(row: SealedRow, keys: Keys) -> bool:
    return row.sealed is not None and keys.known(row.owner.subject_id) is None


async def load_keys(db: AsyncSession, *subjects: UUID) -> None:
    """Reads the keys of these owners that are not known yet."""
    keys: Keys = db.info[KEYS]
    missing = {each for each in subjects if keys.known(each) is None}
    if missing:
        await db.run_sync(keys.load, missing)


def forget_rolled_back(db: Session, gone: Collection[Key]) -> None:
    """Has rows be read anew whose contents, or the keys they were sealed with, do not exist."""
    # Columns have expired by now: only the row's own dictionary may be looked into.
    for row in (each.__dict__ for each in db.identity_map.values()):
        if any(row.get(KEY) is each for each in gone):
            row.pop(KEY)
            row.pop(CONTENTS, None)
        elif CONTENTS in row and row[CONTENTS].changed:
            row.pop(CONTENTS)


async def key_of(db: AsyncSession, owner: Owner) -> Key:
    """The key of an owner: the one there is, or its first."""
    return await db.run_sync(_key_for, owner)


async def blinded(db: AsyncSession, workspace_id: UUID, texts: Sequence[str]) -> list[bytes]:
    """What a workspace's rows are searched by instead of these texts."""
    owner = Owner(workspace_id, workspace_id, OwnerKind.WORKSPACE)
    key = await key_of(db, owner)
    return [key.blind(each) for each in texts]


def _key_for(db: Session, owner: Owner) -> Key:
    keys: Keys = db.info[KEYS]
    if keys.known(owner.subject_id) is None:
        keys.load(db, {owner.subject_id})
    return keys.known(owner.subject_id) or keys.create(db, owner)


@event.listens_for(Session, "before_flush")
def _seal_changed(db: Session, *_: Any) -> None:
    for row in [*db.new, *db.dirty]:
        contents = row.__dict__.get(CONTENTS) if isinstance(row, SealedRow) else None
        if contents and contents.changed:
            _seal(db, cast("SealedRow", row), contents)


def _seal(db: Session, row: SealedRow, contents: _Contents) -> None:
    key = _key_for(db, row.owner)
    row.sealed = key.seal(row.place, json.dumps(contents.values, ensure_ascii=False).encode())
    row.unsealed = None
    row.__dict__[KEY] = key
    if hasattr(row, "words"):
        row.words = _words(db, row)
    contents.record, contents.unsealed, contents.changed = row.sealed, None, False


def _words(db: Session, row: SealedRow) -> list[bytes]:
    workspace = row.owner.workspace_id
    blind: Callable[[str], bytes] = _key_for(
        db, Owner(workspace, workspace, OwnerKind.WORKSPACE)
    ).blind
    return [blind(each) for each in row.texts_to_find()]
