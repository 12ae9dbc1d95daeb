"""Uploads through the commands: whole or not at all, within the scope, gone at last (PS-40)."""

import asyncio
import hashlib
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from adapters import file_check, object_listing
from adapters.file_check import FileCheckBroken, most_kept
from adapters.file_checks.verdict import Verdict
from adapters.object_folder import STAGING
from adapters.objects import ObjectStore, new_object_name
from commands import upload_orphans, upload_receive
from commands.public_session import revoke
from commands.room import Visitor
from commands.upload import (
    MOST_TRIES,
    Finished,
    Incoming,
    begin_upload,
    finish_upload,
    note_refused,
    remove_upload,
)
from commands.upload_file import file_key_of, let_go, read_file
from commands.upload_orphans import remove_orphans
from commands.upload_receive import Received, Reception, _Measured, receive
from domain.errors import AnswersRefused, NotFound, SessionEnded, TaskDone, TaskLocked
from domain.file_kind import HEAD_BYTES
from domain.housekeeping import ORPHANS_LEFT_FOR, STAGED_LEFT_FOR, Swept
from domain.upload import UploadReason, UploadRefused
from store.audit import AuditRow
from store.public_session import SubmissionRow, submissions_of
from store.upload import UploadRow, UploadState, upload_by_id
from tests.rooms.files import MIB, pdf, picture, with_uploads
from tests.rooms.house import House, bare_house, furnish

SOON = timedelta(minutes=1)


@pytest_asyncio.fixture
async def house(module_database_url: str) -> AsyncIterator[House]:
    async with bare_house(module_database_url) as house:
        await furnish(house, **with_uploads())
        yield house


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore.at(str(tmp_path / "objects"))


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything in this process, and what it starts, would write temporary files."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def files_below(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


@pytest_asyncio.fixture
async def visitor(house: House) -> Visitor:
    return await house.enter((await house.create()).issued[0].id)


async def pieces(raw: bytes, size: int = 60_000) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), size):
        yield raw[at : at + size]


def incoming(name: str = "policy.pdf", slot: str = "", **more: Any) -> Incoming:
    known: dict[str, Any] = {"client_id": uuid4(), "task": "papers"}
    return Incoming(slot=slot, name=name, **(known | more))


async def begun(house: House, visitor: Visitor, what: Incoming) -> Reception:
    async with house.transactions.work() as work:
        found = await begin_upload(work, visitor, what)
    assert isinstance(found, Reception)
    return found


async def received(
    house: House, visitor: Visitor, objects: ObjectStore, what: Incoming, raw: bytes
) -> Received:
    return await receive(await begun(house, visitor, what), pieces(raw), objects)


async def finished(house: House, visitor: Visitor, what: Incoming, whole: Received) -> Finished:
    async with house.transactions.work() as work:
        return await finish_upload(work, visitor, what, whole)


async def sent(
    house: House, visitor: Visitor, objects: ObjectStore, name: str = "a.pdf", **more: Any
) -> UploadRow:
    what = incoming(name, **more)
    raw = pdf() if name.endswith("pdf") else picture()
    whole = await received(house, visitor, objects, what, raw)
    return (await finished(house, visitor, what, whole)).row


async def test_a_check_that_states_more_than_its_task_takes_is_not_believed(
    house: House, visitor: Visitor, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = await begun(house, visitor, incoming())
    most = most_kept(what.scope.limit_of(what.kind))
    said = f"import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write({line(most + 1)!r})"
    monkeypatch.setattr(file_check, "_command", lambda _: (sys.executable, "-I", "-c", said))
    with pytest.raises(FileCheckBroken, match=f"{most + 1} bytes"):
        await receive(what, pieces(pdf()), objects)
    assert await names(objects, house) == []


def line(length: int) -> bytes:
    return Verdict(length=length).line()


async def names(objects: ObjectStore, house: House) -> list[str]:
    later = house.clock.now + timedelta(days=36_500)
    return [name async for page in objects.listed_before(later) for name in page.old]


async def reason_of(doing: Any) -> UploadReason:
    with pytest.raises(UploadRefused) as refused:
        await doing
    return refused.value.refusal.reason


async def test_a_file_is_kept_sealed_and_read_again(
    house: House, visitor: Visitor, objects: ObjectStore, tmp_path: Path, temp: Path
) -> None:
    # PS-28, PS-40
    row = await sent(house, visitor, objects, "Police d'assurance.pdf", slot="insurance")
    async with house.transactions.work() as work:
        kept = await upload_by_id(work.db, row.id)
        assert kept is not None
        key = await file_key_of(work, kept)
    assert key is not None
    assert (kept.name, kept.kind, kept.state) == ("Police d'assurance.pdf", "pdf", "ready")
    clear = b"".join([each async for each in read_file(objects, kept, key)])
    assert clear.startswith(b"%PDF-")
    assert len(clear) == kept.size
    [stored] = files_below(tmp_path / "objects")
    assert b"%PDF" not in stored.read_bytes()
    assert b"Police" not in bytes(kept.sealed or b"")
    assert "upload.received" in await house.audit(visitor.session_id)
    assert files_below(temp) == []


async def test_nothing_can_be_sent_beside_the_scope(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    async def refusal(name: str = "a.pdf", **more: Any) -> UploadReason:
        return await reason_of(begun(house, visitor, incoming(name, **more)))

    assert await refusal("a.exe") == UploadReason.KIND_NOT_ALLOWED
    assert await refusal("a.mp4") == UploadReason.KIND_NOT_ALLOWED
    assert await refusal("..") == UploadReason.NAME_UNUSABLE
    assert await refusal(announced=2 * MIB + 1) == UploadReason.TOO_LARGE
    assert await refusal(announced=0) == UploadReason.EMPTY
    assert await refusal(slot="passport") == UploadReason.UNKNOWN_SLOT
    await sent(house, visitor, objects, slot="insurance")
    assert await refusal(slot="insurance") == UploadReason.SLOT_TAKEN
    for _ in range(3):
        await sent(house, visitor, objects)
    assert await refusal() == UploadReason.TOO_MANY
    with pytest.raises(NotFound):
        await begun(house, visitor, incoming(task="terms"))
    with pytest.raises(NotFound):
        await begun(house, Visitor(visitor.session_id, "wrong"), incoming())


async def test_a_refusal_is_written_down_without_the_file(house: House, visitor: Visitor) -> None:
    with pytest.raises(UploadRefused) as refused:
        await begun(house, visitor, incoming("secret-name.exe"))
    async with house.transactions.work() as work:
        await note_refused(work, visitor, "papers", refused.value.refusal)
    [row] = [each for each in await house.all(AuditRow) if each.event == "upload.refused"]
    assert row.reason == "kind_not_allowed"
    assert row.details == {"task": "papers"}


async def test_what_breaks_off_leaves_nothing(
    house: House, visitor: Visitor, objects: ObjectStore, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for each in pieces(b"a,b\n" * 100_000):
            yield each
        raise ConnectionResetError

    for name in ("a.csv", "a.pdf"):
        begin = await begun(house, visitor, incoming(name))
        with pytest.raises((ConnectionResetError, UploadRefused)):
            await receive(begin, broken(), objects)
    assert files_below(tmp_path / "objects") == []
    assert await house.all(UploadRow) == []


async def test_a_slow_sender_takes_nobodys_turn_to_be_checked(
    house: House, visitor: Visitor, objects: ObjectStore, tmp_path: Path, monkeypatch: Any
) -> None:
    """However slowly one file comes, the only place there is checks the next one."""
    monkeypatch.setattr(file_check, "_receiving", asyncio.Semaphore(1))
    held = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield pdf() + b" " * HEAD_BYTES
        held.set()
        await asyncio.Event().wait()

    first, second = await begun(house, visitor, incoming()), incoming()
    waiting = asyncio.create_task(receive(first, slow(), objects))
    await held.wait()
    assert (await received(house, visitor, objects, second, pdf())).size > 0
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(files_below(tmp_path / "objects")) == 1


async def test_what_is_set_aside_cannot_be_read_by_anybody(
    house: House, visitor: Visitor, objects: ObjectStore, tmp_path: Path, monkeypatch: Any
) -> None:
    # PS-28
    seen: list[bytes] = []

    async def looking(*args: Any, **more: Any) -> AsyncIterator[bytes]:
        seen.extend(each.read_bytes() for each in files_below(tmp_path / "objects"))
        async for each in file_check.checked(*args, **more):
            yield each

    monkeypatch.setattr(upload_receive, "checked", looking)
    await received(house, visitor, objects, incoming(), pdf())
    assert len(seen) == 1
    assert b"%PDF" not in seen[0]


@pytest.mark.parametrize(("name", "raw", "hashes"), [("a.csv", b"a;b\n", 2), ("a.pdf", pdf(), 3)])
async def test_no_bytes_are_hashed_twice(
    house: House,
    visitor: Visitor,
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    raw: bytes,
    hashes: int,
) -> None:
    """What came and what is stored; what is kept only where that is something else."""
    made: list[_Measured] = []

    class Counted(_Measured):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(upload_receive, "_Measured", Counted)
    whole = await received(house, visitor, objects, incoming(name), raw)
    assert len([each for each in made if each.size]) == hashes
    assert (whole.received_sha256 == whole.sha256) == (name == "a.csv")
    assert whole.received_sha256 == hashlib.sha256(raw).hexdigest()


async def test_sixteen_at_once_into_one_place_are_one(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    async def send() -> UploadRow | UploadReason:
        try:
            return await sent(house, visitor, objects, "a.jpg", slot="insurance")
        except UploadRefused as refused:
            return refused.refusal.reason

    came = await asyncio.gather(*(send() for _ in range(16)))
    assert len([each for each in came if isinstance(each, UploadRow)]) == 1
    assert {each for each in came if not isinstance(each, UploadRow)} == {UploadReason.SLOT_TAKEN}
    assert len(await house.all(UploadRow)) == 1


async def test_the_same_id_twice_is_one_file(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    what = incoming()
    one = await received(house, visitor, objects, what, pdf())
    two = await received(house, visitor, objects, what, pdf())
    first, second = await asyncio.gather(
        finished(house, visitor, what, one), finished(house, visitor, what, two)
    )
    assert first.row.id == second.row.id
    async with house.transactions.work() as work:
        again = await begin_upload(work, visitor, what)
    assert isinstance(again, UploadRow)
    assert again.id == first.row.id
    assert (await house.audit(visitor.session_id)).count("upload.received") == 1


async def test_one_file_replaces_another(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    old = await sent(house, visitor, objects, slot="insurance")
    what = incoming("new.pdf", "insurance", replaces=old.id)
    whole = await received(house, visitor, objects, what, pdf())
    done = await finished(house, visitor, what, whole)
    assert done.replaced is not None
    await let_go(house.transactions, objects, done.replaced)
    assert await names(objects, house) == [done.row.object_name]
    living = [each for each in await house.all(UploadRow) if each.removed_at is None]
    assert [each.name for each in living] == ["new.pdf"]


async def test_what_is_taken_back_counts_against_the_quota(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    # ASVS 5.2.4
    for _ in range(MOST_TRIES * 4):
        row = await sent(house, visitor, objects, "a.jpg")
        async with house.transactions.work() as work:
            removed = await remove_upload(work, visitor, "papers", row.id)
        assert removed is not None
    assert await reason_of(begun(house, visitor, incoming())) == UploadReason.TOO_MANY
    async with house.transactions.work() as work:
        assert await remove_upload(work, visitor, "papers", row.id) is None


async def test_nothing_comes_into_a_session_that_ended_meanwhile(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    # PS-30
    what = incoming()
    whole = await received(house, visitor, objects, what, pdf())
    async with house.transactions.work() as work:
        await revoke(work, house.target(await house.session(visitor.session_id)), "why")
    with pytest.raises(SessionEnded):
        await finished(house, visitor, what, whole)
    assert await house.all(UploadRow) == []


async def test_submitting_needs_every_named_file_and_enough_of_them(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    # PS-14, PS-40
    async def errors() -> dict[str, str]:
        with pytest.raises(AnswersRefused) as refused:
            await house.complete(visitor, "papers", {})
        return refused.value.errors

    assert (await errors())["insurance"] == "Insurance is still missing."
    insurance = await sent(house, visitor, objects, slot="insurance")
    assert await errors() == {"files": "At least 2 files are needed; so far there are 1."}
    other = await sent(house, visitor, objects, "b.jpg")
    for state, word in (
        (UploadState.CHECKING, "checked"),
        (UploadState.INFECTED, "A virus"),
        (UploadState.UNSCANNABLE, "too large for our virus scanner"),
    ):
        await put(house, insurance.id, state)
        assert word in (await errors())["insurance"]
    await put(house, insurance.id, UploadState.READY)
    await house.complete(visitor, "papers", {})
    await assert_submitted(house, visitor, [insurance, other])
    with pytest.raises(TaskDone):
        await begun(house, visitor, incoming())


async def put(house: House, upload_id: UUID, state: UploadState) -> None:
    async with house.transactions.work() as work:
        row = await upload_by_id(work.db, upload_id)
        assert row is not None
        row.state = state


async def assert_submitted(house: House, visitor: Visitor, rows: list[UploadRow]) -> None:
    async with house.transactions.work() as work:
        [submission] = await submissions_of(work.db, visitor.session_id)
    assert isinstance(submission, SubmissionRow)
    assert [each["id"] for each in submission.body["files"]] == [str(each.id) for each in rows]
    assert submission.body["files"][0]["sha256"] == rows[0].sha256
    assert submission.evidence["upload"]["max_files"] == 4
    for each in await house.all(UploadRow):
        assert each.submitted_at == house.clock.now
        assert each.erase_at == house.clock.now + timedelta(days=30)
        assert not each.is_erased


async def test_a_locked_task_takes_nothing(house: House, objects: ObjectStore) -> None:
    # PS-11
    tasks = list(reversed(with_uploads()["tasks"]))
    await house.publish(
        "late", with_uploads() | {"name": "Late", "tasks": tasks, "time_bound_days": 3}
    )
    party = (await house.create()).party
    issued = await house.issue_to(party, "late")
    visitor = await house.enter(issued.session.id)
    with pytest.raises(TaskLocked):
        await begun(house, visitor, incoming())
    assert await names(objects, house) == []


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orphans are asked about again without waiting."""
    monkeypatch.setattr(upload_orphans, "ASKED_AGAIN_AFTER", timedelta())


async def swept(house: House, objects: ObjectStore, at: datetime, cursor: str = "") -> Swept:
    return await remove_orphans(house.transactions, objects, at, cursor)


async def removed_one(house: House, visitor: Visitor, objects: ObjectStore) -> UploadRow:
    gone = await sent(house, visitor, objects)
    async with house.transactions.work() as work:
        await remove_upload(work, visitor, "papers", gone.id)
    return gone


@pytest.mark.usefixtures("at_once")
async def test_objects_without_a_row_go_after_a_while(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    """As if the process was killed between the object and its row."""
    now = datetime.now(UTC)
    await swept(house, objects, now)
    kept = await sent(house, visitor, objects)
    await removed_one(house, visitor, objects)
    orphan = await received(house, visitor, objects, incoming(), pdf())
    assert orphan.reception.object_name in await names(objects, house)
    assert await swept(house, objects, now) == Swept(1)
    assert orphan.reception.object_name in await names(objects, house)
    assert await swept(house, objects, now + ORPHANS_LEFT_FOR + SOON) == Swept(1)
    assert await names(objects, house) == [kept.object_name]
    assert await swept(house, objects, now + ORPHANS_LEFT_FOR + SOON) == Swept()


async def test_what_is_staged_is_left_for_hours(
    house: House, objects: ObjectStore, tmp_path: Path
) -> None:
    """A slow sender's file is not touched for long: it is written in large pieces."""
    now = datetime.now(UTC)
    await swept(house, objects, now)
    torn = tmp_path / "objects" / STAGING / "torn"
    torn.write_bytes(b"half")
    assert await swept(house, objects, now + STAGED_LEFT_FOR - SOON) == Swept()
    assert torn.exists()
    assert await swept(house, objects, now + STAGED_LEFT_FOR + SOON) == Swept(1)
    assert not torn.exists()


async def test_a_large_store_is_read_run_by_run(
    house: House, visitor: Visitor, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run lasts as long as it may: what is known goes first, the rest from the cursor on."""
    await swept(house, objects, house.clock.now)
    monkeypatch.setattr(upload_orphans, "ASKED_AGAIN_AFTER", timedelta())
    monkeypatch.setattr(upload_orphans, "SWEEP_FOR", timedelta())
    monkeypatch.setattr(object_listing, "LISTED_AT_ONCE", 1)
    orphans = sorted([await stray(objects) for _ in range(3)])
    late = datetime.now(UTC) + ORPHANS_LEFT_FOR + SOON
    gone = await removed_one(house, visitor, objects)
    cursor, left = "", []
    for _ in orphans:
        count, cursor = astuple(await swept(house, objects, late, cursor))
        left.append((count, cursor))
    assert left == [(2, orphans[0]), (1, orphans[1]), (1, orphans[2])]
    assert await swept(house, objects, late, cursor) == Swept()
    assert gone.object_name not in await names(objects, house)


async def stray(objects: ObjectStore) -> str:
    name = new_object_name()
    await objects.write(name, pieces(b"x"))
    return name


async def test_a_row_that_comes_late_keeps_its_object(
    house: House, visitor: Visitor, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket dates a long upload by its beginning: it looks old before it has its row."""
    monkeypatch.setattr(upload_orphans, "ASKED_AGAIN_AFTER", timedelta(seconds=0.5))
    what = incoming()
    whole = await received(house, visitor, objects, what, pdf())
    late = datetime.now(UTC) + ORPHANS_LEFT_FOR + SOON
    sweeping = asyncio.create_task(swept(house, objects, late))
    await asyncio.sleep(0.2)
    await finished(house, visitor, what, whole)
    await sweeping
    assert whole.reception.object_name in await names(objects, house)


async def test_a_removed_id_is_not_taken_again(
    house: House, visitor: Visitor, objects: ObjectStore
) -> None:
    what = incoming()
    whole = await received(house, visitor, objects, what, pdf())
    row = (await finished(house, visitor, what, whole)).row
    async with house.transactions.work() as work:
        await remove_upload(work, visitor, "papers", row.id)
    with pytest.raises(NotFound):
        await begun(house, visitor, what)
    with pytest.raises(NotFound):
        await finished(house, visitor, replace(what, task="terms"), whole)
