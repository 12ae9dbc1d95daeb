"""Signed heads leave the house: each of them, at least once, and never in the way of signing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from adapters import objects
from adapters.audit_verify import Broken, verify_file
from adapters.witness import Witness, WitnessAway, name_of
from commands import audit_witness
from commands.audit_tree import AuditSequencer, catch_up
from commands.audit_witness import WitnessCourier
from commands.workspace import CreateWorkspace, create_workspace
from tests.rooms.audit_log import exported, heads, write
from tests.rooms.bucket import Bucket, bucket
from tests.rooms.house import House, bare_house
from tests.rooms.works import eventually
from worker import _witness_couriers


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A workspace of its own database: a courier works for all that there are."""
    async with bare_house(database_url) as house:
        yield house


def courier(house: House, place: object) -> WitnessCourier:
    return WitnessCourier(house.transactions, Witness.at(str(place)))


def kept_of(house: House, place: Path) -> list[Path]:
    """The heads of a workspace at the place, smallest first."""
    return sorted((place / str(house.workspace_id)).iterdir())


async def sign(house: House, times: int = 1) -> None:
    for _ in range(times):
        await write(house)
        await catch_up(house.transactions, house.workspace_id)


async def test_every_head_of_every_workspace_is_kept_once(house: House, tmp_path: Path) -> None:
    await sign(house, 3)
    async with house.transactions.work() as work:
        other = await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
    await AuditSequencer(house.transactions).round()
    taking = courier(house, tmp_path)
    assert [await taking.round(), await taking.round()] == [4, 0]
    assert [each.read_text() for each in kept_of(house, tmp_path)] == [
        each.note for each in await heads(house)
    ]
    await sign(house)
    assert await taking.round() == 1
    assert len(kept_of(house, tmp_path)) == 4
    house.workspace_id = other.id
    (head,) = await heads(house)
    assert [each.read_text() for each in kept_of(house, tmp_path)] == [head.note]


async def test_what_is_kept_is_what_auditors_hold_against_the_log(
    house: House, tmp_path: Path
) -> None:
    await sign(house, 3)
    await courier(house, tmp_path / "kept").round()
    log, kept = tmp_path / "log.jsonl", kept_of(house, tmp_path / "kept")
    await exported(house, log)
    assert len(verify_file(log, None, kept).older) == 3
    kept[0].write_text(kept[1].read_text().replace("\n3\n", "\n2\n"))
    with pytest.raises(Broken):
        verify_file(log, None, kept)


async def test_a_place_that_is_away_is_tried_again_and_stops_no_signature(
    house: House, tmp_path: Path
) -> None:
    place = tmp_path / "mount"
    place.touch()
    taking = courier(house, place)
    await sign(house)
    with pytest.raises(WitnessAway):
        await taking.round()
    with capture_logs() as lines:
        assert await taking._tried() == audit_witness.RETRY_AFTER
    assert [each["event"] for each in lines] == ["audit_witness_away"]
    await sign(house)
    assert len(await heads(house)) == 2
    place.unlink()
    assert await taking.round() == 2


async def test_what_was_kept_before_it_went_away_is_not_taken_again(
    house: House, tmp_path: Path
) -> None:
    await sign(house, 3)
    second = (await heads(house))[1]
    blocked = tmp_path / name_of(house.workspace_id, second.size, second.root)
    taking = courier(house, tmp_path)
    # Where a folder lies under the name, there is no head yet and none can be written.
    blocked.mkdir(parents=True)
    (blocked / "x").touch()
    with pytest.raises(WitnessAway):
        await taking.round()
    (blocked / "x").unlink()
    blocked.rmdir()
    assert await taking.round() == 2


async def test_a_worker_that_dies_before_it_writes_it_down_takes_it_again(
    house: House, tmp_path: Path
) -> None:
    await sign(house)
    (head,) = await heads(house)
    await Witness.at(str(tmp_path)).keep(
        name_of(house.workspace_id, head.size, head.root), head.note
    )
    assert await courier(house, tmp_path).round() == 1
    assert [each.read_text() for each in kept_of(house, tmp_path)] == [head.note]


async def test_two_heads_of_one_size_are_both_seen(house: House, tmp_path: Path) -> None:
    """As after a restore, or a rewritten history: what was kept is never written over."""
    witness = Witness.at(str(tmp_path))
    for root in (b"a" * 32, b"b" * 32):
        await witness.keep(name_of(house.workspace_id, 7, root), root.decode())
    assert [each.read_text() for each in kept_of(house, tmp_path)] == ["a" * 32, "b" * 32]
    await witness.keep(name_of(house.workspace_id, 7, b"a" * 32), "forged")
    assert kept_of(house, tmp_path)[0].read_text() == "a" * 32


async def test_the_loop_takes_heads_until_it_is_told_to_end(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_witness, "MOST_HEADS", 2)
    await sign(house, 5)
    stop = asyncio.Event()
    loop = asyncio.create_task(courier(house, tmp_path).take_until_stopped(stop))
    await eventually(partial(has_kept, house, tmp_path, 5))
    stop.set()
    await asyncio.wait_for(loop, 0.4)


async def has_kept(house: House, place: Path, count: int) -> bool:
    folder = place / str(house.workspace_id)
    return folder.exists() and len(kept_of(house, place)) == count


@pytest_asyncio.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    async with bucket() as served:
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
        yield served


async def test_a_bucket_is_asked_for_nothing_but_writing(house: House, served: Bucket) -> None:
    await sign(house, 2)
    taking = courier(house, "s3://bucket/heads")
    assert await taking.round() == 2
    assert set(served.asked) == {"PUT"}
    assert [each.decode() for _, each in sorted(served.objects.items())] == [
        each.note for each in await heads(house)
    ]
    served.fails = lambda asked: True
    await sign(house)
    with pytest.raises(WitnessAway):
        await taking.round()


async def test_a_bucket_keeps_what_it_has(served: Bucket) -> None:
    witness = Witness.at("s3://bucket/heads")
    for note in ("first", "second"):
        await witness.keep("log/1", note)
    assert [*served.objects.values()] == [b"first"]


@pytest.mark.parametrize("place", ["ftp://x/y", "http://x/y", "s3://"])
def test_an_address_of_another_kind_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match=r"not|no address"):
        Witness.at(place)


async def test_a_file_address_is_a_folder(tmp_path: Path) -> None:
    await Witness.at(tmp_path.as_uri()).keep("log/1", "note")
    assert (tmp_path / "log" / "1").read_text() == "note"


async def test_nothing_that_goes_wrong_ends_the_worker(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = courier(house, tmp_path)
    for error, told in ((ConnectionError(), "waits"), (ZeroDivisionError(), "failed")):

        async def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(audit_witness, "unwitnessed", fail)
        with capture_logs() as lines:
            assert await taking._tried() == audit_witness.RETRY_AFTER
        assert [each["event"] for each in lines] == [f"audit_witness_{told}"]


async def test_a_worker_has_a_courier_where_there_is_a_witness(
    house: House, tmp_path: Path
) -> None:
    begin = house.transactions
    assert _witness_couriers(begin) == ()
    begin.settings = replace(begin.settings, audit_witness=str(tmp_path))
    assert len(_witness_couriers(begin)) == 1
    begin.settings = replace(begin.settings, audit_witness="ftp://x/y")
    with pytest.raises(ValueError, match="heads are kept in"):
        _witness_couriers(begin)
