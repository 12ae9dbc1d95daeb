"""A restored database revives nothing that had ended, and its files wait for it.

The backup is a copy of the database, taken in the middle of things and put in its place later.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest
import pytest_asyncio
from psycopg import sql
from sqlmodel import select
from structlog.testing import capture_logs

from adapters.embedded.postgres import Postgres
from adapters.object_notes import ObjectNotes
from adapters.objects import ObjectStore, ObjectStoreAway
from commands import tombstone as laying
from commands import upload_orphans
from commands.agreement import AgreementTarget
from commands.agreement_erasure import erase_agreement
from commands.binding import Verify, verify
from commands.caller import recognise
from commands.erasure import erase_party, erase_session
from commands.object_claim import MARK, Mark, may_sweep
from commands.public_session import correct_address, decline, extend, reissue, revoke
from commands.restore import COUNTED_SINCE, Restoration, Restore, RestoreRefused
from commands.room import Visitor, enter_to_look
from commands.token import CreateToken, create_token, revoke_token
from commands.tombstone import TombstoneLayer, purge_tombstones
from commands.upload_orphans import remove_orphans
from commands.work import Transactions
from domain.agreement_errors import WindowLost
from domain.errors import CodeSpent, DomainError, Unauthenticated
from domain.public_session import EndReason
from domain.tombstone import PLACE, Fate, Tombstone
from store.audit import AuditRow
from store.columns import new_id
from store.installation import installation
from store.public_session import PublicSessionRow
from store.tombstone import TombstoneRow
from store.upload import UploadRow
from store.workspace import workspace_by_id
from tests.rooms.agreements import Desk, write_of
from tests.rooms.house import ANNA, KEYRING, DiesAfterCommit, House, furnished_house
from tests.rooms.kept_files import keep_file
from tests.rooms.traces import CANARY, everything_that_opens
from tests.rooms.works import eventually

LATE = datetime(2100, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No upload is under way while a sweep looks for orphans."""
    monkeypatch.setattr(upload_orphans, "ASKED_AGAIN_AFTER", timedelta())


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A house in a database of its own, which is copied and put back."""
    async with furnished_house(database_url) as house:
        yield house


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Where files and tombstones lie; it is never put back."""
    return ObjectStore.at(str(tmp_path / "objects"))


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a house's database, and when it was taken."""

    server: Postgres
    house: House
    at: datetime

    @classmethod
    async def taken(cls, server: Postgres, house: House) -> "Backup":
        """Copies the database as it is."""
        backup = cls(server, house, house.clock.now)
        await backup._copy(backup.name, backup.kept)
        house.clock.turn(minutes=10)
        return backup

    @property
    def name(self) -> str:
        return str(self.house.transactions.settings.database_url.rsplit("/", 1)[1])

    @property
    def kept(self) -> str:
        return f"{self.name}_backup"

    async def restored(self) -> None:
        """Puts it in the place of the database; processes start anew."""
        house = self.house
        await self._copy(self.kept, self.name)
        with self.server.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(self.kept)))
        house.transactions = Transactions(
            house.engine, house.transactions.settings, KEYRING, DiesAfterCommit(), house.clock
        )
        house.clock.turn(minutes=10)

    async def _copy(self, source: str, target: str) -> None:
        await self.house.engine.dispose()
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target))
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self.server.connect() as connection:
            connection.execute(drop)
            connection.execute(copy.format(sql.Identifier(target), sql.Identifier(source)))


async def laid(house: House, objects: ObjectStore) -> None:
    """As a worker does twice a second."""
    await TombstoneLayer(house.transactions, objects).round()


async def gone_through(
    house: House, objects: ObjectStore, backup_at: datetime, **more: Any
) -> Restoration:
    restoration = Restoration(house.transactions, objects, Restore(backup_at, **more))
    async for _ in restoration.run():
        pass
    return restoration


async def sessions(house: House, count: int) -> list[PublicSessionRow]:
    return [(await house.create()).issued[0] for _ in range(count)]


async def may_act(house: House, visitor: Visitor) -> bool:
    """Whether this browser's cookie is good for anything."""
    try:
        async with house.transactions.work() as work:
            await enter_to_look(work, visitor)
    except DomainError:
        return False
    return True


async def lay(house: House, objects: ObjectStore) -> None:
    """As a worker does twice a second."""
    await TombstoneLayer(house.transactions, objects).round()


async def go_through(
    house: House, objects: ObjectStore, backup_at: datetime, **more: Any
) -> Restoration:
    """Runs the command to its end."""
    restoration = Restoration(house.transactions, objects, Restore(backup_at, **more))
    async for _ in restoration.run():
        pass
    return restoration


def fates(restoration: Restoration) -> dict[str, int]:
    """What was done again, and how often."""
    return {name: count for name, count in restoration.done.items() if name in [*Fate]}


# What had ended.


async def _a_session(house: House, name: str) -> UUID:
    """One that is open: a signer's where its agreement is to be erased."""
    if name != Fate.AGREEMENT_ERASED:
        return (await house.create()).issued[0].id
    desk = Desk(house)
    return await desk.session_of(await desk.sent())


@dataclass(frozen=True, slots=True)
class Past:
    """Sessions, each with a browser in it and a code on its way, and an API token."""

    house: House
    visitors: dict[str, Visitor]
    codes: dict[str, str]
    token: str
    token_id: UUID

    @classmethod
    async def begun(cls, house: House, *names: str) -> "Past":
        """As they are when the backup is taken: all of them, or those that are named."""
        names = names or (*(each.value for each in Fate if each != Fate.TOKEN_REVOKED), "kept")
        ids = {each: await _a_session(house, each) for each in names}
        visitors = {name: await house.enter(each) for name, each in ids.items()}
        codes = {name: await house.fresh_code(each) for name, each in ids.items()}
        async with house.transactions.work() as work:
            workspace = await workspace_by_id(work.db, house.workspace_id)
            row, text = await create_token(work, workspace, CreateToken("erp"))
        return cls(house, visitors, codes, text, row.id)

    def id(self, name: str) -> UUID:
        return self.visitors[name].session_id

    async def row(self, name: str) -> PublicSessionRow:
        return await self.house.session(self.id(name))

    async def goes_on(self) -> None:
        """Everything after the backup: each has the fate that it is named for."""
        house = self.house
        rows = {name: await self.row(name) for name in self.visitors}
        on = {name: house.target(row) for name, row in rows.items()}
        for task in ("profile", "terms"):
            await house.complete(self.visitors[Fate.COMPLETED], task)
        async with house.transactions.work() as work:
            await revoke(work, on[Fate.REVOKED], "why")
            await reissue(work, on[Fate.REISSUED], "why")
            declined = await work.db.get_one(PublicSessionRow, self.id(Fate.DECLINED))
            await decline(work, declined, "no", ANNA)
            await erase_session(work, on[Fate.SESSION_ERASED], "why")
            await erase_agreement(work, await self._agreement(), "why")
            workspace = await workspace_by_id(work.db, house.workspace_id)
            await revoke_token(work, workspace, self.token_id)
        async with house.transactions.work() as work:
            party = rows[Fate.PARTY_ERASED].party_id
            await erase_party(work, house.workspace_id, party, "why", ANNA)
            await correct_address(work, on[Fate.ADDRESS_CORRECTED], "right@vendor.example")
        # One that the backup does not know at all.
        (session,) = (await house.create()).issued
        async with house.transactions.work() as work:
            await revoke(work, house.target(session), "why")

    async def _agreement(self) -> AgreementTarget:
        (task,) = await self.house.tasks(self.id(Fate.AGREEMENT_ERASED))
        assert task.agreement_id is not None
        return AgreementTarget(task.agreement_id, self.house.workspace_id, ANNA)

    async def usable(self) -> set[str]:
        """What a cookie or token of before still opens."""
        found = {name for name, each in self.visitors.items() if await may_act(self.house, each)}
        try:
            async with self.house.transactions.work() as work:
                await recognise(work, self.token)
        except Unauthenticated:
            return found
        return found | {Fate.TOKEN_REVOKED}


async def test_nothing_that_had_ended_is_usable_after_a_restore(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    past = await Past.begun(house)
    backup = await Backup.taken(postgres_server, house)
    await past.goes_on()
    await lay(house, objects)
    assert await past.usable() == {"kept"}
    await backup.restored()
    assert await past.usable() == {"kept", *Fate}, "it is as it was"

    restoration = await go_through(house, objects, backup.at)
    assert await past.usable() == set()
    # A signer's session goes with its agreement, or by its own tombstone if that comes first.
    once, of_signers = dict.fromkeys(Fate, 1), {Fate.SESSION_ERASED: 2}
    assert fates(restoration) in (once, once | of_signers)
    assert (restoration.lost, restoration.failed) == ([past.id(Fate.COMPLETED)], [])
    reasons = {name: (await past.row(name)).end_reason for name in past.visitors}
    still_open = {"kept", Fate.ADDRESS_CORRECTED.value}
    assert {name for name, reason in reasons.items() if reason is None} == still_open
    assert reasons[Fate.REISSUED] == EndReason.REISSUED
    for erased in (Fate.SESSION_ERASED, Fate.PARTY_ERASED, Fate.AGREEMENT_ERASED):
        assert (await past.row(erased)).erased_at == house.clock.now
    assert (await house.party((await past.row(Fate.PARTY_ERASED)).party_id)).erased_at
    # Nothing follows again what had ended: no mail is asked for a second time.
    for name in reasons.keys() - still_open:
        assert (await past.row(name)).settled_at is not None
        asked = "signature_request" if name == Fate.AGREEMENT_ERASED else "invitation"
        assert [each.kind for each in await house.mails(past.id(name))] == [asked]

    # Twice is once.
    assert fates(await go_through(house, objects, backup.at)) == {}
    events = [each for each in await house.all(AuditRow) if each.event == "workspace.restored"]
    assert [each.details["backup_at"] for each in events] == [backup.at.isoformat()]
    assert events[0].details["done"]["revoked"] == 1


async def test_an_open_session_is_entered_by_a_new_code_that_was_never_mailed_before(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    past = await Past.begun(house, "kept")
    session_id = past.id("kept")
    await lay(house, objects)
    backup = await Backup.taken(postgres_server, house)
    since = {await house.fresh_code(session_id) for _ in range(3)}
    await lay(house, objects)
    await backup.restored()
    await go_through(house, objects, backup.at)
    link = await house.link(session_id)
    with pytest.raises(CodeSpent):
        await verify(house.transactions, Verify(link, "door-2", past.codes["kept"]))
    assert await house.fresh_code(session_id) not in since
    assert await may_act(house, await house.enter(session_id))
    row = await house.session(session_id)
    assert (row.code_counter, row.fence) == (4 + COUNTED_SINCE, 2 + COUNTED_SINCE)
    # An extension is newer than those that the workflow has been told of since.
    async with house.transactions.work() as work:
        await extend(work, house.target(row), row.expires_at + DAY, "why")
    assert (await house.session(session_id)).deadline_moves == 1 + COUNTED_SINCE


async def test_no_code_goes_to_an_address_that_was_wrong(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    past = await Past.begun(house, "wrong")
    wrong = await house.link(past.id("wrong"))
    backup = await Backup.taken(postgres_server, house)
    async with house.transactions.work() as work:
        target = house.target(await past.row("wrong"))
        await correct_address(work, target, "right@vendor.example")
    await lay(house, objects)
    await backup.restored()
    await go_through(house, objects, backup.at)
    row = await past.row("wrong")
    assert ((await house.party(row.party_id)).email, row.mail_detail) == ("", "no_contact_address")
    assert await house.link(row.id) != wrong
    # Once somebody says what is right it stays, however often the command is run.
    house.clock.turn(minutes=1)
    async with house.transactions.work() as work:
        await correct_address(work, house.target(row), "right@vendor.example")
    await lay(house, objects)
    await go_through(house, objects, backup.at)
    assert (await house.party(row.party_id)).email == "right@vendor.example"


async def test_what_was_erased_is_unreadable_again(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    party = (await house.create(name=CANARY)).party
    backup = await Backup.taken(postgres_server, house)
    async with house.transactions.work() as work:
        await erase_party(work, house.workspace_id, party.id, "why", ANNA)
    await lay(house, objects)
    await backup.restored()
    assert CANARY.encode() in await everything_that_opens(house)
    await go_through(house, objects, backup.at)
    assert CANARY.encode() not in await everything_that_opens(house)


async def test_what_had_ended_and_not_settled_has_its_consequences(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    # Its workflow settled it after the backup, and will not do it again.
    past = await Past.begun(house, "kept")
    for task in ("profile", "terms"):
        await house.complete(past.visitors["kept"], task)
    await lay(house, objects)
    backup = await Backup.taken(postgres_server, house)
    await backup.restored()
    await go_through(house, objects, backup.at)
    row = await past.row("kept")
    assert (row.settled_at, row.advance) == (house.clock.now, "done")


async def test_it_goes_on_where_it_was_stopped_and_one_bad_row_stops_nothing(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    past = await Past.begun(house, "good", "bad")
    backup = await Backup.taken(postgres_server, house)
    for name in ("good", "bad"):
        async with house.transactions.work() as work:
            await revoke(work, house.target(await past.row(name)), "why")
    await lay(house, objects)
    await backup.restored()
    bad = past.id("bad")
    async with house.engine.begin() as connection:
        rule = f"CHECK (ended_at IS NULL OR id <> '{bad}')"
        await connection.exec_driver_sql(f"ALTER TABLE public_session ADD CONSTRAINT bad {rule}")
    first = Restoration(house.transactions, objects, Restore(backup.at))
    async for _ in first.run():
        break
    assert not await may_sweep(house.transactions, first.notes)
    with capture_logs() as logged:
        second = await go_through(house, objects, backup.at)
    assert second.failed == [bad]
    assert [each["error"] for each in logged] == ["IntegrityError"]
    assert await past.usable() == {Fate.TOKEN_REVOKED}, "its cookie is dead all the same"
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE public_session DROP CONSTRAINT bad")
    assert fates(await go_through(house, objects, backup.at)) == {Fate.REVOKED: 1}


# A store that cannot tell.


async def test_without_tombstones_it_is_all_or_nothing(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    past = await Past.begun(house, "one", "two")
    backup = await Backup.taken(postgres_server, house)
    await backup.restored()
    with pytest.raises(RestoreRefused, match="has no mark"):
        await go_through(house, objects, backup.at)
    await ObjectNotes.beside(objects).write(MARK, Mark(new_id(), backup.at).text())
    with pytest.raises(RestoreRefused, match="belongs to another database"):
        await go_through(house, objects, backup.at)
    async with house.transactions.work() as work:
        ours = (await installation(work.db)).id
    # As if the store had been restored, too, to a moment before that.
    await ObjectNotes.beside(objects).write(MARK, Mark(ours, backup.at - DAY).text())
    with pytest.raises(RestoreRefused, match="knows nothing from after 2026-03-01"):
        await go_through(house, objects, backup.at)
    await go_through(house, objects, backup.at, revoke_open=True)
    assert await past.usable() == {Fate.TOKEN_REVOKED}
    assert {(await past.row(name)).end_reason for name in past.visitors} == {EndReason.REVOKED}
    assert (await past.row("one")).settled_at is not None
    # The store is this database's from now on.
    await lay(house, objects)
    await go_through(house, objects, backup.at)


# Files.


async def swept(house: House, objects: ObjectStore) -> int:
    """What a worker's sweep takes for orphans, all of it old enough."""
    with capture_logs():
        return (await remove_orphans(house.transactions, objects, LATE, "")).count


async def test_files_that_the_backup_does_not_know_are_kept_for_days(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    (session,) = (await house.create()).issued
    before = await keep_file(house, objects, session.id, b"before")
    await lay(house, objects)
    backup = await Backup.taken(postgres_server, house)
    since = await keep_file(house, objects, session.id, b"since")
    await lay(house, objects)
    assert await swept(house, objects) == 0
    await backup.restored()
    # A worker that is started although nobody ran the command keeps them, too.
    await lay(house, objects)
    assert await swept(house, objects) == 0
    await go_through(house, objects, backup.at)
    await lay(house, objects)
    house.clock.turn(days=29)
    assert await swept(house, objects) == 0
    assert await objects.size(since.object_name) > 0
    house.clock.turn(days=2)
    assert await swept(house, objects) == 1
    assert await objects.size(before.object_name) > 0


@pytest.mark.parametrize("standing", ["foreign", "unmarked", "restored"])
async def test_a_wrong_or_empty_database_deletes_nothing(
    house: House, objects: ObjectStore, standing: str
) -> None:
    (session,) = (await house.create()).issued
    file = await keep_file(house, objects, session.id, b"x")
    await lay(house, objects)
    async with house.transactions.work() as work:
        await work.db.delete(await work.db.get_one(UploadRow, file.id))
        row = await installation(work.db)
        if standing == "foreign":
            row.id = new_id()
        elif standing == "restored":
            row.seen_at = None
    if standing == "unmarked":
        await ObjectNotes.beside(objects).delete(MARK)
    assert await swept(house, objects) == 0
    # Nor does a worker take the store over by being there.
    with capture_logs() as logged:
        await lay(house, objects)
    assert [each["standing"] for each in logged] == [standing]
    assert await swept(house, objects) == 0
    assert await objects.size(file.object_name) > 0


# Tombstones.


async def lying(objects: ObjectStore) -> set[str]:
    pages = [page async for page in ObjectNotes.beside(objects).under(PLACE)]
    return {each.name for page in pages for each in page}


async def test_tombstones_are_laid_once_the_store_is_back(
    house: House, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (session,) = (await house.create()).issued
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    layer = TombstoneLayer(house.transactions, objects)
    with monkeypatch.context() as away:
        away.setattr(ObjectNotes, "write", AsyncMock(side_effect=ObjectStoreAway("away")))
        with pytest.raises(ObjectStoreAway):
            await layer.round()
    assert await lying(objects) == set()
    monkeypatch.setattr(laying, "LOOP_EVERY", 0.01)
    stop = asyncio.Event()
    working = asyncio.create_task(layer.lay_until_stopped(stop))
    wanted = {Tombstone(Fate.REVOKED, session.id).name}
    await eventually(lambda: is_true(lying(objects), wanted))
    stop.set()
    await working
    assert await layer.round() == 0


async def is_true(found: Awaitable[set[str]], wanted: set[str]) -> bool:
    return await found == wanted


async def test_a_worker_waits_while_the_store_or_the_database_is_away(
    house: House, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = TombstoneLayer(house.transactions, objects)
    for error in (ObjectStoreAway("away"), ConnectionError()):
        monkeypatch.setattr(layer, "round", AsyncMock(side_effect=error))
        assert await layer._tried() == laying.WAIT_WHEN_AWAY
    monkeypatch.setattr(layer, "round", AsyncMock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        await layer._tried()


async def test_tombstones_go_when_no_backup_is_old_enough_to_need_them(
    house: House, objects: ObjectStore
) -> None:
    (session,) = (await house.create()).issued
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    await lay(house, objects)
    house.clock.turn(days=35)
    assert await purge_tombstones(house.transactions, objects, house.clock(), 10) == 0
    house.clock.turn(minutes=1)
    assert await purge_tombstones(house.transactions, objects, house.clock(), 10) == 1
    assert await lying(objects) == set()
    async with house.transactions.work() as work:
        assert (await work.db.scalars(select(TombstoneRow))).all() == []


async def test_those_that_a_restored_database_does_not_know_go_in_their_time_too(
    house: House, objects: ObjectStore
) -> None:
    await lay(house, objects)
    notes = ObjectNotes.beside(objects)
    await notes.write(Tombstone(Fate.REVOKED, new_id()).name, house.clock().isoformat())
    await notes.write(f"{PLACE}/strange", "")
    restoration = await go_through(house, objects, house.clock())
    assert restoration.done["tombstones"] == 1
    assert await purge_tombstones(house.transactions, objects, LATE, 10) == 1
    assert await lying(objects) == {f"{PLACE}/strange"}


@pytest.mark.parametrize(
    "name", ["gone/revoked", "gone/loved/x", "gone/revoked/x", f"else/revoked/{UUID(int=1)}", ""]
)
def test_what_is_no_tombstone(name: str) -> None:
    assert Tombstone.named(name) is None


async def test_a_signers_window_of_before_a_restore_writes_nothing_and_no_fence_comes_twice(
    house: House, objects: ObjectStore, postgres_server: Postgres
) -> None:
    # RELIABILITY 15, 38
    desk = Desk(house)
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.open(visitor, "w1")
    await lay(house, objects)
    backup = await Backup.taken(postgres_server, house)
    newest = write_of(await desk.open(visitor, "w2", take_over=True))
    await lay(house, objects)
    await backup.restored()
    await go_through(house, objects, backup.at)
    again = await desk.visitor(whole, door="door-2")
    with pytest.raises(WindowLost):
        await desk.sign(again, newest)
    assert write_of(await desk.open(again, "w3")).place.fence > newest.place.fence
