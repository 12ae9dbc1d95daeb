"""Keys rotate while everything goes on working, killed anywhere; then an epoch is destroyed.

PS-28: rotation loses nothing, and what was erased does not open from any copy once its epoch is
destroyed.
"""

import asyncio
import multiprocessing
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlmodel import select

from adapters.keyring import link_digest
from adapters.root_key import RootKeyFile
from commands import installation as installations
from commands import rotation as rotations
from commands.binding import Verify, verify
from commands.door import session_behind
from commands.erasure import erase_party
from commands.installation import Installation
from commands.keyring import EpochRefused, EpochState, destroy_epoch, status
from commands.mail import link_of
from commands.party import create_party
from commands.room import Visitor, enter
from commands.rotation import begin_epoch, rewrap, rotate
from commands.work import Work
from domain.errors import EpochInUse
from domain.party import PartyFields
from store.audit import AuditRow
from store.data_key import DataKeyRow
from store.public_session import session_by_id, submissions_of
from store.rotation import count_keys, sole_rotation
from store.sealed import Owner, OwnerKind, key_of
from store.workspace_key import KeyState
from tests.rooms.house import ANNA, House, furnish
from tests.rooms.keys import Process, backup_of, opened_with, process, root_file, rotated

SESSIONS = 200
KILLS = 20
HEARD_AFTER, READ_EVERY = timedelta(seconds=0.8), 0.2


@pytest.fixture
def source(tmp_path: Path) -> RootKeyFile:
    """A root key file of one version."""
    return root_file(tmp_path)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given time to hear: processes of these tests read anew by themselves."""
    monkeypatch.setattr(rotations, "HEARD_AFTER", timedelta(0))
    monkeypatch.setattr(rotations, "READ_EVERY", 0.0)
    monkeypatch.setattr(rotations, "PAUSE", 0.02)
    monkeypatch.setattr("commands.keyring.READ_EVERY", 0.0)


@pytest_asyncio.fixture
async def one(database_url: str, source: RootKeyFile) -> AsyncIterator[Process]:
    """A process with a furnished workspace."""
    async with process(database_url, source) as found:
        await furnish(found.house)
        yield found


@dataclass(slots=True)
class Known:
    """A session, and what its party was given before anything was rotated."""

    id: UUID
    link: str
    code: str
    company: str
    visitor: Visitor | None = None


async def known_sessions(house: House, many: int) -> list[Known]:
    async def make(number: int) -> Known:
        (session,) = (await house.create(name=f"Vera {number} Ltd")).issued
        link, code = await house.link(session.id), await house.fresh_code(session.id)
        return Known(session.id, link, code, f"Company {number} Ltd")

    found: list[Known] = []
    for numbers in _by_twenty(many):
        found += await asyncio.gather(*(make(each) for each in numbers))
    return found


def _by_twenty(many: int) -> Iterator[range]:
    yield from (range(each, min(each + 20, many)) for each in range(0, many, 20))


def _rotate_in_a_process(environ: dict[str, str], arguments: list[str]) -> None:
    """What the child runs: `gatepass keyring …`, in small steps and with less patience."""
    os.environ.update(environ)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    import cli
    from commands import keyring

    for module, name, value in (
        (rotations, "HEARD_AFTER", HEARD_AFTER),
        (rotations, "READ_EVERY", READ_EVERY),
        (keyring, "READ_EVERY", READ_EVERY),
        (rotations, "BATCH", 5),
    ):
        setattr(module, name, value)
    cli.app(["keyring", *arguments])


@dataclass(slots=True)
class Load:
    """People who go on working: what they did and what they met."""

    processes: list[Process]
    waiting: list[Known]
    done: list[Known] = field(default_factory=list)
    reads: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, who: Process) -> None:
        """One session after the other, from the code to the last task; new parties between."""
        while not self.stop.is_set() and self.waiting:
            known = self.waiting.pop()
            bound = await verify(who.begin, Verify(known.link, "door-1", known.code))
            known.visitor = Visitor(bound.session_id, bound.secret)
            await who.house.complete(known.visitor, "profile", {"company": known.company})
            self.done.append(known)
            if len(self.done) % 10 == 0:
                await who.house.create(name="New Ltd")
            await asyncio.sleep(0.05)

    async def read(self, who: Process) -> None:
        """Reads what was captured, as members do; by keys that are not in memory."""
        chance = random.Random(1)
        while not self.stop.is_set():
            if self.done:
                known = chance.choice(self.done)
                who.begin.vault.forget(known.id)
                await check(who, known)
                self.reads += 1
            await asyncio.sleep(0.01)


async def check(who: Process, known: Known) -> None:
    """The link, the bound browser and what was captured are as they were."""
    async with who.begin.work() as work:
        assert (await session_behind(work, known.link)).id == known.id
        row = await session_by_id(work.db, known.id)
        assert row is not None
        assert link_of(work, row).endswith(known.link)
        assert link_digest(known.link) == row.link_digest
        if known.visitor is not None:
            await enter(work, known.visitor)
            (captured,) = await submissions_of(work.db, known.id)
            assert captured.body["company"] == known.company


async def _killed_again_and_again(
    environ: dict[str, str], one: Process, source: RootKeyFile
) -> tuple[int, int]:
    """Runs and kills; how many epochs may have begun, and how often a run went on."""
    context = multiprocessing.get_context("forkserver")
    chance, kills, begun, resumed = random.Random(10), 0, 0, 0
    while kills < KILLS:
        if await rotations._unfinished(one.begin):
            resumed += 1
        else:
            begun += 1
        child = context.Process(target=_rotate_in_a_process, args=(environ, ["rotate"]))
        child.start()
        await asyncio.to_thread(child.join, chance.uniform(0.05, 0.6))
        kills += _kill(child)
    return begun, resumed


def _kill(child: ForkServerProcess) -> bool:
    """Whether it was still at work."""
    if not child.is_alive():
        assert child.exitcode == 0
        return False
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    return True


async def _ran(environ: dict[str, str], *arguments: str) -> int | None:
    child = multiprocessing.get_context("forkserver").Process(
        target=_rotate_in_a_process, args=(environ, list(arguments))
    )
    child.start()
    await asyncio.to_thread(child.join, 60)
    return child.exitcode


@pytest.mark.timeout(180)
async def test_a_rotation_that_is_killed_twenty_times_under_load_loses_nothing(
    database_url: str, source: RootKeyFile, one: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installations, "READ_EVERY", READ_EVERY)
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["cli", "tests.store.test_rotation"]
    )
    environ = {
        "GATEPASS_DATABASE_URL": database_url,
        "GATEPASS_ROOT_KEY_FILE": str(source.path),
    }
    sessions = await known_sessions(one.house, SESSIONS)
    untouched = sessions[: SESSIONS // 4]
    async with process(database_url, source, like=one.house) as two:
        load = Load([one, two], sessions[SESSIONS // 4 :])
        working = [
            *(asyncio.create_task(load.complete(each)) for each in (one, two)),
            *(asyncio.create_task(load.read(each)) for each in (one, two)),
            *(
                asyncio.create_task(each.installation.keep_reading(load.stop))
                for each in (one, two)
            ),
        ]
        begun, resumed = await _killed_again_and_again(environ, one, source)
        assert await _ran(environ, "rotate") == 0
        load.stop.set()
        await asyncio.gather(*working)
        assert (len(load.done) > 20, load.reads > 50, resumed > 5) == (True, True, True)
        await _everything_is_new(one, begun + 1)
        for number in sorted(source.read())[:-1]:
            assert await _ran(environ, "destroy-epoch", str(number), "--now", "--yes") == 0
        assert len(source.read()) == 1
        assert len(source.path.read_text().splitlines()) == 1
        await _all_still_works(two, sessions[::10])
    async with process(database_url, source, like=one.house) as fresh:
        await _all_still_works(fresh, sessions)
        for each in untouched[:10]:
            bound = await verify(fresh.begin, Verify(each.link, "door-2", each.code))
            assert bound.session_id == each.id


async def _everything_is_new(one: Process, most: int) -> None:
    async with one.begin.work() as work:
        seen = await status(work)
    newest = seen.epochs[-1]
    assert newest.state == EpochState.NEWEST
    assert newest.number <= 1 + most, "a run that goes on begins no other epoch"
    for each in seen.counts:
        is_primary = each.state == KeyState.PRIMARY
        assert (each.epoch == newest.number) or not is_primary
        assert is_primary or each.data_keys == 0
    assert all(each.keys_in_use == 0 for each in seen.epochs[:-1])


async def _all_still_works(who: Process, sessions: list[Known]) -> None:
    for each in sessions:
        await check(who, each)


@pytest.mark.usefixtures("_quick")
async def test_a_new_epoch_is_one_more_line_and_an_old_one_none(
    one: Process, source: RootKeyFile
) -> None:
    (known,) = await known_sessions(one.house, 1)
    assert "epoch 2 begun" in await rotated(one)
    assert sorted(source.read()) == [1, 2]
    async with one.begin.work() as work:
        assert await destroy_epoch(work, 1, early=True) == 1
    assert sorted(source.read()) == [2]
    await check(one, known)
    async with one.begin.work() as work:
        found = (await work.db.scalars(select(AuditRow.event))).all()
        assert {"key.rotated", "key.epoch_destroyed"} <= set(found)
        assert [each.state for each in (await status(work)).epochs] == ["destroyed", "newest"]


@pytest.mark.usefixtures("_quick")
async def test_a_rotation_goes_on_wherever_it_stopped(one: Process, source: RootKeyFile) -> None:
    await known_sessions(one.house, 3)
    steps = 0
    while steps < 20:
        steps += 1
        left = steps
        async for _ in rotate(one.begin, one.installation):
            left -= 1
            if not left:
                break
        else:
            break
    assert steps > 2
    assert sorted(source.read()) == [1, 2]


@pytest.mark.usefixtures("_quick")
async def test_a_version_added_to_the_file_but_not_begun_is_taken_and_not_added_to(
    one: Process, source: RootKeyFile
) -> None:
    """Killed between the file and the commit; or added by hand, to all machines first."""
    source.add(2)
    async with one.begin.work() as work:
        assert [each.state for each in (await status(work)).epochs] == ["newest", "not begun"]
    await rotated(one)
    assert sorted(source.read()) == [1, 2]
    async with one.begin.work() as work:
        assert [each.state for each in (await status(work)).epochs] == ["kept", "newest"]


@pytest.mark.usefixtures("_quick")
async def test_one_workspaces_key_is_rotated_within_its_epoch(
    one: Process, source: RootKeyFile
) -> None:
    await known_sessions(one.house, 2)
    await rotated(one, one.house.workspace_id)
    assert sorted(source.read()) == [1]
    async with one.begin.work() as work:
        found = await work.db.run_sync(count_keys)
    assert [(each.version, each.epoch, each.state, each.data_keys > 0) for each in found] == [
        (1, 1, "decrypt", False),
        (2, 1, "primary", True),
    ]
    assert "epoch 2 begun" in await rotated(one), "that was no epoch's rotation"


@pytest.mark.usefixtures("_quick")
async def test_a_stopped_rotation_of_one_workspace_goes_on_and_an_epoch_begins_all_the_same(
    one: Process,
) -> None:
    await known_sessions(one.house, 2)
    async with one.begin.work() as work:
        await rotations.rotate_workspace(work, one.house.workspace_id)
    await rotated(one, one.house.workspace_id)
    async with one.begin.work() as work:
        assert [each.version for each in await work.db.run_sync(count_keys)] == [1, 2]
        await rotations.rotate_workspace(work, one.house.workspace_id)
    assert "epoch 2 begun" in await rotated(one)


@pytest.mark.usefixtures("_quick")
async def test_a_rotation_waits_for_what_began_before_it(
    one: Process, database_url: str, source: RootKeyFile
) -> None:
    """A key that a transaction under way wraps by the old version is not left behind."""
    owner = Owner(one.house.workspace_id, UUID(int=5), OwnerKind.PARTY)
    limits: dict[str, Any] = {"database_lock_timeout": timedelta(milliseconds=200)}
    async with process(database_url, source, like=one.house, **limits) as two:
        async with one.begin.work() as work:
            await key_of(work.db, owner)
            rotating = asyncio.create_task(rotated(two))
            await asyncio.sleep(1)
            assert not rotating.done()
        await asyncio.wait_for(rotating, 10)
        async with two.begin.work() as work:
            row = await work.db.get_one(DataKeyRow, owner.subject_id)
            assert row.workspace_key_version == 2


@pytest.mark.usefixtures("_quick")
async def test_an_epoch_in_use_is_not_destroyed(one: Process, source: RootKeyFile) -> None:
    await known_sessions(one.house, 1)
    async with one.begin.work() as work:
        with pytest.raises(EpochRefused, match="is the newest"):
            await destroy_epoch(work, 1, early=True)
        with pytest.raises(EpochRefused, match="There is no epoch 7"):
            await destroy_epoch(work, 7, early=True)
        await begin_epoch(work)
    with pytest.raises(EpochInUse, match=r"still wraps \d+ keys, which must be 0"):
        await _destroyed(one, 1)
    assert sorted(source.read()) == [1, 2]
    await rotated(one)
    with pytest.raises(EpochRefused, match="may be destroyed from"):
        await _destroyed(one, 1)
    with pytest.raises(EpochRefused, match="may be destroyed from"):
        await _destroyed(one, 1, days=34.9)
    assert await _destroyed(one, 1, days=35.1) == 1
    assert await _destroyed(one, 1, days=35.1) == 0, "a second time changes nothing"


async def _destroyed(one: Process, epoch: int, days: float = 0) -> int:
    at = one.begin.clock() + timedelta(days=days)
    async with one.begin.work(at) as work:
        return await destroy_epoch(work, epoch)


@pytest.mark.usefixtures("_quick")
async def test_a_destruction_that_was_killed_before_its_commit_is_done_again(
    one: Process, source: RootKeyFile
) -> None:
    """The root key is gone first: keys that it wrapped are then only taken from the tables."""
    await rotated(one)

    async def killed(work: Work) -> None:
        await destroy_epoch(work, 1, early=True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with one.begin.work() as work:
            await killed(work)
    assert sorted(source.read()) == [2]
    async with one.begin.work() as work:
        assert await destroy_epoch(work, 1, early=True) == 1


@pytest.mark.usefixtures("_quick")
async def test_what_was_erased_opens_from_no_copy_once_its_epoch_is_destroyed(
    one: Process, source: RootKeyFile
) -> None:
    """PS-28, erasure: copies from before and after, with all keys that are left."""
    living = await one.house.create(name="Living Ltd")
    # A hundred, of which ten have been issued something.
    kinds = ["vendor"] * 10 + ["stranger"] * 90
    async with one.begin.work() as work:
        fields = [PartyFields(each, f"Erased {each} Ltd", "a@b.example") for each in kinds]
        erased = [await create_party(work, one.house.workspace_id, each, ANNA) for each in fields]
    copies = [await backup_of(one.house)]
    gone = {each.party.id for each in erased}
    gone |= {session.id for each in erased for session in each.issued}
    assert len(gone) == 110
    before = opened_with(one.keyring, copies[0])
    assert all(before[each] for each in gone), "the attack works"
    async with one.begin.work() as work:
        for each in erased:
            await erase_party(work, one.house.workspace_id, each.party.id, "asked for", ANNA)
    now = opened_with(one.keyring, await backup_of(one.house))
    assert not any(now[each] for each in gone)
    await rotated(one)
    copies.append(await backup_of(one.house))
    kept = opened_with(one.keyring, *copies)
    assert all(kept[each] for each in gone), "the old epoch is kept"
    async with one.begin.work() as work:
        await destroy_epoch(work, 1, early=True)
    copies.append(await backup_of(one.house))
    one.keyring.look_again()
    found = opened_with(one.keyring, *copies)
    assert not any(found[each] for each in gone)
    assert found[living.party.id]
    assert (await one.house.party(living.party.id)).name == "Living Ltd"


async def test_processes_are_given_time_to_hear(one: Process) -> None:
    """Nothing depends on a new epoch before each running process has read it."""
    steps = rotate(one.begin, one.installation)
    assert (await anext(steps)).what == "epoch 2 begun"
    assert (await anext(steps)).what == "waiting until every process has heard"
    async with one.begin.work() as work:
        assert [each.epoch for each in await work.db.run_sync(count_keys)] == [1]
    assert one.keyring.epoch == 1


async def test_two_rotations_at_once_are_refused(one: Process) -> None:
    async with sole_rotation(one.house.engine) as first:
        assert first
        second = asyncio.create_task(_is_sole(one.installation))
        await asyncio.sleep(0.3)
        assert not second.done(), "one that was killed just now leaves its lock for a moment"
    assert await second


async def _is_sole(installation: Installation) -> bool:
    async with sole_rotation(installation._engine) as found:
        return found


@pytest.mark.usefixtures("_quick")
async def test_a_workspace_whose_keys_are_all_new_has_nothing_to_do(one: Process) -> None:
    assert [each async for each in rewrap(one.begin, one.house.workspace_id)] == []
