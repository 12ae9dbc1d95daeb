"""The object store in a folder: whole or nothing, never twice, nothing left behind (PS-28)."""

import asyncio
import hashlib
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters import object_listing
from adapters.object_listing import OBJECT_NAME
from adapters.objects import (
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    ObjectStoreAway,
    new_object_name,
)

MEBIBYTE = 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "objects"


@pytest.fixture
def store(folder: Path) -> ObjectStore:
    return ObjectStore.at(str(folder))


async def _chunks(count: int, size: int = MEBIBYTE) -> AsyncIterator[bytes]:
    for each in range(count):
        yield bytes([each % 256]) * size


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _gone_at_99_percent() -> AsyncIterator[bytes]:
    async for each in _chunks(99, MEBIBYTE // 4):
        yield each
    raise ConnectionResetError("the client went away")


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


async def _names(store: ObjectStore, moment: datetime) -> set[str]:
    return {name async for page in store.listed_before(moment) for name in page.old}


@pytest.mark.parametrize("size", [0, 1, MEBIBYTE, 20 * MEBIBYTE + 7])
async def test_an_object_is_written_and_read(store: ObjectStore, size: int) -> None:
    name, content = new_object_name(), hashlib.shake_128(b"x").digest(size)
    assert await store.write(name, _once(content)) == size
    assert await store.size(name) == size
    assert await store.read(name, 0, size) == content
    stored = await store.stored(name)
    assert (stored.size, await stored.read(size // 3, size // 2)) == (
        size,
        content[size // 3 : size // 2],
    )


async def test_a_range_behind_the_end_is_short_or_empty(store: ObjectStore) -> None:
    name = new_object_name()
    await store.write(name, _once(b"0123456789"))
    assert await store.read(name, 7, 99) == b"789"
    assert await store.read(name, 10, 99) == b""
    assert await store.read(name, 50, 99) == b""
    assert await store.read(name, 5, 5) == b""


async def test_the_client_goes_away_at_99_percent(store: ObjectStore, folder: Path) -> None:
    with pytest.raises(ConnectionResetError, match="the client went away"):
        await store.write(new_object_name(), _gone_at_99_percent())
    assert _files(folder) == []


async def test_a_cancelled_write_leaves_nothing(store: ObjectStore, folder: Path) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for each in _chunks(20):
            yield each
        begun.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(store.write(new_object_name(), endless()))
    await begun.wait()
    assert _files(folder) != []
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert _files(folder) == []


async def test_nothing_is_to_be_seen_before_it_is_whole(store: ObjectStore) -> None:
    name = new_object_name()
    seen: list[set[str]] = []

    async def looking() -> AsyncIterator[bytes]:
        async for each in _chunks(12):
            yield each
        seen.append(await _names(store, _later()))
        with pytest.raises(ObjectMissing):
            await store.size(name)

    await store.write(name, looking())
    assert seen == [set()]
    assert await _names(store, _later()) == {name}


async def test_an_object_is_never_written_again(store: ObjectStore, folder: Path) -> None:
    name = new_object_name()
    await store.write(name, _once(b"first"))
    with pytest.raises(ObjectExists):
        await store.write(name, _chunks(12))
    assert await store.read(name, 0, 9) == b"first"
    assert _files(folder) == [folder / name]


async def test_of_many_writers_of_one_name_one_wins(store: ObjectStore, folder: Path) -> None:
    name = new_object_name()
    attempts = [store.write(name, _once(bytes([each]) * 5_000)) for each in range(12)]
    ends = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(str(type(each).__name__) for each in ends) == ["ObjectExists"] * 11 + ["int"]
    assert len(set(await store.read(name, 0, 5_000))) == 1
    assert _files(folder) == [folder / name]


async def test_many_are_written_at_once(store: ObjectStore) -> None:
    names = [new_object_name() for _ in range(24)]
    sizes = await asyncio.gather(*(store.write(each, _chunks(3)) for each in names))
    assert sizes == [3 * MEBIBYTE] * 24
    assert await _names(store, _later()) == set(names)


async def test_what_is_missing_is_said_and_may_be_deleted(store: ObjectStore) -> None:
    name = new_object_name()
    for ask in (store.size(name), store.stored(name), store.read(name, 0, 1)):
        with pytest.raises(ObjectMissing):
            await ask
    await store.delete(name)
    await store.write(name, _once(b"x"))
    await store.delete(name)
    with pytest.raises(ObjectMissing):
        await store.size(name)


async def test_old_objects_and_what_broken_writes_left_are_found(
    store: ObjectStore, folder: Path
) -> None:
    start = datetime.now(UTC) - timedelta(seconds=1)
    name = new_object_name()
    await store.write(name, _once(b"x"))
    left = [folder / "staging" / each for each in ("0abc", "0abd#1")]
    for each in left:
        each.write_bytes(b"left by a process that was killed")
    assert await _names(store, start) == set()
    assert await _names(store, _later()) == {name}
    gone = folder / "staging" / "0abe"
    gone.symlink_to("published since the folder was listed")
    assert await store.sweep_staging(start) == 0
    assert await store.sweep_staging(_later()) == 2
    assert _files(folder) == [folder / name]


async def test_a_listing_goes_on_where_one_stopped(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_listing, "LISTED_AT_ONCE", 2)
    names = sorted(new_object_name() for _ in range(5))
    for each in reversed(names):
        await store.write(each, _once(b"x"))
    pages = [each async for each in store.listed_before(_later())]
    assert [name for page in pages for name in page.old] == names
    rest = [
        name async for page in store.listed_before(_later(), pages[0].last) for name in page.old
    ]
    assert rest == names[2:]


async def test_what_is_set_aside_is_no_object_and_goes(store: ObjectStore, folder: Path) -> None:
    async with store.set_aside(_chunks(3)) as aside:
        assert (aside.size, await aside.read(0, 1)) == (3 * MEBIBYTE, b"\0")
        assert await _names(store, _later()) == set()
    assert _files(folder) == []
    with pytest.raises(ConnectionResetError):
        async with store.set_aside(_broken()):
            pass
    assert _files(folder) == []


async def _broken() -> AsyncIterator[bytes]:
    yield bytes(9 * MEBIBYTE)
    raise ConnectionResetError


async def test_the_folder_is_its_owners_alone(store: ObjectStore, folder: Path) -> None:
    name = new_object_name()
    await store.write(name, _once(b"x"))
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder / name)]
    assert modes == [0o700, 0o600]


async def test_a_folder_that_is_gone_is_away(store: ObjectStore, folder: Path) -> None:
    folder.parent.rename(folder.parent.with_name("elsewhere"))
    folder.parent.write_text("a file is in the way")
    with pytest.raises(ObjectStoreAway) as caught:
        await store.write(new_object_name(), _once(b"x"))
    assert "What was written is not removed" in caught.value.__notes__[0]
    with pytest.raises(ObjectStoreAway):
        await store.sweep_staging(datetime.now(UTC))


def test_a_folder_that_cannot_be_made_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ObjectStoreAway):
        ObjectStore.at(str(tmp_path / "file" / "objects"))


async def test_a_folder_may_be_given_as_an_address(tmp_path: Path) -> None:
    name = new_object_name()
    await ObjectStore.at(f"file://{tmp_path}/with%20space").write(name, _once(b"x"))
    again = ObjectStore.at(str(tmp_path / "with space"))
    assert await again.read(name, 0, 1) == b"x"


@pytest.mark.parametrize("place", ["ftp://x/y", "memory:///", "https://x/y", "az://", "s3://"])
def test_other_addresses_are_refused(place: str) -> None:
    with pytest.raises(ValueError, match=r"bucket|folder, s3, gs or az"):
        ObjectStore.at(place)


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "ab/../x", "staging/1", "ab/" * 3])
async def test_names_that_are_not_ours_are_refused(store: ObjectStore, name: str) -> None:
    for ask in (
        store.write(name, _once(b"x")),
        store.size(name),
        store.read(name, 0, 1),
        store.delete(name),
    ):
        with pytest.raises(ValueError, match="new_object_name"):
            await ask


def test_names_are_random_and_spread() -> None:
    names = {new_object_name() for _ in range(2_000)}
    assert len(names) == 2_000
    assert all(OBJECT_NAME.fullmatch(each) and each[:2] == each[3:5] for each in names)
    assert len({each[:2] for each in names}) > 200
