"""A fault between commit and delivery, at twelve named points.

Whatever happens, afterwards every row has its one workflow, and nothing is told twice with effect.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from typing_extensions import override

from adapters.embedded.temporal_server import TemporalServer
from adapters.temporal import Delivery, Telegram, Telegraph, TemporalAway
from commands.intent import IntentCourier
from commands.public_session import revoke
from commands.room import Visitor
from commands.work import Courier
from domain.workflow_names import MAIL, PUBLIC_SESSION, REVOKE, TASK_COMPLETED
from store.party import PassageRow
from store.public_session import PublicSessionRow
from tests.rooms.house import Clock, DiesAfterCommit
from tests.rooms.works import Works, eventually, works


class Point(StrEnum):
    """What was to be delivered when the fault struck."""

    START_PUBLIC_SESSION = "start PublicSession"
    START_MAIL = "start Mail"
    SIGNAL_TASK_COMPLETED = "signal task_completed"
    SIGNAL_REVOKE = "signal revoke"

    def matches(self, telegram: Telegram) -> bool:
        """Whether this telegram is the one."""
        return {
            Point.START_PUBLIC_SESSION: (PUBLIC_SESSION, None),
            Point.START_MAIL: (MAIL, None),
            Point.SIGNAL_TASK_COMPLETED: (PUBLIC_SESSION, TASK_COMPLETED),
            Point.SIGNAL_REVOKE: (PUBLIC_SESSION, REVOKE),
        }[self] == (telegram.workflow, telegram.signal)


class Fault(StrEnum):
    """How it struck."""

    PROCESS_DIES = "the process dies after its commit"
    NEVER_REACHED = "the call fails before it reaches Temporal"
    TOLD_IT_FAILED = "the call succeeds and is reported as failed"


@dataclass(slots=True)
class Faulty(Telegraph):
    """A telegraph on which one telegram goes wrong."""

    inner: Telegraph
    point: Point
    fault: Fault
    struck: int = 0

    @override
    async def deliver(self, telegram: Telegram) -> Delivery:
        """Delivers all but the one."""
        if not self.point.matches(telegram):
            return await self.inner.deliver(telegram)
        self.struck += 1
        if self.fault is Fault.TOLD_IT_FAILED:
            await self.inner.deliver(telegram)
        raise TemporalAway("no answer")


@pytest_asyncio.fixture(scope="module")
async def at(temporal_server: TemporalServer, module_database_url: str) -> AsyncIterator[Works]:
    """A house at work on a server whose time is the real one."""
    client = await Client.connect(temporal_server.address, namespace=temporal_server.namespace)
    environment = WorkflowEnvironment.from_client(client)
    async with works(environment, module_database_url) as at, at.working():
        yield at
        for each in await at.house.all(PublicSessionRow):
            await _terminate(at, each)


async def _terminate(at: Works, row: PublicSessionRow) -> None:
    """What is under way would wait for its bound on a server that others use too."""
    try:
        await at.workflow(row.id).terminate()
    except RPCError:
        return


def telegraph(at: Works) -> Telegraph:
    return Telegraph(at.client, timedelta(seconds=3))


def process(at: Works, point: Point, fault: Fault) -> tuple[Courier, Faulty]:
    """The courier of a process to which the fault happens."""
    faulty = Faulty(telegraph(at), point, fault)
    settings = at.house.transactions.settings
    if fault is Fault.PROCESS_DIES:
        return DiesAfterCommit(), faulty
    return IntentCourier(at.house.engine, faulty, settings, at.house.clock), faulty


async def deliver_what_is_due(at: Works) -> None:
    """Another process, a few seconds later: its loop until nothing is left."""
    later = Clock(datetime.now(UTC) + timedelta(seconds=30))
    settings = at.house.transactions.settings
    courier = IntentCourier(at.house.engine, telegraph(at), settings, later)
    for _ in range(5):
        await courier.deliver_due()
        later.turn(seconds=6)


class Struck:
    """Puts the faulty process in the place of the good one for one verb."""

    def __init__(self, at: Works, point: Point, fault: Fault) -> None:
        self.at = at
        self.courier, self.faulty = process(at, point, fault)

    async def __aenter__(self) -> None:
        self.good = self.at.house.transactions._courier
        self.at.house.transactions._courier = self.courier

    async def __aexit__(self, *_: object) -> None:
        self.at.house.transactions._courier = self.good
        if isinstance(self.courier, IntentCourier):
            await self.courier.drain()
            assert self.faulty.struck == 1


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("point", Point)
async def test_a_fault_between_commit_and_delivery(at: Works, point: Point, fault: Fault) -> None:
    # PS-36; the most valuable fault is the write that happened and was reported as failed
    await at.follow()
    session = await issue_with(at, point, fault)
    if point is Point.SIGNAL_REVOKE:
        await revoke_with(at, session, fault)
    else:
        await complete_with(at, session, point, fault)
    await deliver_what_is_due(at)
    await settled_once(at, session, "revoked" if point is Point.SIGNAL_REVOKE else "completed")


async def issue_with(at: Works, point: Point, fault: Fault) -> PublicSessionRow:
    if point in {Point.START_PUBLIC_SESSION, Point.START_MAIL}:
        async with Struck(at, point, fault):
            session = (await at.house.create()).issued[0]
        await deliver_what_is_due(at)
    else:
        session = await at.house.session(await at.issue())
    await at.sent(session.id)
    return session


async def complete_with(at: Works, session: PublicSessionRow, point: Point, fault: Fault) -> None:
    visitor: Visitor = await at.house.enter(session.id)
    await at.house.complete(visitor, "profile")
    await at.courier.drain()
    if point is Point.SIGNAL_TASK_COMPLETED:
        async with Struck(at, point, fault):
            await at.house.complete(visitor, "terms")
    else:
        await at.house.complete(visitor, "terms")
        await at.courier.drain()


async def revoke_with(at: Works, session: PublicSessionRow, fault: Fault) -> None:
    async with Struck(at, Point.SIGNAL_REVOKE, fault), at.house.transactions.work() as work:
        await revoke(work, at.house.target(session), "left the programme")


async def settled_once(at: Works, session: PublicSessionRow, end: str) -> None:
    outcome = await at.workflow(session.id).result()
    assert outcome["end_reason"] == end
    await at.courier.drain()
    await deliver_what_is_due(at)
    await at.sent(session.id)
    # Told once more, all of it, when all of it is over.
    at.courier.hand_over(await at.house.intents(session.id))
    await at.courier.drain()
    trail = Counter(await at.house.audit(session.id))
    assert (trail["issued"], trail[end]) == (1, 1)
    moved = [each.transition for each in await passages(at, session)]
    assert moved == ([None, "look"] if end == "completed" else [None])
    mails = await at.house.mails(session.id)
    assert Counter(each.kind for each in mails).most_common(1)[0][1] == 1
    assert {each.state for each in mails} == {"sent"}
    arrived = Counter(each["Message-ID"] for each in at.office.taken)
    assert all(arrived[f"<{each.id}@gatepass.localhost>"] == 1 for each in mails)
    assert all(each.done_at for each in await at.house.intents(session.id))
    await one_workflow_each(at, session, mails_of=[str(each.id) for each in mails])


async def passages(at: Works, session: PublicSessionRow) -> list[PassageRow]:
    rows = await at.house.all(PassageRow)
    return [each for each in rows if each.party_id == session.party_id]


async def one_workflow_each(at: Works, session: PublicSessionRow, mails_of: list[str]) -> None:
    ids = [f"public-session:{session.id}", *(f"mail:{each}" for each in mails_of)]
    for workflow_id in ids:

        async def closed_once(wanted: str = workflow_id) -> bool:
            found = [each async for each in at.client.list_workflows(f"WorkflowId = '{wanted}'")]
            return [each.status for each in found] == [WorkflowExecutionStatus.COMPLETED]

        await eventually(closed_once)
