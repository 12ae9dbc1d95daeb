"""What was captured is erased by itself when its retention is over (PS-28, PS-40)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from activities import housekeeping as steps
from adapters.objects import ObjectMissing, ObjectStore
from commands import erasure
from commands.erasure import discard_files, erase_due
from commands.public_session import end_session
from domain.actor import HOUSEKEEPING
from domain.audit import AuditEvent
from domain.housekeeping import Swept
from domain.messages import SweepDue
from domain.public_session import EndReason
from store.audit import AuditRow
from store.columns import new_id
from store.public_session import PublicSessionRow
from store.upload import UploadRow
from tests.rooms.house import ANNA, ANSWERS, INTAKE, START, House, bare_house, furnish
from tests.rooms.kept_files import keep_file
from tests.rooms.traces import CANARY, bound

DAYS = 30
NOBODY: Any = None
"""Retention asks neither Temporal nor the object store."""


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Where files lie."""
    return ObjectStore.at(str(tmp_path / "objects"))


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A furnished workspace in a database of its own: what is due is due in all of it."""
    async with bare_house(database_url) as house:
        await furnish(house)
        yield house


@pytest_asyncio.fixture
async def keeping(house: House) -> House:
    """A house whose intake is kept for thirty days."""
    await house.publish("intake", INTAKE | {"retention_days": DAYS})
    return house


async def events(house: House, event: AuditEvent) -> list[AuditRow]:
    return [each for each in await house.all(AuditRow) if each.event == event]


async def ended(house: House, reason: EndReason) -> PublicSessionRow:
    (session,) = (await house.create()).issued
    async with house.transactions.work() as work:
        row = await work.db.get_one(PublicSessionRow, session.id)
        await end_session(work, row, reason, ANNA)
        row.settled_at = work.at
    return row


@pytest.mark.parametrize("reason", EndReason)
async def test_every_end_announces_when_it_is_erased(keeping: House, reason: EndReason) -> None:
    row = await ended(keeping, reason)
    due = START + timedelta(days=DAYS)
    assert row.erase_at == due
    announced = [each for each in await keeping.all(AuditRow) if "erase_at" in each.details]
    assert [each.details["erase_at"] for each in announced] == [due.isoformat()]


async def test_without_retention_nothing_is_erased_by_itself(house: House) -> None:
    row = await ended(house, EndReason.REVOKED)
    assert row.erase_at is None
    house.clock.turn(days=4000)
    assert await erase_due(house.transactions, house.clock(), 10, set()) == 0


async def test_retention_ends_to_the_second(keeping: House) -> None:
    row = await ended(keeping, EndReason.REVOKED)
    due = START + timedelta(days=DAYS)
    for at, erased in ((due - timedelta(seconds=1), 0), (due + timedelta(seconds=1), 1)):
        keeping.clock.now = at
        assert await erase_due(keeping.transactions, at, 10, set()) == erased
        assert (await keeping.session(row.id)).erased_at == (at if erased else None)
    assert await erase_due(keeping.transactions, keeping.clock(), 10, set()) == 0
    (event,) = await events(keeping, AuditEvent.SESSION_ERASED)
    assert event.actor == str(HOUSEKEEPING)
    assert "retention" in event.details["rationale"].lower()
    assert (await keeping.party(row.party_id)).erased_at is None


async def test_retention_goes_on_where_it_stopped(keeping: House) -> None:
    for _ in range(5):
        await ended(keeping, EndReason.REVOKED)
    keeping.clock.turn(days=DAYS)
    counts = [await erase_due(keeping.transactions, keeping.clock(), 2, set()) for _ in range(4)]
    assert counts == [2, 2, 1, 0]


async def test_two_sweeps_at_once_erase_once(keeping: House) -> None:
    for _ in range(4):
        await ended(keeping, EndReason.REVOKED)
    keeping.clock.turn(days=DAYS)
    sweeps = [erase_due(keeping.transactions, keeping.clock(), 10, set()) for _ in range(3)]
    await asyncio.gather(*sweeps)
    assert len(await events(keeping, AuditEvent.SESSION_ERASED)) == 4


async def test_one_that_cannot_be_erased_holds_up_no_other(
    keeping: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is the longest over, so that every batch of every run would begin with it.
    rows = [await ended(keeping, EndReason.REVOKED) for _ in range(4)]
    bad = f"ADD CONSTRAINT bad CHECK (erased_at IS NULL OR id <> '{rows[0].id}') NOT VALID"
    async with keeping.engine.begin() as connection:
        await connection.exec_driver_sql(f"ALTER TABLE public_session {bad}")
    keeping.clock.turn(days=DAYS)
    monkeypatch.setattr(steps, "ERASED_AT_ONCE", 1)
    keeper = steps.HousekeepingActivities(keeping.transactions, NOBODY, NOBODY)
    with capture_logs() as logged:
        assert await keeper.erase_due(SweepDue(keeping.clock())) == Swept(3)
    erased = {each.id for each in await keeping.all(PublicSessionRow) if each.erased_at}
    assert erased == {each.id for each in rows[1:]}
    assert [each["subject"] for each in logged] == [str(rows[0].id)]
    assert logged[0]["error"] == "IntegrityError"
    async with keeping.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE public_session DROP CONSTRAINT bad")
    assert await keeper.erase_due(SweepDue(keeping.clock())) == Swept(1)


async def test_a_database_that_is_away_stops_the_sweep(
    keeping: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ended(keeping, EndReason.REVOKED)
    keeping.clock.turn(days=DAYS)
    monkeypatch.setattr(erasure, "settle", AsyncMock(side_effect=ConnectionError))
    with pytest.raises(ConnectionError):
        await erase_due(keeping.transactions, keeping.clock(), 10, set())


async def test_what_was_completed_counts_although_nobody_settled_it(keeping: House) -> None:
    # Temporal was away for as long as the retention.
    moved = await keeping.create()
    visitor = await bound(keeping, moved.issued[0].id, "x")
    for task, answers in ANSWERS.items():
        await keeping.complete(visitor, task, answers)
    keeping.clock.turn(days=DAYS)
    assert await erase_due(keeping.transactions, keeping.clock(), 10, set()) == 1
    party = await keeping.party(moved.party.id)
    assert (party.state, party.attributes) == ("review", {"company": "ACME"})
    assert (await keeping.session(moved.issued[0].id)).erased_at == keeping.clock()


async def test_a_file_has_a_retention_of_its_own(house: House, objects: ObjectStore) -> None:
    (session,) = (await house.create()).issued
    due = START + timedelta(days=7)
    file = await keep_file(house, objects, session.id, b"x", name=CANARY, erase_at=due)
    kept = await keep_file(house, objects, session.id, b"x", client_id=new_id())
    assert await erase_due(house.transactions, due - timedelta(seconds=1), 10, set()) == 0
    house.clock.now = due + timedelta(seconds=1)
    assert await erase_due(house.transactions, house.clock(), 10, set()) == 1
    rows = {each.id: each for each in await house.all(UploadRow)}
    assert (rows[file.id].name, rows[file.id].removed_at) == ("", house.clock())
    assert (rows[kept.id].name, rows[kept.id].removed_at) == ("insurance.pdf", None)
    (event,) = await events(house, AuditEvent.UPLOAD_ERASED)
    assert (event.session_id, event.details["upload"]) == (session.id, str(file.id))
    await discard_files(house.transactions, objects, session.id)
    with pytest.raises(ObjectMissing):
        await objects.size(file.object_name)
    assert (await house.session(session.id)).erased_at is None
