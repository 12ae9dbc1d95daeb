"""Bounds and reminders: 14, 21 and 30 days, skipped."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from temporalio.testing import WorkflowEnvironment

from commands.public_session import extend, resend
from domain.errors import SessionEnded
from tests.rooms.works import Works, eventually, works

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
REMINDERS = {"days_before_end": [7, 3, 1]}


@pytest.mark.parametrize("days", [14, 21, 30])
async def test_a_bound_closes_without_effect(
    time_skipping: WorkflowEnvironment, database_url: str, days: int
) -> None:
    # PS-5, PS-14 to PS-17, PS-19, PS-29
    async with works(time_skipping, database_url, time_bound_days=days) as at, at.working():
        session_id = await at.issue()
        issued_at = at.house.clock.now
        outcome = await at.outcome(session_id)
        assert outcome == {"end_reason": "bound_reached", "advance": "none"}
        row = await at.house.session(session_id)
        assert (row.status, row.expires_at) == ("expired", row.issued_at + days * DAY)
        assert row.ended_at is not None
        assert timedelta() <= row.ended_at - row.expires_at < 5 * SECOND
        assert row.expires_at - issued_at <= days * DAY
        party = await at.house.party(row.party_id)
        assert (party.state, party.attributes) == ("new", {})
        assert await at.house.audit(session_id) == ["issued", "expired"]
        await at.sent(session_id)
        assert [each.kind for each in await at.house.mails(session_id)] == [
            "invitation",
            "expired",
            "issuer_expired",
        ]
        assert len(at.office.subjects(party.email)) == 2


async def reminded_at(at: Works, session_id: UUID) -> list[datetime]:
    return [each.created_at for each in await at.house.mails(session_id, "reminder")]


def near(times: list[datetime], planned: list[datetime]) -> bool:
    return len(times) == len(planned) and all(
        timedelta() <= time - plan < 5 * SECOND for time, plan in zip(times, planned, strict=True)
    )


async def test_reminders_come_at_their_slots_and_reach_the_party(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    async with works(time_skipping, database_url, reminders=REMINDERS) as at, at.working():
        session_id = await at.issue()
        await at.sent(session_id)
        end = (await at.house.session(session_id)).expires_at
        slots = [end - days * DAY for days in (7, 3, 1)]
        for number, slot in enumerate(slots):
            await at.sleep_until(slot - SECOND)
            assert len(await reminded_at(at, session_id)) == number
            await at.sleep_until(slot + SECOND)
            await eventually(partial(_has_reminders, at, session_id, number + 1))
            await at.courier.drain()
            await at.sent(session_id)
        assert near(await reminded_at(at, session_id), slots)
        assert (await at.outcome(session_id))["end_reason"] == "bound_reached"
        await at.sent(session_id)
        assert len(await reminded_at(at, session_id)) == 3
        assert (await at.house.audit(session_id)).count("reminded") == 3
        states = {each.state for each in await at.house.mails(session_id)}
        assert states == {"sent"}
        assert len(at.office.subjects(at.house.address)) == 5


async def _has_reminders(at: Works, session_id: UUID, count: int) -> bool:
    return len(await reminded_at(at, session_id)) == count


async def test_no_reminder_after_completion(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    async with works(time_skipping, database_url, reminders=REMINDERS) as at, at.working():
        session_id = await at.issue()
        await at.sleep(days=8)
        await at.complete_all(session_id)
        assert await at.outcome(session_id) == {"end_reason": "completed", "advance": "done"}
        await at.sleep(days=10)
        assert len(await reminded_at(at, session_id)) == 1
        assert "reminded" not in (await at.house.audit(session_id))[2:]


async def test_an_extension_moves_the_end_and_its_reminders(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    days = {"days_before_end": [3, 1]}
    async with works(time_skipping, database_url, reminders=days) as at, at.working():
        session_id = await at.issue()
        end = (await at.house.session(session_id)).expires_at
        await at.sleep_until(end - 2 * DAY)
        async with at.house.transactions.work() as work:
            target = at.house.target(await at.house.session(session_id))
            await extend(work, target, end + 10 * DAY, "on leave")
        await at.sleep_until(end + 5 * SECOND)
        assert (await at.house.session(session_id)).status == "issued"
        assert (await at.outcome(session_id))["end_reason"] == "bound_reached"
        row = await at.house.session(session_id)
        assert row.ended_at is not None
        assert row.ended_at - (end + 10 * DAY) < 5 * SECOND
        planned = [end - 3 * DAY, end + 7 * DAY, end + 9 * DAY]
        assert near(await reminded_at(at, session_id), planned)


async def test_workers_that_were_away_catch_up_with_one_reminder_at_most(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    # two of three slots pass before anybody works; the third would follow within a day
    daily = {"days_before_end": [7, 6, 5]}
    async with works(time_skipping, database_url, reminders=daily) as at:
        session_id = await at.issued_ago(days=8, hours=6)
        row = await at.house.session(session_id)
        async with at.working():
            assert (await at.outcome(session_id))["end_reason"] == "bound_reached"
        late = row.issued_at + 8 * DAY + DAY / 4
        assert near(await reminded_at(at, session_id), [late, late + DAY])


async def test_workers_that_were_away_at_the_deadline_end_it_and_remind_nobody(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    # PS-29: the row refuses although nobody works
    async with works(time_skipping, database_url, reminders=REMINDERS) as at:
        session_id = await at.issued_ago(days=16)
        session = await at.house.session(session_id)
        assert session.status == "issued"
        with pytest.raises(SessionEnded):
            async with at.house.transactions.work() as work:
                await resend(work, at.house.target(session))
        async with at.working():
            assert (await at.outcome(session_id))["end_reason"] == "bound_reached"
            await at.sent(session_id)
        assert await reminded_at(at, session_id) == []
        mails = [(each.kind, each.state) for each in await at.house.mails(session_id)]
        assert mails == [
            ("invitation", "refused"),
            ("expired", "sent"),
            ("issuer_expired", "sent"),
        ]
