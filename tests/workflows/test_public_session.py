"""What carries a session from issue to settled, with everything behind it real."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from commands.public_session import extend, reissue, revoke
from commands.room import decline_room, enter_to_act
from domain.messages import DeadlineMoved, Declined, Revoked, TakenOver, TaskCompleted
from tests.rooms.house import TASKS
from tests.rooms.works import Works, eventually, kinds_of, works

CONFIRM = {"kind": "confirmation", "title": "True", "statement": "It is true."}
FOUR_TASKS = [*TASKS, CONFIRM | {"key": "truth"}, CONFIRM | {"key": "more-truth"}]


@pytest_asyncio.fixture
async def at(time_skipping: WorkflowEnvironment, database_url: str) -> AsyncIterator[Works]:
    """A house at work, whose intake reminds nobody."""
    async with works(time_skipping, database_url) as at, at.working():
        yield at


async def tell(at: Works, session_id: UUID, signal: str, *message: Any) -> None:
    await at.workflow(session_id).signal(signal, args=list(message))


async def is_over(at: Works, session_id: UUID) -> bool:
    return (await at.house.session(session_id)).settled_at is not None


async def task_failures(at: Works, session_id: UUID) -> int:
    return kinds_of(await at.history(session_id)).count("WORKFLOW_TASK_FAILED")


async def test_a_completed_session_advances_and_the_next_is_issued_and_mailed(at: Works) -> None:
    # PS-19, PS-36
    session_id = await at.issue()
    await at.complete_all(session_id)
    await eventually(lambda: is_over(at, session_id))
    assert await at.outcome(session_id) == {"end_reason": "completed", "advance": "done"}
    await at.sent(session_id)
    party = await at.house.party((await at.house.session(session_id)).party_id)
    assert (party.state, party.attributes) == ("review", {"company": "ACME"})
    assert [each.state for each in await at.house.mails(session_id)] == ["sent"] * 3
    trail = await at.house.audit(session_id)
    assert Counter(trail) == {
        "issued": 1,
        "activated": 1,
        "task.completed": 2,
        "completed": 1,
        "party.changed": 1,
        "advanced": 1,
    }


async def test_revoking_ends_the_workflow_at_the_same_moment(at: Works) -> None:
    # PS-30
    session_id = await at.issue()
    await at.sent(session_id)
    async with at.house.transactions.work() as work:
        target = at.house.target(await at.house.session(session_id))
        await revoke(work, target, "left the programme", "Please call us.")
    assert await at.outcome(session_id) == {"end_reason": "revoked", "advance": "none"}
    row = await at.house.session(session_id)
    assert row.ended_at is not None
    assert row.settled_at is not None
    assert row.settled_at - row.ended_at < timedelta(seconds=10)
    await at.sent(session_id)
    assert [each.kind for each in await at.house.mails(session_id)] == ["invitation", "revoked"]


async def test_reissuing_ends_the_old_workflow_and_starts_the_new(at: Works) -> None:
    # PS-34
    session_id = await at.issue()
    async with at.house.transactions.work() as work:
        target = at.house.target(await at.house.session(session_id))
        new = (await reissue(work, target, "lost the link")).session
    assert await at.outcome(session_id) == {"end_reason": "reissued", "advance": "none"}
    assert (await at.outcome(new.id))["end_reason"] == "bound_reached"


async def test_declining_ends_it_without_effect(at: Works) -> None:
    # PS-19
    session_id = await at.issue()
    visitor = await at.house.enter(session_id)
    async with at.house.transactions.work() as work:
        await decline_room(work, visitor, "We no longer sell this.")
    assert await at.outcome(session_id) == {"end_reason": "declined", "advance": "none"}
    await at.sent(session_id)
    kinds = [each.kind for each in await at.house.mails(session_id)]
    assert kinds == ["invitation", "issuer_declined"]


@pytest.mark.parametrize("message", [Revoked(), {}, Revoked(reissued=True)])
async def test_an_operators_bare_signal_revokes(at: Works, message: Any) -> None:
    session_id = await at.issue()
    await tell(at, session_id, "revoke", message)
    assert await at.outcome(session_id) == {"end_reason": "revoked", "advance": "none"}
    row = await at.house.session(session_id)
    assert (row.status, row.rationale != "") == ("revoked", True)
    assert (await at.house.audit(session_id))[-1] == "revoked"


async def test_an_operators_signal_after_completion_changes_nothing(at: Works) -> None:
    session_id = await at.issue()
    visitor = await at.house.enter(session_id)
    for task in ("profile", "terms"):
        await at.house.complete(visitor, task)
    await tell(at, session_id, "revoke", Revoked())
    assert (await at.outcome(session_id))["end_reason"] == "completed"
    assert "revoked" not in await at.house.audit(session_id)


async def test_a_bogus_last_task_changes_nothing(at: Works) -> None:
    session_id = await at.issue()
    await tell(at, session_id, "task_completed", TaskCompleted("bogus", "terms", last=True))
    await eventually(lambda: _ran(at, "settle", 1))
    await at.sleep(hours=1)
    assert (await at.house.session(session_id)).status == "issued"
    assert at.foreman.ran.count("settle") == 1
    await at.complete_all(session_id)
    assert await at.outcome(session_id) == {"end_reason": "completed", "advance": "done"}
    assert at.foreman.ran.count("settle") == 2


async def _ran(at: Works, activity: str, count: int) -> bool:
    return at.foreman.ran.count(activity) >= count


async def test_a_real_end_told_while_a_bogus_one_is_looked_at_is_not_lost(at: Works) -> None:
    session_id = await at.issue()
    visitor = await at.house.enter(session_id)
    await at.house.complete(visitor, "profile")
    await at.courier.drain()

    async def meanwhile() -> None:
        # The row was read as open; now the last task is completed and told.
        await at.house.complete(visitor, "terms")
        await at.courier.drain()

    at.foreman.after["settle"] = meanwhile
    await tell(at, session_id, "task_completed", TaskCompleted("bogus", "terms", last=True))
    await eventually(lambda: is_over(at, session_id))
    row = await at.house.session(session_id)
    assert row.settled_at is not None
    assert row.ended_at is not None
    assert row.settled_at - row.ended_at < timedelta(seconds=10)
    assert (await at.outcome(session_id))["end_reason"] == "completed"


async def test_signals_twice_and_in_any_order_end_it_once(at: Works) -> None:
    session_id = await at.issue()
    visitor = await at.house.enter(session_id)
    await at.house.complete(visitor, "profile")
    await at.house.complete(visitor, "terms")
    tasks = await at.house.tasks(session_id)
    told = [TaskCompleted(str(each.id), each.key, each.key == "terms") for each in tasks]
    for message in (told[1], told[0], told[1]):
        await tell(at, session_id, "task_completed", message)
    assert await at.outcome(session_id) == {"end_reason": "completed", "advance": "done"}
    trail = Counter(await at.house.audit(session_id))
    assert (trail["completed"], trail["advanced"]) == (1, 1)
    assert len(await at.house.mails(session_id)) == 3


async def test_signals_before_the_first_task_of_the_workflow_are_heard(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    async with works(time_skipping, database_url) as at:
        session_id = await at.issue()
        await at.complete_all(session_id)
        async with at.working():
            outcome = await at.outcome(session_id)
        assert outcome == {"end_reason": "completed", "advance": "done"}


async def test_what_is_told_after_the_end_is_let_go(at: Works) -> None:
    session_id = await at.issue()
    await at.complete_all(session_id)
    await at.outcome(session_id)
    async with at.house.transactions.work() as work:
        work.tell_public_session(session_id, "declined", Declined("late"))
    await at.courier.drain()
    intents = await at.house.intents(session_id)
    await eventually(lambda: _all_delivered(at, session_id))
    assert intents[-1].signal == "declined"
    assert (await at.house.session(session_id)).end_reason == "completed"


async def _all_delivered(at: Works, session_id: UUID) -> bool:
    return all(each.done_at for each in await at.house.intents(session_id))


NAIVE, LATE = "2026-01-01T00:00:00", "2099-01-01T00:00:00Z"
MALFORMED: list[tuple[str, list[Any]]] = [
    ("task_completed", []),
    ("task_completed", ["not an object"]),
    ("task_completed", [{"fact_id": 1, "task": ["a"], "last": "perhaps"}]),
    ("task_completed", [{"colour": "red"}]),
    ("take_over", [{"fact_id": "b", "fence": "many", "idle_at": "soon"}]),
    ("take_over", [{"fact_id": "b", "fence": 9, "idle_at": None}]),
    ("take_over", [TakenOver("b", -3, None)]),  # type: ignore[arg-type]  # malformed on purpose
    ("deadline_moved", [7]),
    ("deadline_moved", [{"fact_id": "d", "move": 1, "expires_at": "x", "reminders": {}}]),
    ("deadline_moved", [None]),
    ("deadline_moved", [{"fact_id": "d", "move": 9, "expires_at": NAIVE, "reminders": []}]),
    ("deadline_moved", [{"fact_id": "d", "move": 9, "expires_at": LATE, "reminders": [NAIVE]}]),
    ("take_over", [{"fact_id": "b", "fence": 9, "idle_at": NAIVE}]),
    ("declined", [[]]),
    ("revoke", [["x"]]),
    ("no_such_signal", ["x", 2, {}]),
    ("task_completed", ["\x00" * 2000]),
]


async def test_malformed_signals_never_fail_the_workflow(at: Works) -> None:
    session_id = await at.issue()
    for signal, message in MALFORMED:
        await tell(at, session_id, signal, *message)
    await at.complete_all(session_id)
    assert await at.outcome(session_id) == {"end_reason": "completed", "advance": "done"}
    assert await task_failures(at, session_id) == 0


async def test_stale_news_of_deadline_and_browser_change_nothing(at: Works) -> None:
    session_id = await at.issue()
    row = await at.house.session(session_id)
    for fence in (2, 1):
        moment = row.issued_at + timedelta(hours=fence)
        await tell(at, session_id, "take_over", TakenOver("b", fence, moment))
    late = row.expires_at + timedelta(days=5)
    await tell(at, session_id, "deadline_moved", DeadlineMoved("bogus", 1, late, ()))
    assert (await at.outcome(session_id))["end_reason"] == "bound_reached"
    assert at.foreman.ran.count("check_idle") == 1


async def test_an_extension_of_which_nobody_told_is_read_from_the_row(at: Works) -> None:
    session_id = await at.issue()
    before = await at.house.session(session_id)
    later = before.expires_at + timedelta(days=5)
    async with at.house.transactions.work() as work:
        await extend(work, at.house.target(before), later, "more time")
        work.intents.clear()
    await at.sleep_until(before.expires_at + timedelta(minutes=1))
    await eventually(lambda: _ran(at, "check_bound", 1))
    assert (await at.house.session(session_id)).status == "issued"
    await at.outcome(session_id)
    row = await at.house.session(session_id)
    assert row.ended_at is not None
    assert timedelta() <= row.ended_at - later < timedelta(seconds=10)
    assert at.foreman.ran.count("check_bound") == 2


async def test_idleness_is_looked_at_once_a_period_and_heartbeats_cost_nothing(
    at: Works,
) -> None:
    # C18
    session_id = await at.issue()
    visitor = await at.house.enter(session_id)
    await at.courier.drain()
    await at.sleep(seconds=1)
    before = len(kinds_of(await at.history(session_id)))
    for _ in range(3):
        await at.sleep(minutes=9)
        async with at.house.transactions.work() as work:
            await enter_to_act(work, visitor)
    assert len(kinds_of(await at.history(session_id))) == before
    await at.sleep(minutes=5)
    await eventually(lambda: _ran(at, "check_idle", 1))
    await at.sleep(seconds=1)
    after = len(kinds_of(await at.history(session_id)))
    # timer fired, two workflow tasks, one activity, the next timer
    assert after - before <= 11
    assert (await at.house.session(session_id)).binding_id is not None
    await at.sleep(minutes=32)
    await eventually(lambda: _idled_out(at, session_id))
    row = await at.house.session(session_id)
    assert (row.binding_id, row.status) == (None, "in_progress")
    assert at.foreman.ran.count("check_idle") == 2
    await at.sleep(days=1)
    assert at.foreman.ran.count("check_idle") == 2


async def _idled_out(at: Works, session_id: UUID) -> bool:
    return "idled_out" in await at.house.audit(session_id)


async def test_a_later_browser_is_watched_after_an_earlier_one_idled_out(at: Works) -> None:
    session_id = await at.issue()
    await at.house.enter(session_id, "door-1")
    await at.sleep(minutes=40)
    await eventually(lambda: _idled_out(at, session_id))
    await at.house.enter(session_id, "door-2")
    await at.sleep(minutes=40)
    await eventually(lambda: _ran(at, "check_idle", 2))
    assert (await at.house.audit(session_id)).count("idled_out") == 2


async def test_a_four_task_session_is_at_most_forty_events(
    time_skipping: WorkflowEnvironment, database_url: str
) -> None:
    async with works(time_skipping, database_url, tasks=FOUR_TASKS) as at, at.working():
        session_id = await at.issue()
        visitor = await at.house.enter(session_id)
        for task in FOUR_TASKS:
            await at.house.complete(visitor, str(task["key"]))
            # Each is told before the next, so that nothing is spared by being told together.
            await at.courier.drain()
            await at.sleep(seconds=30)
        await at.outcome(session_id)
        history = await at.history(session_id)
        assert len(history.events) <= 40, kinds_of(history)
        assert sum(each.ByteSize() for each in history.events) < 32 * 1024
