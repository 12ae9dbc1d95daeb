"""Keys as processes know them: what is not written down is never used, and nobody hears too late.

PS-28, and the races between processes that share a database and a root key.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from adapters.aead import Undecipherable
from adapters.keyring import open_keyring
from adapters.root_key import KeyFileError, RootKeyFile
from commands import installation as installations
from commands import vault as vaults
from commands.installation import Installation
from commands.rotation import begin_epoch, rotate_workspace
from commands.work import Transactions, Work, utc_now
from domain.settings import Settings
from store import database, migrate
from store.columns import new_id
from store.data_key import DataKeyRow
from store.installation_key import InstallationKeyRow
from store.party import PartyRow, party_by_id
from store.rotation import lock_epoch
from store.sealed import Key, Owner, OwnerKind, key_of
from store.workspace_key import WorkspaceKeyRow
from tests.rooms.house import DiesAfterCommit, House
from tests.rooms.keys import Process, process, root_file, root_lines

OTHER = bytes(range(32, 64))


@pytest.fixture
def source(tmp_path: Path) -> RootKeyFile:
    """A root key file of one version."""
    return root_file(tmp_path)


@pytest_asyncio.fixture
async def one(database_url: str, source: RootKeyFile) -> AsyncIterator[Process]:
    """A process."""
    async with process(database_url, source) as found:
        yield found


@pytest_asyncio.fixture
async def two(database_url: str, source: RootKeyFile, one: Process) -> AsyncIterator[Process]:
    """Another process on the same database."""
    async with process(database_url, source, like=one.house) as found:
        yield found


def owner_of(house: House, subject: UUID | None = None) -> Owner:
    return Owner(house.workspace_id, subject or new_id(), OwnerKind.PARTY)


def party(house: House, work: Work, name: str) -> PartyRow:
    return PartyRow(
        workspace_id=house.workspace_id,
        kind="vendor",
        name=name,
        created_at=work.at,
        updated_at=work.at,
    )


async def wrapped_by(begin: Transactions, subject: UUID) -> int:
    async with begin.work() as work:
        return (await work.db.get_one(DataKeyRow, subject)).workspace_key_version


async def key_in(begin: Transactions, owner: Owner) -> Key:
    async with begin.work() as work:
        return await key_of(work.db, owner)


async def test_a_key_that_was_rolled_back_is_never_used_again(one: Process, two: Process) -> None:
    owner = owner_of(one.house)
    with suppress(RuntimeError):
        async with one.begin.work() as work:
            lost = await key_of(work.db, owner)
            raise RuntimeError
    assert one.begin.vault.known(owner.subject_id) is None
    kept = await key_in(one.begin, owner)
    assert kept != lost
    assert await key_in(two.begin, owner) == kept


async def test_a_key_of_a_savepoint_goes_with_it_and_one_from_before_stays(one: Process) -> None:
    before, within, released = (owner_of(one.house) for _ in range(3))
    async with one.begin.work() as work:
        stays = await key_of(work.db, before)
        with suppress(RuntimeError):
            async with work.db.begin_nested():
                lost = await key_of(work.db, within)
                async with work.db.begin_nested():
                    also_lost = await key_of(work.db, released)
                raise RuntimeError
        assert await key_of(work.db, before) is stays
        again = await key_of(work.db, within)
    assert again != lost
    assert await key_in(one.begin, released) != also_lost
    assert await key_in(one.begin, within) == again


async def test_a_row_of_a_savepoint_is_sealed_anew_with_a_key_that_exists(
    one: Process, two: Process
) -> None:
    subject = new_id()
    async with one.begin.work() as work:
        with suppress(RuntimeError):
            async with work.db.begin_nested():
                work.db.add(party(one.house, work, "Lost Ltd"))
                first = party(one.house, work, "Lost Ltd")
                first.id = subject
                work.db.add(first)
                await work.db.flush()
                raise RuntimeError
        second = party(one.house, work, "Kept Ltd")
        second.id = subject
        work.db.add(second)
    assert (await two.house.party(subject)).name == "Kept Ltd"


async def test_contents_that_were_rolled_back_are_not_sealed_later(one: Process) -> None:
    """A savepoint takes a change back; the next change of the row must not bring it again."""
    row = (await one.house.create(name="Vera Ltd")).party
    async with one.begin.work() as work:
        found = await party_by_id(work.db, one.house.workspace_id, row.id, lock=True)
        assert found is not None
        with suppress(RuntimeError):
            async with work.db.begin_nested():
                found.name = "Never Ltd"
                raise RuntimeError
        await work.db.refresh(found)
        assert found.name == "Vera Ltd"
        found.email = "new@vendor.example"
    after = await one.house.party(row.id)
    assert (after.name, after.email) == ("Vera Ltd", "new@vendor.example")


@pytest.mark.parametrize("first_commits", [True, False])
async def test_two_processes_that_make_an_owners_first_key_agree(
    one: Process, two: Process, first_commits: bool
) -> None:
    owner = owner_of(one.house)

    async def second() -> Key:
        async with two.begin.work() as work:
            return await key_of(work.db, owner)

    with suppress(RuntimeError):
        async with one.begin.work() as work:
            first = await key_of(work.db, owner)
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0.2)
            assert not waiting.done(), "the second waits for the first one's outcome"
            if not first_commits:
                raise RuntimeError
    assert (await waiting == first) is first_commits
    assert await key_in(one.begin, owner) == await key_in(two.begin, owner)


async def test_many_tasks_that_make_the_same_first_keys_agree(one: Process, two: Process) -> None:
    owners = [owner_of(one.house) for _ in range(20)]
    asked = [key_in(each.begin, owner) for owner in owners for each in (one, two, one, two)]
    found = await asyncio.gather(*asked)
    for at in range(0, len(found), 4):
        assert len({id(each) for each in found[at : at + 4]}) <= 4
        assert all(each == found[at] for each in found[at : at + 4])


async def test_a_process_that_has_not_heard_of_a_rotation_wraps_by_the_new_version(
    one: Process, two: Process
) -> None:
    """Its memory of which version is primary is asked for in the statement that writes the key."""
    await key_in(one.begin, owner_of(one.house))
    async with two.begin.work() as work:
        assert await rotate_workspace(work, one.house.workspace_id) == 2
    owner = owner_of(one.house)
    await key_in(one.begin, owner)
    assert await wrapped_by(two.begin, owner.subject_id) == 2


async def test_a_version_cannot_be_destroyed_under_a_transaction_that_wraps_by_it(
    one: Process, two: Process
) -> None:
    async with one.begin.work() as work:
        await key_of(work.db, owner_of(one.house))
        async with two.begin.work() as other:
            await rotate_workspace(other, one.house.workspace_id)
        with pytest.raises(DBAPIError, match="lock timeout"):
            async with two.begin.work() as other:
                await other.db.run_sync(lock_epoch, 1)
    async with two.begin.work() as other:
        await other.db.run_sync(lock_epoch, 1)


async def test_a_key_is_kept_for_a_while_and_forgotten_when_told(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, now = owner_of(one.house), [1000.0]
    monkeypatch.setattr(vaults, "time", SimpleNamespace(monotonic=lambda: now[0]))
    key = await key_in(one.begin, owner)
    now[0] += vaults.KEPT_FOR - 1
    assert one.begin.vault.known(owner.subject_id) is key
    now[0] += 2
    assert one.begin.vault.known(owner.subject_id) is None
    await key_in(one.begin, owner)
    one.begin.vault.forget(owner.subject_id)
    assert one.begin.vault.known(owner.subject_id) is None


async def test_a_key_that_expires_in_the_middle_of_a_transaction_is_not_missed(
    one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = (await one.house.create(name="Vera Ltd")).party
    now = [1000.0]
    monkeypatch.setattr(vaults, "time", SimpleNamespace(monotonic=lambda: now[0]))
    await one.house.party(row.id)
    async with one.begin.work() as work:
        found = await party_by_id(work.db, one.house.workspace_id, row.id)
        assert found is not None
        now[0] += vaults.KEPT_FOR + 1
        assert found.name == "Vera Ltd"


async def test_only_so_many_keys_are_kept(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "MOST_KEYS", 5)
    owners = [owner_of(one.house) for _ in range(8)]
    for each in owners:
        await key_in(one.begin, each)
    known = [one.begin.vault.known(each.subject_id) is not None for each in owners]
    assert known == [False] * 3 + [True] * 5


async def test_a_process_that_starts_before_its_database_serves_nothing_until_it_has_the_keys(
    empty_database_url: str, source: RootKeyFile
) -> None:
    chosen = Settings(database_url=empty_database_url, root_key_file=str(source.path))
    engine, keyring = database.connect(chosen), open_keyring(chosen)
    installation, stop = Installation(engine, keyring, utc_now), asyncio.Event()
    begin = Transactions(engine, chosen, keyring, DiesAfterCommit())
    opening = asyncio.create_task(installation.open_when_possible(stop))
    try:
        with pytest.raises(ConnectionError) as caught:
            async with begin.work():
                pass
        assert database.is_away(caught.value), "the caller is asked to try again later"
        with pytest.raises(ConnectionError):
            installation.current()
        await asyncio.to_thread(migrate.upgrade, empty_database_url)
        await asyncio.wait_for(opening, 10)
        async with begin.work() as work:
            assert await work.db.scalar(text("SELECT count(*) FROM installation_key")) == 2
        assert installation.current().number == keyring.current_temporal
    finally:
        stop.set()
        await opening
        await engine.dispose()


async def test_another_root_key_is_refused_in_words(database_url: str, one: Process) -> None:
    wrong = open_keyring(Settings(root_key=root_lines({1: OTHER}).strip().replace(" ", ":")))
    with pytest.raises(KeyFileError, match="not the one of this database"):
        await Installation(one.house.engine, wrong, utc_now).open()
    assert not wrong.is_ready


async def test_a_root_key_without_the_version_in_use_is_refused(
    database_url: str, source: RootKeyFile, one: Process
) -> None:
    async with one.begin.work() as work:
        assert await begin_epoch(work) == 2
    old = open_keyring(
        Settings(root_key=root_lines({1: source.read()[1]}).strip().replace(" ", ":"))
    )
    with pytest.raises(KeyFileError, match="Version 2 of the root key is missing here"):
        await Installation(one.house.engine, old, utc_now).open()


async def test_a_version_whose_number_was_given_twice_is_refused(
    source: RootKeyFile, one: Process
) -> None:
    """Two machines that each made a version 2 of their own."""
    async with one.begin.work() as work:
        await begin_epoch(work)
    theirs = dict(source.read()) | {1: OTHER}
    ring = open_keyring(
        Settings(root_key=",".join(root_lines(theirs).strip().replace(" ", ":").split("\n")))
    )
    with pytest.raises(KeyFileError, match="Version 1 of the root key is another key"):
        await Installation(one.house.engine, ring, utc_now).open()


async def test_a_root_key_that_is_put_right_is_taken_without_a_restart(
    source: RootKeyFile, one: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installations, "REFUSED_RETRY_EVERY", 0.05)
    mine = tmp_path / "mine.key"
    mine.write_text(source.path.read_text())
    async with one.begin.work() as work:
        await begin_epoch(work)
    ring = open_keyring(Settings(root_key_file=str(mine)))
    late, stop = Installation(one.house.engine, ring, utc_now), asyncio.Event()
    opening = asyncio.create_task(late.open_when_possible(stop))
    await asyncio.sleep(0.3)
    assert not ring.is_ready
    mine.write_text(source.path.read_text())
    await asyncio.wait_for(opening, 5)
    assert ring.is_ready


async def test_a_running_process_learns_a_new_epoch_and_uses_it_once_all_have_heard(
    one: Process, two: Process
) -> None:
    async with one.begin.work() as work:
        await begin_epoch(work)
    await two.installation.read_again()
    assert (two.keyring.newest, two.keyring.current, two.keyring.epoch) == (2, 1, 1)
    before = two.keyring.current_temporal
    async with one.begin.work() as work:
        past = work.at - timedelta(seconds=1)
        await work.db.execute(
            update(InstallationKeyRow)
            .where(col(InstallationKeyRow.epoch) == 2)
            .values(active_at=past)
        )
    await two.installation.read_again()
    assert (two.keyring.current, two.keyring.epoch) == (2, 2)
    assert two.keyring.current_temporal in two.keyring.temporal
    assert before in two.keyring.temporal


async def test_a_running_process_without_the_new_version_goes_on_with_what_it_knows(
    one: Process, database_url: str, source: RootKeyFile, tmp_path: Path
) -> None:
    copy = RootKeyFile(tmp_path / "copy.key")
    copy.path.write_text(source.path.read_text())
    row = (await one.house.create(name="Vera Ltd")).party
    async with process(database_url, copy, like=one.house) as other:
        async with one.begin.work() as work:
            await begin_epoch(work)
        await other.installation.read_again()
        assert other.keyring.current == 1
        assert (await other.house.party(row.id)).name == "Vera Ltd"
        assert other.installation.current().number == other.keyring.current_temporal


async def test_a_workspaces_key_that_was_changed_in_the_database_opens_nothing(
    one: Process, database_url: str, source: RootKeyFile
) -> None:
    row = (await one.house.create(name="Vera Ltd")).party
    async with one.begin.work() as work:
        key = (await work.db.scalars(select(WorkspaceKeyRow))).one()
        changed = bytearray(key.wrapped or b"")
        changed[-1] ^= 1
        key.wrapped = bytes(changed)
    async with process(database_url, source, like=one.house) as fresh:
        with pytest.raises(Undecipherable) as caught:
            await fresh.house.party(row.id)
    assert str(caught.value) == "", "which part did not fit is not told"
