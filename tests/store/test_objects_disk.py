"""What the disk sees of the object store: flushed, full, failing, flat memory (PS-28)."""

import asyncio
import errno
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters import object_folder
from adapters.file_cipher import FileKey, SealedFile, sealed, sealed_size
from adapters.objects import ObjectStore, ObjectStoreAway, new_object_name

MEBIBYTE = 2**20
KEY = FileKey(bytes(32), b"place")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> ObjectStore:
    return ObjectStore.at(str(folder))


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for each in range(count):
        yield bytes([each % 256]) * MEBIBYTE


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


async def test_an_object_is_on_the_disk_before_a_row_points_to_it(
    store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[Path, bool]] = []
    name = new_object_name()
    flush = object_folder.flush

    def noting(path: Path) -> None:
        flushed.append((path, (folder / name).exists()))
        flush(path)

    monkeypatch.setattr(object_folder, "flush", noting)
    await store.write(name, _chunks(1))
    (staged, named), *folders = flushed
    assert (staged.parent, named) == (folder / "staging", False)
    assert folders == [((folder / name).parent, True), (folder, True)]


@pytest.mark.parametrize("count", [40, 120])
async def test_a_disk_that_fails_on_the_way_is_told(
    store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    flush = object_folder.flush
    failures = [OSError(errno.EIO, "Input/output error")]

    def failing(path: Path) -> None:
        if failures:
            raise failures.pop()
        flush(path)

    monkeypatch.setattr(object_folder, "flush", failing)
    with pytest.raises(ObjectStoreAway, match="Input/output error"):
        await store.write(new_object_name(), _chunks(count))
    assert _files(folder) == []


@contextmanager
def _full_disk(limit: int) -> Iterator[None]:
    """No file may grow beyond a limit: what a full disk does, without filling one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("count", [9, 40])
async def test_a_full_disk_is_told_and_leaves_nothing(
    store: ObjectStore, folder: Path, count: int
) -> None:
    with _full_disk(6 * MEBIBYTE), pytest.raises(ObjectStoreAway):
        await store.write(new_object_name(), _chunks(count))
    assert _files(folder) == []


def _memory() -> int:
    """What this process holds, in bytes."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


async def test_a_large_file_goes_through_flat_memory(store: ObjectStore, folder: Path) -> None:
    name, count = new_object_name(), 192
    peak = before = _memory()

    async def watched() -> AsyncIterator[bytes]:
        nonlocal peak
        for each in range(count * 16):
            yield bytes([each % 256]) * (MEBIBYTE // 16)
            peak = max(peak, _memory()) if each % 64 == 0 else peak

    written = await store.write(name, sealed(KEY, watched()))
    assert written == sealed_size(count * MEBIBYTE)
    read = 0
    async for chunk in (await SealedFile.opened(await store.stored(name), KEY)).chunks():
        read += len(chunk)
        peak = max(peak, _memory())
    assert read == count * MEBIBYTE
    assert peak - before < 64 * MEBIBYTE
    assert bytes(1_000) not in await store.read(name, 0, 3 * MEBIBYTE)


async def test_others_are_served_while_a_large_file_is_written(store: ObjectStore) -> None:
    waits: list[float] = []

    async def other() -> None:
        loop = asyncio.get_running_loop()
        while True:
            at = loop.time()
            await asyncio.sleep(0.001)
            waits.append(loop.time() - at)

    watching = asyncio.create_task(other())
    await store.write(new_object_name(), sealed(KEY, _chunks(128)))
    watching.cancel()
    waits.sort()
    assert len(waits) > 40
    assert waits[len(waits) * 9 // 10] < 0.05
