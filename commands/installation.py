"""The installation's keys: made at the first start, read by every process, read again by the hour.

A process that meets a key it does not know reads them anew; a new key is used for new things only
once every process has had the time to hear of it. Until they are read nothing can be served: what
an older or another root key would make is of no use to anybody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col, select

from adapters.aead import RecordKey, Undecipherable, associated, new_key, new_number
from adapters.keyring import Keyring
from adapters.root_key import KeyFileError
from commands.clear_text import ClearText, clear_text_record, first_record
from commands.vault import Vault
from store.database import is_away
from store.installation_key import (
    InstallationKeyKind,
    InstallationKeyRow,
    installation_keys,
    lock_installation_keys,
)
from store.workspace import WorkspaceRow
from store.workspace_key import WorkspaceKeyRow

log = structlog.get_logger()

RETRY_EVERY = 0.5
REFUSED_RETRY_EVERY = 5.0
READ_EVERY = 5.0
"""Seconds between two readings of the keys by one process."""
HEARD_AFTER = timedelta(seconds=15)
"""A new key is used from this long after it was made: by then every process knows it."""


class Installation:
    """The installation's keys as one process knows them; hands Temporal's codec its keys."""

    def __init__(
        self, engine: AsyncEngine, keyring: Keyring, clock: Callable[[], datetime]
    ) -> None:
        """Takes the database, the keyring to fill and the clock that says which keys are active."""
        self._engine = engine
        self._keyring = keyring
        self._clock = clock
        self._vault = Vault(keyring, clock)
        keyring.is_ready = False

    async def open(self) -> None:
        """Reads the keys, or makes the first: an installation's, and those of older workspaces.

        Raises `KeyFileError` for a root key that is not this database's, or not whole.
        """
        async with AsyncSession(self._engine) as db:
            await lock_installation_keys(db)
            if not await installation_keys(db):
                await self._make_first(db)
                await db.flush()
            rows = await installation_keys(db)
            for each in rows:
                self._check(each)
            self._learn(rows)
            await self._learn_what_is_clear(db)
            for workspace_id in await _workspaces_without_key(db):
                db.add(self._vault.new_workspace_key(workspace_id, 1))
            await db.commit()
        self._keyring.is_ready = True

    async def _make_first(self, db: AsyncSession) -> None:
        at = self._clock()
        if await first_record(db, self._keyring, at):
            log.warning("clear_rows_are_read")
        db.add_all(derivation_row(self._keyring, each, at, at) for each in self._keyring.versions)
        db.add(temporal_row(self._keyring, at, at))

    def _check(self, row: InstallationKeyRow) -> None:
        """Another root key would make links nobody finds and read nothing: it is refused."""
        keyring = self._keyring
        if row.epoch not in keyring.roots:
            raise KeyFileError(
                f"Version {row.epoch} of the root key is missing here; this database needs it"
            )
        try:
            clear = keyring.unwrap(row.wrapped, bound_installation_key(row.kind, row.number))
        except Undecipherable as error:
            raise KeyFileError(
                f"This root key is not the one of this database: its version {row.epoch} does not "
                "open the database's keys"
            ) from error
        is_derivation = row.kind == InstallationKeyKind.DERIVATION
        if is_derivation and row.number in keyring.roots:
            _check_same(keyring, row.number, clear)

    async def read_again(self) -> None:
        """Learns what has been added since."""
        async with AsyncSession(self._engine) as db:
            rows = await installation_keys(db)
        if any(each.epoch not in self._keyring.roots for each in rows):
            # A key service may take its time, and requests must not wait for it.
            await self._look_again()
        self._learn(rows)
        async with AsyncSession(self._engine) as db:
            await self._learn_what_is_clear(db)

    async def _learn_what_is_clear(self, db: AsyncSession) -> None:
        record = await clear_text_record(db, self._keyring)
        self._keyring.reads_clear = record is not None and record.left == ClearText.IN_ROWS

    async def _look_again(self) -> None:
        try:
            await asyncio.to_thread(self._keyring.look_again)
        except KeyFileError as error:
            log.error("root_key_not_read", error=str(error))  # noqa: TRY400 - says all there is

    def _learn(self, rows: Iterable[InstallationKeyRow]) -> None:
        at = self._clock()
        derivations = [
            each.number
            for each in rows
            if each.kind == InstallationKeyKind.DERIVATION and self._adopt_derivation(each)
            if each.active_at <= at
        ]
        temporal = [
            each
            for each in rows
            if each.kind == InstallationKeyKind.TEMPORAL and self._adopt_temporal(each)
        ]
        if derivations:
            self._keyring.make_current(max(derivations))
        active = [each for each in temporal if each.active_at <= at]
        if active:
            self._keyring.current_temporal = active[-1].number

    def _adopt_derivation(self, row: InstallationKeyRow) -> bool:
        if row.number not in self._keyring.versions:
            packed = self._unwrapped(row)
            if packed is None:
                return False
            self._keyring.adopt_derivation(row.number, packed)
        return True

    def _adopt_temporal(self, row: InstallationKeyRow) -> bool:
        if row.number not in self._keyring.temporal:
            clear = self._unwrapped(row)
            if clear is None:
                return False
            self._keyring.temporal[row.number] = RecordKey(row.number, clear)
        return True

    def _unwrapped(self, row: InstallationKeyRow) -> bytes | None:
        try:
            return self._keyring.unwrap(row.wrapped, bound_installation_key(row.kind, row.number))
        except Undecipherable:
            # This process has an older root key than the one that wrapped it: it goes on with what
            # it knows and says so, until its root key is brought up to date.
            log.error(  # noqa: TRY400 - a traceback would tell nothing more
                "root_key_version_missing", epoch=row.epoch, kind=row.kind
            )
            return None

    async def open_when_possible(self, stop: asyncio.Event) -> None:
        """As `open`, again and again while PostgreSQL is away, not migrated, or of another key."""
        while not stop.is_set():
            try:
                if await self._tried(self.open):
                    return
            except KeyFileError as error:
                log.error("root_key_refused", error=str(error))  # noqa: TRY400 - says all there is
                await _pause(stop, REFUSED_RETRY_EVERY)
                await self._look_again()
            else:
                await _pause(stop, RETRY_EVERY)

    async def keep_reading(self, stop: asyncio.Event) -> None:
        """Reads the keys again and again, until the process ends."""
        while not stop.is_set():
            await _pause(stop, READ_EVERY)
            await self._tried(self.read_again)

    async def open_and_keep_reading(self, stop: asyncio.Event) -> None:
        """Both, for a process that serves without them meanwhile."""
        await self.open_when_possible(stop)
        await self.keep_reading(stop)

    async def _tried(self, reading: Callable[[], Awaitable[None]]) -> bool:
        try:
            await reading()
        except Exception as error:
            if not is_away(error) and not isinstance(error, ProgrammingError):
                raise
            log.warning("keys_not_read", error=type(error).__name__)
            return False
        return True

    def current(self) -> RecordKey:
        """The key that new payloads of workflows are sealed with.

        Raises `ConnectionError` as long as the keys could not be read from PostgreSQL.
        """
        try:
            return self._keyring.temporal[self._keyring.current_temporal]
        except KeyError as error:
            raise ConnectionError("the installation's keys are not read yet") from error

    async def by_number(self, number: int) -> RecordKey:
        """The key a payload was sealed with; raises `Undecipherable`."""
        if number not in self._keyring.temporal:
            await self.read_again()
        try:
            return self._keyring.temporal[number]
        except KeyError as error:
            raise Undecipherable from error


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def bound_installation_key(kind: str, number: int) -> bytes:
    """What a wrapped key of the installation is bound to."""
    return associated("installation-key", kind, str(number))


def _check_same(keyring: Keyring, version: int, packed: bytes) -> None:
    if keyring.derivation(version).pack() != packed:
        raise KeyFileError(
            f"Version {version} of the root key is another key than the one this database knows"
        )


def derivation_row(
    keyring: Keyring, version: int, at: datetime, active_at: datetime
) -> InstallationKeyRow:
    """The keys from which secrets of one version are derived, kept for when its root is gone."""
    packed = keyring.derivation(version).pack()
    row = _row(keyring, InstallationKeyKind.DERIVATION, version, packed)
    row.created_at, row.active_at = at, active_at
    return row


def temporal_row(keyring: Keyring, at: datetime, active_at: datetime) -> InstallationKeyRow:
    """A new key for what workflows are told."""
    row = _row(keyring, InstallationKeyKind.TEMPORAL, new_number(), new_key())
    row.created_at, row.active_at = at, active_at
    return row


def _row(
    keyring: Keyring, kind: InstallationKeyKind, number: int, clear: bytes
) -> InstallationKeyRow:
    epoch = keyring.newest
    wrapped = keyring.wrap(clear, bound_installation_key(kind, number), epoch)
    return InstallationKeyRow(kind=kind, number=number, epoch=epoch, wrapped=wrapped)


async def _workspaces_without_key(db: AsyncSession) -> Iterable[UUID]:
    known = select(WorkspaceKeyRow.workspace_id)
    found = select(WorkspaceRow.id).where(col(WorkspaceRow.id).not_in(known))
    return (await db.scalars(found)).all()
