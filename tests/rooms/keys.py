"""Houses whose keyring is read from a root key file, as processes read it."""

import base64
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel, select

from adapters.aead import RecordKey, Undecipherable
from adapters.data_key import DataKey, bound_key, bound_workspace_key, wrapping
from adapters.keyring import Keyring, open_keyring
from adapters.root_key import RootKeyFile
from commands.installation import Installation
from commands.rotation import rotate
from commands.work import Transactions, utc_now
from commands.workspace import CreateWorkspace, create_workspace
from domain.settings import Settings
from store import database
from store.data_key import DataKeyRow
from store.sealed import SealedRow
from store.workspace_key import WorkspaceKeyRow
from tests.rooms.house import KEYRING, DiesAfterCommit, House

_numbers = count(1)
ROOT = KEYRING.roots[1]


def root_lines(roots: Mapping[int, bytes]) -> str:
    """The lines of a root key file."""
    return "".join(f"{each} {base64.b64encode(key).decode()}\n" for each, key in roots.items())


def root_file(folder: Path, **more: bytes) -> RootKeyFile:
    """A root key file whose first version is the one of every house; `v2=…` are others."""
    path = folder / "root.key"
    path.write_text(root_lines({1: ROOT} | {int(each[1:]): key for each, key in more.items()}))
    path.chmod(0o400)
    return RootKeyFile(path)


@dataclass(slots=True)
class Process:
    """One process's view: its own keyring, vault and connections."""

    house: House
    installation: Installation
    keyring: Keyring

    @property
    def begin(self) -> Transactions:
        """Its transactions."""
        return self.house.transactions


@asynccontextmanager
async def process(
    url: str,
    source: RootKeyFile,
    like: House | None = None,
    workspace_id: UUID | None = None,
    **settings: Any,
) -> AsyncIterator[Process]:
    """A process on a database, started now, for a workspace: another house's, or a new one."""
    chosen = replace(
        Settings(), database_url=url, root_key_file=str(source.path), database_pool=30, **settings
    )
    engine, keyring = database.connect(chosen), open_keyring(chosen)
    clock: Any = like.clock if like else utc_now
    begin = Transactions(engine, chosen, keyring, DiesAfterCommit(), clock)
    house = House(engine, begin, clock)
    installation = Installation(engine, keyring, clock)
    try:
        await installation.open()
        known = like.workspace_id if like else workspace_id
        house.workspace_id = known or await _workspace(house)
        yield Process(house, installation, keyring)
    finally:
        await engine.dispose()


async def _workspace(house: House) -> Any:
    wanted = CreateWorkspace(f"keyed-{next(_numbers)}", "Keyed Ltd", "help@keyed.example")
    async with house.transactions.work() as work:
        return (await create_workspace(work, wanted)).id


async def rotated(one: Process, workspace_id: UUID | None = None) -> list[str]:
    """Rotates to the end; what was told of it."""
    return [each.what async for each in rotate(one.begin, one.installation, workspace_id)]


@dataclass(frozen=True, slots=True)
class Backup:
    """Copies of every key and sealed record of a database, as a dump has them."""

    workspace_keys: Sequence[WorkspaceKeyRow]
    data_keys: Sequence[DataKeyRow]
    records: Sequence[tuple[UUID, tuple[str, str, str], bytes]]


async def backup_of(house: House) -> Backup:
    """What somebody who copied the database now would have of it."""
    async with house.transactions.work() as work:
        records = []
        for table in sealed_tables():
            found: Any = select(table)
            rows = (await work.db.scalars(found)).all()
            records += [
                (each.owner.subject_id, each.place, each.sealed) for each in rows if each.sealed
            ]
        return Backup(
            (await work.db.scalars(select(WorkspaceKeyRow))).all(),
            (await work.db.scalars(select(DataKeyRow))).all(),
            records,
        )


def sealed_tables() -> list[type[SealedRow]]:
    """Every table with sealed fields."""
    kinds = (mapper.class_ for mapper in SQLModel._sa_registry.mappers)
    return [each for each in kinds if issubclass(each, SealedRow)]


def opened_with(keyring: Keyring, *copies: Backup) -> dict[UUID, int]:
    """How many records of each owner somebody opens who has these copies and every root key left.

    Every key is tried on whatever any copy holds, whichever copy it is from.
    """
    workspace_keys = [
        found
        for copy in copies
        for each in copy.workspace_keys
        if each.wrapped and (found := _opened_workspace_key(keyring, each))
    ]
    data_keys: dict[UUID, set[DataKey]] = defaultdict(set)
    for copy in copies:
        for each in copy.data_keys:
            tried = [_opened_data_key(wrapper, each) for wrapper in workspace_keys if each.wrapped]
            data_keys[each.subject_id] |= {key for key in tried if key}
    opens: Counter[UUID] = Counter()
    for copy in copies:
        for subject, place, record in copy.records:
            opens[subject] += any(_opens(each, place, record) for each in data_keys[subject])
    return opens


def _opened_workspace_key(keyring: Keyring, row: WorkspaceKeyRow) -> RecordKey | None:
    with suppress(Undecipherable):
        bound = bound_workspace_key(row.workspace_id, row.version)
        return wrapping(row.version, keyring.unwrap(row.wrapped or b"", bound))
    return None


def _opened_data_key(wrapper: RecordKey, row: DataKeyRow) -> DataKey | None:
    with suppress(Undecipherable):
        bound = bound_key(row.workspace_id, row.subject_id, row.number)
        clear = wrapper.open(row.wrapped or b"", bound)
        return DataKey(row.workspace_id, row.subject_id, row.number, clear)
    return None


def _opens(key: DataKey, place: tuple[str, str, str], record: bytes) -> bool:
    with suppress(Undecipherable):
        return key.open(place, record) is not None
    return False
