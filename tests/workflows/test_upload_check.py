"""Uploaded files and the virus scanner, against a daemon that speaks clamd's protocol (PS-40)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlmodel import col, select
from temporalio.testing import WorkflowEnvironment
from typing_extensions import override

from adapters.clamd import Clamd
from adapters.temporal import Telegraph
from adapters.virus_scan import ScanFailed, TooLargeToScan
from commands import upload_recheck
from commands.public_session import revoke
from commands.upload import Incoming, begin_upload, remove_upload
from commands.upload_recheck import recheck_uploads
from domain.audit import AuditEvent
from domain.errors import AnswersRefused
from domain.housekeeping import Swept
from domain.upload import UploadReason, UploadRefusal, UploadRefused
from domain.workflow_names import upload_check_id
from store.audit import AuditRow
from store.backlog import backlog
from store.intent import IntentRow
from store.upload import UploadState
from tests.rooms.clamd import MOST_BYTES, clamd
from tests.rooms.files import EICAR, MIB
from tests.rooms.upload_checks import Checked, checking, pieces
from tests.rooms.works import eventually, works

Keeper = Callable[[], Awaitable[Swept]]
CLEAN = b"number;amount\n" * 100_000


@pytest_asyncio.fixture
async def checked(
    time_skipping: WorkflowEnvironment, database_url: str, tmp_path: Path
) -> AsyncIterator[Checked]:
    async with (
        works(time_skipping, database_url) as at,
        checking(at, tmp_path / "objects") as checked,
    ):
        yield checked


async def verdicts(checked: Checked) -> list[tuple[str, str]]:
    rows = await checked.at.house.all(AuditRow)
    found = [each for each in rows if each.event == "upload.checked"]
    return [(each.reason, each.details["virus"]) for each in found]


async def test_a_clean_file_is_ready_once_it_was_checked(checked: Checked) -> None:
    row = await checked.send(CLEAN)
    assert row.state == UploadState.CHECKING
    with pytest.raises(AnswersRefused, match="1 answer"):
        await checked.at.house.complete(checked.visitor, "papers", {})
    async with checked.working():
        assert await checked.outcome(row) == "ready"
    assert checked.daemon.scanned == [CLEAN]
    assert await checked.state(row) == "ready"
    assert await verdicts(checked) == [("ready", "")]
    await checked.at.house.complete(checked.visitor, "papers", {})


async def test_a_virus_is_found_and_the_file_goes_nowhere(checked: Checked) -> None:
    row = await checked.send(b"a;b\n" + EICAR + b"\n")
    async with checked.working():
        assert await checked.outcome(row) == "infected"
    assert await verdicts(checked) == [("infected", "Eicar-Test-Signature")]
    with pytest.raises(AnswersRefused) as refused:
        await checked.at.house.complete(checked.visitor, "papers", {})
    assert "virus was found in a.csv" in refused.value.errors["files"]


async def test_a_daemon_that_is_away_is_waited_for(checked: Checked) -> None:
    row = await checked.send(CLEAN)
    checked.daemon.answers = [b"", b"stream: Can't allocate memory ERROR\n", b"nonsense\n"]
    began = checked.at.house.clock.now
    async with checked.working():
        assert await checked.outcome(row) == "ready"
    assert len(checked.daemon.scanned) == 4
    assert (checked.at.house.clock.now - began).total_seconds() >= 1 + 2 + 4
    assert await verdicts(checked) == [("ready", "")]


async def test_a_file_that_was_taken_back_is_not_waited_for(checked: Checked) -> None:
    row = await checked.send(CLEAN)
    async with checked.at.house.transactions.work() as work:
        await remove_upload(work, checked.visitor, "papers", row.id)
    async with checked.working():
        assert await checked.outcome(row) == ""
    assert checked.daemon.scanned == []
    assert await verdicts(checked) == []


async def test_a_file_that_is_too_large_to_scan_is_said_to_be(checked: Checked) -> None:
    row = await checked.send(b"number;amount\n" * (MOST_BYTES // 14 + 1))
    async with checked.working():
        assert await checked.outcome(row) == "unscannable"
    assert await verdicts(checked) == [("unscannable", "")]
    with pytest.raises(AnswersRefused) as refused:
        await checked.at.house.complete(checked.visitor, "papers", {})
    assert "a.csv is too large for our virus scanner" in refused.value.errors["files"]


async def test_what_the_scanner_does_not_take_is_refused_before_it_is_sent(
    checked: Checked,
) -> None:
    transactions = checked.at.house.transactions
    transactions.settings = replace(transactions.settings, clamd_most_bytes=MIB)
    what = Incoming(uuid4(), "papers", "", "a.csv", announced=MIB + 1)
    with pytest.raises(UploadRefused) as refused:
        async with transactions.work() as work:
            await begin_upload(work, checked.visitor, what)
    assert refused.value.refusal == UploadRefusal(UploadReason.TOO_LARGE, "1 MB", "1.1 MB")


async def test_nobody_waits_for_the_check_of_a_session_that_is_over(checked: Checked) -> None:
    row = await checked.send(CLEAN)
    checked.daemon.answers = [b""] * 3
    async with checked.working():
        await eventually(lambda: _is_asked(checked))
        house = checked.at.house
        async with house.transactions.work() as work:
            await revoke(work, house.target(await house.session(row.session_id)), "why")
        assert await checked.outcome(row) == ""
    assert await verdicts(checked) == []


async def _is_asked(checked: Checked) -> bool:
    return checked.daemon.scanned != []


async def test_told_twice_to_start_is_one_check(checked: Checked) -> None:
    row = await checked.send(CLEAN)
    async with checked.working():
        await checked.outcome(row)
        again = await checked.at.client.start_workflow(
            "UploadCheck",
            {"upload_id": str(row.id)},
            id=f"again:{row.id}",
            task_queue="gatepass-upload-checks",
        )
        assert (await checked.at._result(again))["state"] == "ready"
    assert len(checked.daemon.scanned) == 1
    assert await verdicts(checked) == [("ready", "")]


@pytest.fixture
def keeper(checked: Checked) -> Keeper:
    """Housekeeping's step, eleven minutes on."""
    at = checked.at

    async def keep() -> Swept:
        later = at.house.clock.now + timedelta(minutes=11)
        telegraph = Telegraph(at.client, timedelta(seconds=3))
        swept = await recheck_uploads(at.house.transactions, telegraph, later, "")
        await at.courier.drain()
        return swept

    return keep


async def test_a_check_that_ended_without_an_answer_is_started_again(
    checked: Checked, keeper: Keeper
) -> None:
    """Terminated by somebody, or known to be over by a Temporal that is newer than the rows."""
    row = await checked.send(CLEAN)
    assert await keeper() == Swept(0), "it waits for a worker"
    for again in range(2):
        handle = checked.at.client.get_workflow_handle(upload_check_id(row.id, again))
        await handle.terminate()
        assert await keeper() == Swept(1)
        assert await keeper() == Swept(0)
    async with checked.working():
        assert await checked.outcome(row, again=2) == "ready"
    assert checked.daemon.scanned == [CLEAN]
    assert await keeper() == Swept(0)


class Restored(Telegraph):
    """Temporal from a backup that is older than every check."""

    @override
    async def knows(self, workflow_id: str) -> bool:
        """Nothing is there."""
        return False


async def test_checks_that_temporal_lost_are_started_again_run_by_run(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_recheck, "LOOKED_UP_AT_MOST", 1)
    at, ids = checked.at, [(await checked.send(CLEAN)).id for _ in range(2)]
    telegraph, cursor = Restored(at.client, timedelta(seconds=3)), ""
    later = at.house.clock.now + timedelta(minutes=11)
    for each in ids:
        swept = await recheck_uploads(at.house.transactions, telegraph, later, cursor)
        cursor = str(each)
        assert swept == Swept(1, cursor)
    async with at.house.transactions.work() as work:
        found = select(IntentRow.workflow_id).order_by(col(IntentRow.id).desc()).limit(2)
        started = (await work.db.scalars(found)).all()
    assert started == [upload_check_id(each) for each in reversed(ids)]
    assert await recheck_uploads(at.house.transactions, telegraph, later, cursor) == Swept(0)


async def test_a_check_that_always_ends_without_an_answer_is_left_to_people(
    checked: Checked, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_recheck, "MOST_CHECKS", 1)
    row = await checked.send(CLEAN)
    await checked.at.client.get_workflow_handle(upload_check_id(row.id)).terminate()
    assert await keeper() == Swept(0)
    assert await behind(checked) == 1


async def behind(checked: Checked) -> int:
    """How many files wait, as `/readyz` says an hour later."""
    async with checked.at.house.transactions.work() as work:
        return (await backlog(work.db, work.at + timedelta(hours=1))).checks


async def test_without_a_scanner_files_that_wait_are_ready_and_the_audit_says_so(
    checked: Checked, keeper: Keeper
) -> None:
    row = await checked.send(CLEAN)
    assert await behind(checked) == 1
    transactions = checked.at.house.transactions
    transactions.settings = replace(transactions.settings, clamd_address="")
    assert await keeper() == Swept(1)
    assert await checked.state(row) == "ready"
    assert await behind(checked) == 0
    (released,) = [
        each
        for each in await checked.at.house.all(AuditRow)
        if each.event == AuditEvent.UPLOAD_RELEASED
    ]
    assert (released.reason, released.details) == ("no_scanner", {"upload": str(row.id)})
    assert await verdicts(checked) == []
    await checked.at.house.complete(checked.visitor, "papers", {})


async def test_nobody_looks_for_files_of_sessions_that_are_over(
    checked: Checked, keeper: Keeper
) -> None:
    row = await checked.send(CLEAN)
    await checked.at.client.get_workflow_handle(upload_check_id(row.id)).terminate()
    transactions = checked.at.house.transactions
    session = await checked.at.house.session(row.session_id)
    async with transactions.work() as work:
        await revoke(work, checked.at.house.target(session), "why")
    assert await keeper() == Swept(0)
    assert await behind(checked) == 0


async def test_what_the_daemon_cannot_judge_stays_unknown() -> None:
    with pytest.raises(ScanFailed, match="Error connecting"):
        await Clamd("127.0.0.1:1", MOST_BYTES).virus_in(pieces(CLEAN))


@pytest.mark.parametrize("most_bytes", [MIB, 2 * MOST_BYTES])
async def test_too_large_is_an_answer_whoever_gives_it(most_bytes: int) -> None:
    """We know the daemon's limit, or the daemon says that this was too much."""
    async with clamd() as daemon:
        with pytest.raises(TooLargeToScan):
            await Clamd(daemon.address, most_bytes).virus_in(pieces(bytes(MOST_BYTES + 1)))
    assert daemon.scanned == []


async def test_a_stream_that_breaks_tells_its_own_error() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CLEAN
        raise LookupError("tampered")

    async with clamd() as daemon:
        with pytest.raises(LookupError, match="tampered"):
            await Clamd(daemon.address, MOST_BYTES).virus_in(broken())
    assert daemon.scanned == []


@pytest.mark.parametrize("address", ["", "localhost", "localhost:", ":x"])
async def test_an_address_is_a_host_and_a_port(address: Any) -> None:
    with pytest.raises(ValueError, match="host:port"):
        Clamd(address, MOST_BYTES)


async def test_eventually_every_file_of_many(checked: Checked) -> None:
    rows = [await checked.send(b"a;b\n%d\n" % each) for each in range(4)]
    async with checked.working():

        async def all_ready() -> bool:
            return {await checked.state(each) for each in rows} == {"ready"}

        await eventually(all_ready)
