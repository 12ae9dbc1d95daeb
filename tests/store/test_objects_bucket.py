"""The object store in a bucket: uploads in parts, completed or aborted (PS-28)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from adapters import objects
from adapters.file_cipher import FileKey, SealedFile, sealed
from adapters.objects import (
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    ObjectStoreAway,
    new_object_name,
)
from tests.rooms.bucket import Bucket, bucket

MEBIBYTE = 2**20
KEY = FileKey(bytes(32), b"place")
LATE = datetime.max.replace(tzinfo=UTC)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Bucket]:
    async with bucket() as served:
        yield served


@pytest.fixture
def store(served: Bucket, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    environ = {
        "AWS_ENDPOINT": served.address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "unused",
    }
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setitem(objects.RETRY, "max_retries", 0)
    return ObjectStore.at("s3://bucket/gatepass")


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for each in range(count):
        yield bytes([each]) * MEBIBYTE


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize("count", [0, 3, 8, 20])
async def test_a_sealed_file_goes_there_and_back(
    store: ObjectStore, served: Bucket, count: int
) -> None:
    name = new_object_name()
    written = await store.write(name, sealed(KEY, _chunks(count)))
    assert list(served.objects) == [f"/bucket/gatepass/{name}"]
    assert len(served.objects[f"/bucket/gatepass/{name}"]) == written
    assert served.uploads == {}
    file = await SealedFile.opened(await store.stored(name), KEY)
    clear = b"".join([each async for each in file.chunks()])
    assert clear == b"".join([each async for each in _chunks(count)])


async def test_the_client_goes_away_and_the_upload_is_aborted(
    store: ObjectStore, served: Bucket
) -> None:
    async def gone() -> AsyncIterator[bytes]:
        async for each in _chunks(20):
            yield each
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.write(new_object_name(), gone())
    assert "DELETE uploadId" in served.asked
    assert (served.uploads, served.objects) == ({}, {})


async def test_a_cancelled_upload_is_aborted(store: ObjectStore, served: Bucket) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for each in _chunks(20):
            yield each
        begun.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(store.write(new_object_name(), endless()))
    await begun.wait()
    assert len(served.uploads) == 1
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert (served.uploads, served.objects) == ({}, {})


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_bucket_that_fails_is_away(store: ObjectStore, served: Bucket, method: str) -> None:
    served.fails = lambda asked: asked[0] == method
    with pytest.raises(ObjectStoreAway):
        await store.write(new_object_name(), _chunks(20))
    assert (served.uploads, served.objects) == ({}, {})


async def test_a_bucket_that_fails_in_reading_is_away(store: ObjectStore, served: Bucket) -> None:
    name = new_object_name()
    await store.write(name, _once(b"x"))
    served.fails = lambda asked: asked[0] == "GET"
    with pytest.raises(ObjectStoreAway):
        await store.read(name, 0, 1)
    assert await store.size(name) == 1


async def test_an_abort_that_fails_is_noted_on_what_went_wrong(
    store: ObjectStore, served: Bucket
) -> None:
    async def gone() -> AsyncIterator[bytes]:
        async for each in _chunks(20):
            yield each
        served.fails = lambda asked: asked[0] == "DELETE"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError) as caught:
        await store.write(new_object_name(), gone())
    assert "What was written is not removed" in caught.value.__notes__[0]


async def test_a_bucket_that_cannot_be_reached_is_away(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")
    away, name = ObjectStore.at("s3://bucket"), new_object_name()
    for ask in (
        away.write(name, _once(b"x")),
        away.size(name),
        away.read(name, 0, 1),
        away.delete(name),
        anext(aiter(away.listed_before(LATE))),
    ):
        with pytest.raises(ObjectStoreAway):
            await ask


async def test_an_object_is_never_written_again(store: ObjectStore, served: Bucket) -> None:
    name = new_object_name()
    await store.write(name, _once(b"first"))
    with pytest.raises(ObjectExists):
        await store.write(name, _once(b"second"))
    assert await store.read(name, 0, 99) == b"first"
    assert await store.read(name, 99, 100) == b""


async def test_an_object_is_deleted(store: ObjectStore, served: Bucket) -> None:
    name = new_object_name()
    await store.write(name, _once(b"x"))
    await store.delete(name)
    assert served.objects == {}
    with pytest.raises(ObjectMissing):
        await store.size(name)
    await store.delete(name)


async def test_what_is_set_aside_is_read_and_then_gone(store: ObjectStore, served: Bucket) -> None:
    async with store.set_aside(sealed(KEY, _chunks(3))) as aside:
        file = await SealedFile.opened(aside, KEY)
        assert b"".join([each async for each in file.chunks()]) == b"".join(
            [each async for each in _chunks(3)]
        )
        assert [page.old async for page in store.listed_before(LATE)] == [()]
    assert served.objects == {}


async def test_what_a_killed_process_set_aside_goes(store: ObjectStore, served: Bucket) -> None:
    kept = new_object_name()
    await store.write(kept, _once(b"x"))
    served.objects["/bucket/gatepass/staging/" + "0" * 40] = b"left"
    assert await store.sweep_staging(datetime(2015, 1, 1, tzinfo=UTC)) == 0
    assert await store.sweep_staging(LATE) == 1
    assert list(served.objects) == [f"/bucket/gatepass/{kept}"]


async def test_a_listing_goes_on_where_one_stopped(store: ObjectStore) -> None:
    names = sorted(new_object_name() for _ in range(3))
    for each in names:
        await store.write(each, _once(b"x"))
    (page,) = [each async for each in store.listed_before(LATE, names[0])]
    assert (page.old, page.last) == (tuple(names[1:]), names[2])
