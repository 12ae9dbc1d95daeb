"""Keys rotate while everything goes on working, killed anywhere; then an epoch is destroyed.

PS-28: rotation loses nothing, and what was erased does not open from any copy once its epoch is
destroyed.
"""

import asyncio
import multiprocessing
import os
import random
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
import pytest_asyncio
from sqlmodel import select
from temporalio.api.common.v1 import Payload

from adapters.keyring import link_digest
from adapters.objects import ObjectStore
from adapters.root_key import RootKeyFile
from adapters.temporal_codec import InstallationCodec
from commands import binding as bindings
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
from commands.upload_file import file_key_of, read_file
from commands.work import Work
from domain.errors import EpochInUse
from domain.party import PartyFields
from store.audit import AuditRow
from store.data_key import DataKeyRow
from store.public_session import session_by_id, submissions_of
from store.rotation import count_keys, sole_rotation
from store.sealed import Owner, OwnerKind, key_of
from store.upload import UploadRow, upload_by_id
from store.workspace_key import KeyState
from tests.rooms.house import ANNA, House, furnish, new_code
from tests.rooms.kept_files import keep_file
from tests.rooms.keys import Process, backup_of, opened_with, process, root_file, rotated

SESSIONS = 200
KILLS = 20
HEARD_AFTER, READ_EVERY = timedelta(seconds=0.8), 0.2
FILE = b"policy " * 30_000
TOLD = Payload(metadata={"encoding": b"json/plain"}, data=b"told before")
T = TypeVar("T")


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
    """An active session: what its party was given before anything was rotated, and handed over."""

    id: UUID
    link: str
    code: str
    company: str
    visitor: Visitor | None = None
    has_captured: bool = False


async def known_sessions(house: House, many: int, door: str = "") -> list[Known]:
    """New sessions, each with a living code; with a door, each with a browser in it."""

    async def make(number: int) -> Known:
        name = f"Vera {number} Ltd"
        async with house.transactions.work() as work:
            fields = PartyFields(kind="vendor", name=name, email=house.address)
            (session,) = (await create_party(work, house.workspace_id, fields, ANNA)).issued
            code = await new_code(work, session.id)
            link = link_of(work, session).rsplit("/", 1)[1]
            known = Known(session.id, link, code, f"Company {number} Ltd")
            if door:
                # As `verify` does it, in the same transaction: there are many.
                binding = await bindings._bind(work, session, Verify(link, door, code))
                known.visitor = Visitor(session.id, bindings._secret(work, binding, door))
        return known

    return await _by_twenty([make(each) for each in range(many)])


async def _by_twenty(making: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    found: list[T] = []
    for at in range(0, len(making), 20):
        found += await asyncio.gather(*making[at : at + 20])
    return found


async def capture(who: Process, known: Known) -> None:
    """The party hands over what is then read again and again."""
    assert known.visitor is not None
    await who.house.complete(known.visitor, "profile", {"company": known.company})
    known.has_captured = True


def _rotate_in_a_process(environ: dict[str, str], arguments: list[str]) -> None:
    """What the child runs: `gatepass keyring …`, key by key and with less patience."""
    os.environ.update(environ)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    import cli
    from commands import keyring

    for module, name, value in (
        (rotations, "HEARD_AFTER", HEARD_AFTER),
        (rotations, "READ_EVERY", READ_EVERY),
        (keyring, "READ_EVERY", READ_EVERY),
        (rotations, "BATCH", 1),
    ):
        setattr(module, name, value)
    cli.app(["keyring", *arguments])


@dataclass(slots=True)
class Load:
    """People who go on working: what they did and what they met."""

    waiting: list[Known]
    done: list[Known]
    completed: int = 0
    reads: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, who: Process) -> None:
        """One task after the other, and new parties between."""
        while not self.stop.is_set() and self.waiting:
            known = self.waiting.pop()
            await capture(who, known)
            self.done.append(known)
            self.completed += 1
            if self.completed % 10 == 0:
                await who.house.create(name="New Ltd")
            await asyncio.sleep(0.15)

    async def read(self, who: Process) -> None:
        """Reads what was captured, as members do; by keys that are not in memory."""
        chance = random.Random(1)
        while not self.stop.is_set():
            known = chance.choice(self.done)
            who.begin.vault.forget(known.id)
            await check(who, known)
            self.reads += 1
            await asyncio.sleep(0.04)


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
        if known.has_captured:
            (captured,) = await submissions_of(work.db, known.id)
            assert captured.body["company"] == known.company


@dataclass(slots=True)
class Kills:
    """Runs of a rotation, and where the kills met them."""

    chance: random.Random = field(default_factory=lambda: random.Random(10))
    left: list[int] = field(default_factory=list)
    begun: int = 0
    resumed: int = 0
    most: int = 0

    async def strike(self, environ: dict[str, str], one: Process) -> None:
        """Starts a run and kills it while it wraps; only then it counts as a kill."""
        before = await self._begin(one)
        child = _started(environ, "rotate")
        while child.is_alive() and not 0 < (left := await _outdated(one)) < before:
            # A run that begins an epoch makes every key an outdated one first.
            before = max(before, left)
            await asyncio.sleep(0.03)
        self.most = max(self.most, before)
        await asyncio.sleep(self.chance.uniform(0, 0.05))
        if await asyncio.to_thread(_killed, child) and 0 < (left := await _outdated(one)) < before:
            self.left.append(left)

    async def _begin(self, one: Process) -> int:
        goes_on = await rotations._unfinished(one.begin)
        self.resumed, self.begun = self.resumed + goes_on, self.begun + (not goes_on)
        return await _outdated(one)


async def _outdated(one: Process) -> int:
    """How many data keys a rotation that began still has to wrap."""
    async with one.begin.work() as work:
        found = await work.db.run_sync(count_keys)
    return sum(each.data_keys for each in found if each.state != KeyState.PRIMARY)


def _started(environ: dict[str, str], *arguments: str) -> ForkServerProcess:
    child = multiprocessing.get_context("forkserver").Process(
        target=_rotate_in_a_process, args=(environ, list(arguments))
    )
    child.start()
    return child


def _killed(child: ForkServerProcess) -> bool:
    """Whether it was killed at work; one that had ended did so well."""
    if child.is_alive():
        os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert child.exitcode in {0, -signal.SIGKILL}
    return child.exitcode != 0


async def _ran(environ: dict[str, str], *arguments: str) -> int | None:
    child = _started(environ, *arguments)
    await asyncio.to_thread(child.join, 60)
    return child.exitcode


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What lies outside PostgreSQL under keys of before: a file, and what Temporal was told."""

    objects: ObjectStore
    upload: UploadRow
    payloads: Sequence[Payload]

    async def check(self, who: Process) -> None:
        """Both open, by keys that were wrapped anew meanwhile."""
        async with who.begin.work() as work:
            row = await upload_by_id(work.db, self.upload.id)
            assert row is not None
            key = await file_key_of(work, row)
        assert key is not None
        assert b"".join([each async for each in read_file(self.objects, row, key)]) == FILE
        assert await _codec(who).decode(self.payloads) == [TOLD]


async def _left_elsewhere(one: Process, session_id: UUID, objects: ObjectStore) -> Elsewhere:
    upload = await keep_file(one.house, objects, session_id, FILE)
    return Elsewhere(objects, upload, await _codec(one).encode([TOLD]))


def _codec(who: Process) -> InstallationCodec:
    return InstallationCodec(who.installation, "gatepass")


async def _active_sessions(one: Process) -> list[Known]:
    """Sessions with a browser in each; a fifth of them have handed something over."""
    sessions = await known_sessions(one.house, SESSIONS, "door-1")
    await _by_twenty([capture(one, each) for each in sessions[: SESSIONS // 5]])
    return sessions


@pytest.mark.load
@pytest.mark.timeout(180)
async def test_a_rotation_that_is_killed_twenty_times_under_load_loses_nothing(
    database_url: str,
    source: RootKeyFile,
    one: Process,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each kill hits the wrapping itself: some keys are new by then, others are not."""
    monkeypatch.setattr(installations, "READ_EVERY", READ_EVERY)
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["cli", "tests.store.test_rotation"]
    )
    environ = {
        "GATEPASS_DATABASE_URL": database_url,
        "GATEPASS_ROOT_KEY_FILE": str(source.path),
    }
    sessions, kills = await _active_sessions(one), Kills()
    (untouched,) = await known_sessions(one.house, 1)
    elsewhere = await _left_elsewhere(one, sessions[0].id, ObjectStore.at(str(tmp_path / "files")))
    async with process(database_url, source, like=one.house) as two:
        load = Load(sessions[SESSIONS // 5 :], sessions[: SESSIONS // 5])
        working = [
            asyncio.create_task(each)
            for who in (one, two)
            for each in (
                load.complete(who),
                load.read(who),
                who.installation.keep_reading(load.stop),
            )
        ]
        while len(kills.left) < KILLS:
            await kills.strike(environ, one)
        assert await _ran(environ, "rotate") == 0
        load.stop.set()
        await asyncio.gather(*working)
        assert all(0 < each < kills.most for each in kills.left)
        assert kills.most > SESSIONS, "a key for each party and session"
        assert (load.completed > 20, load.reads > 50, kills.resumed > 10) == (True, True, True)
        await _everything_is_new(one, kills.begun + 1)
        for number in sorted(source.read())[:-1]:
            assert await _ran(environ, "destroy-epoch", str(number), "--now", "--yes") == 0
        assert len(source.read()) == 1
        assert len(source.path.read_text().splitlines()) == 1
        await _all_still_works(two, sessions[::10])
    async with process(database_url, source, like=one.house) as fresh:
        await _all_still_works(fresh, sessions)
        await elsewhere.check(fresh)
        bound = await verify(fresh.begin, Verify(untouched.link, "door-2", untouched.code))
        assert bound.session_id == untouched.id


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
