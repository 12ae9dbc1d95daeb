"""What housekeeping removes and what it must leave; what Temporal lost and gets again."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlmodel import select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from typing_extensions import override

from activities import housekeeping as steps
from activities.housekeeping import HousekeepingActivities
from adapters.embedded.ports import free_port
from adapters.embedded.temporal_server import TemporalServer
from adapters.objects import ObjectStore
from adapters.temporal import Telegraph, TemporalAway
from commands import reconcile
from commands.binding import Verify, verify
from commands.door import ask_code
from commands.public_session import revoke
from commands.settlement import settle
from domain.errors import CodeSpent, CodeWrong
from domain.housekeeping import Swept
from domain.messages import SweepDue
from domain.workflow_names import TAKE_OVER, mail_id, public_session_id
from store.code import CodeRow, CodeTryRow
from store.columns import new_id
from store.mail import MailRow
from store.public_session import PublicSessionRow
from store.visit import VisitRow, count_visit
from tests.rooms.house import House, furnished_house
from tests.rooms.works import Works, eventually, works

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Clerk(Telegraph):
    """A telegraph that knows the workflows it is told to know, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known: set[str] = set()
        self.over: set[str] = set()
        self.away = False

    @override
    async def knows(self, workflow_id: str) -> bool:
        """Answers from its list."""
        self.asked.append(workflow_id)
        if self.away:
            raise TemporalAway("no answer")
        return workflow_id in self.known

    @override
    async def is_over(self, workflow_id: str) -> bool:
        """Answers from its other list."""
        return workflow_id in self.over


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A house with a database of its own: housekeeping sweeps all of it."""
    async with furnished_house(database_url) as house:
        yield house


def keeper(house: House, telegraph: Telegraph | None = None) -> HousekeepingActivities:
    objects = ObjectStore.at(house.transactions.settings.object_store)
    return HousekeepingActivities(house.transactions, telegraph or Clerk(), objects)


def due(house: House, cursor: str = "") -> SweepDue:
    return SweepDue(house.clock.now, cursor)


async def issued(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


async def rows(house: House, table: type[CodeRow | CodeTryRow | MailRow | VisitRow]) -> int:
    async with house.transactions.work() as work:
        return len((await work.db.execute(select(table))).all())


async def asked(house: House, session_id: UUID) -> MailRow:
    """A code that was asked for, in its queued mail."""
    async with house.transactions.work() as work:
        await ask_code(work, await house.link(session_id), "door-1")
    return (await house.mails(session_id, "code"))[-1]


async def note(house: House, mail: MailRow, state: str) -> None:
    async with house.transactions.work() as work:
        (await work.db.get_one(MailRow, mail.id)).state = state


async def over(house: House, session: PublicSessionRow) -> None:
    """Revoked and settled."""
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    async with house.transactions.work() as work:
        await settle(work, session.id)


# Codes.


async def test_codes_go_a_day_after_their_life_with_the_tries_at_them(house: House) -> None:
    session = await issued(house)
    await house.enter(session.id)
    await house.fresh_code(session.id)
    wrong = Verify(await house.link(session.id), "door-2", "00000000")
    with pytest.raises((CodeWrong, CodeSpent)):
        await verify(house.transactions, wrong)
    house.clock.turn(hours=24, minutes=9)
    await house.fresh_code(session.id)
    assert (await rows(house, CodeRow), await rows(house, CodeTryRow)) == (3, 2)
    assert await keeper(house).purge_codes(due(house)) == Swept(0)
    house.clock.turn(minutes=2)
    assert await keeper(house).purge_codes(due(house)) == Swept(2)
    assert (await rows(house, CodeRow), await rows(house, CodeTryRow)) == (1, 0)


async def test_a_code_whose_mail_is_queued_stays_until_the_mail_is_not(house: House) -> None:
    session = await issued(house)
    mail = await asked(house, session.id)
    house.clock.turn(days=3)
    assert await keeper(house).purge_codes(due(house)) == Swept(0)
    await note(house, mail, "refused")
    assert await keeper(house).purge_codes(due(house)) == Swept(1)
    (kept,) = await house.mails(session.id, "code")
    assert (kept.id, kept.code_id) == (mail.id, None)


# Mails.


async def test_old_mails_of_settled_sessions_go_but_the_one_that_is_shown(house: House) -> None:
    session = await issued(house)
    code = await asked(house, session.id)
    await over(house, session)
    for mail in await house.mails(session.id):
        await note(house, mail, "sent")
    house.clock.turn(days=89)
    assert await keeper(house).purge_mails(due(house)) == Swept(0)
    house.clock.turn(days=2)
    assert await keeper(house).purge_codes(due(house)) == Swept(1)
    assert await keeper(house).purge_mails(due(house)) == Swept(2)
    kept = await house.mails(session.id)
    row = await house.session(session.id)
    assert [each.id for each in kept] == [row.mail_id]
    assert code.id != row.mail_id


async def test_mails_on_their_way_and_those_of_open_sessions_stay(house: House) -> None:
    is_open, is_over = await issued(house), await issued(house)
    for mail in await house.mails(is_open.id):
        await note(house, mail, "sent")
    await asked(house, is_over.id)
    await over(house, is_over)
    house.clock.turn(days=200)
    assert await keeper(house).purge_mails(due(house)) == Swept(0)
    assert await rows(house, MailRow) == 4


# Visits, and every sweep.


async def test_visits_go_ninety_days_after_the_end(house: House) -> None:
    is_open, is_over = await issued(house), await issued(house)
    async with house.transactions.work() as work:
        await count_visit(work.db, is_open.id, work.at)
        await count_visit(work.db, is_over.id, work.at)
    await over(house, is_over)
    house.clock.turn(days=90)
    assert await keeper(house).purge_visits(due(house)) == Swept(0)
    house.clock.turn(minutes=1)
    assert await keeper(house).purge_visits(due(house)) == Swept(1)
    assert await rows(house, VisitRow) == 1


async def many_codes(house: House, count: int) -> None:
    session = await issued(house)
    for _ in range(count):
        await house.fresh_code(session.id)
    house.clock.turn(days=2)


async def test_a_sweep_goes_on_in_batches_until_nothing_is_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BATCH", 2)
    await many_codes(house, 5)
    assert await keeper(house).purge_codes(due(house)) == Swept(5)
    assert await rows(house, CodeRow) == 0


async def test_a_sweep_that_took_long_leaves_the_rest_to_the_next_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BATCH", 2)
    monkeypatch.setattr(steps, "SWEEP_FOR", timedelta())
    await many_codes(house, 5)
    assert await keeper(house).purge_codes(due(house)) == Swept(2)
    assert await keeper(house).purge_codes(due(house)) == Swept(2)
    assert await keeper(house).purge_codes(due(house)) == Swept(1)


async def test_what_somebody_holds_is_left_for_later(house: House) -> None:
    await many_codes(house, 2)
    async with house.transactions.work() as work:
        await work.db.execute(select(CodeRow).limit(1).with_for_update())
        assert await keeper(house).purge_codes(due(house)) == Swept(1)
    assert await keeper(house).purge_codes(due(house)) == Swept(1)


# Reconciling: what is looked up.


async def delivered(house: House) -> None:
    """As if a courier had delivered everything."""
    for session in await house.all(PublicSessionRow):
        for intent in await house.intents(session.id):
            async with house.transactions.work() as work:
                (await work.db.get_one(type(intent), intent.id)).done_at = work.at


async def test_only_what_should_have_a_workflow_is_looked_up(house: House) -> None:
    settled, ended, is_open = [await issued(house) for _ in range(3)]
    await over(house, settled)
    house.clock.turn(minutes=5)
    async with house.transactions.work() as work:
        await revoke(work, house.target(ended), "why")
    clerk = Clerk()
    await delivered(house)
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(0)
    assert clerk.asked == [], "what has just begun or ended is on its way"
    house.clock.turn(minutes=6)
    await issued(house)
    clerk.known = {public_session_id(each.id) for each in (ended, is_open)}
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(0)
    assert clerk.asked == [public_session_id(is_open.id)]
    house.clock.turn(minutes=5)
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(1)
    assert clerk.asked[1:3] == [public_session_id(each.id) for each in (ended, is_open)]


async def test_what_is_to_be_started_anyway_is_nobodys_loss(house: House) -> None:
    await issued(house)
    house.clock.turn(minutes=11)
    clerk = Clerk()
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(0)
    assert await keeper(house, clerk).reconcile_mails(due(house)) == Swept(0)
    assert clerk.asked == []


async def test_a_lost_workflow_is_started_once_and_told_of_its_browser(house: House) -> None:
    session = await issued(house)
    visitor = await house.enter(session.id)
    await house.complete(visitor, "profile")
    await delivered(house)
    house.clock.turn(minutes=11)
    for count in (1, 0):
        assert await keeper(house).reconcile(due(house)) == Swept(count)
    start, told = [each for each in await house.intents(session.id) if each.done_at is None]
    assert (start.signal, told.signal) == (None, TAKE_OVER)
    assert start.payload["tasks"] == ["terms"]
    assert start.payload["expires_at"] == session.expires_at.isoformat()
    assert told.payload["fence"] == 1
    assert (told.id > start.id, start.workflow_id) == (True, public_session_id(session.id))


async def test_a_lost_workflow_of_an_ended_session_is_due_at_once(house: House) -> None:
    session = await issued(house)
    await house.enter(session.id)
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    await delivered(house)
    ended_at = house.clock.now
    house.clock.turn(minutes=11)
    assert await keeper(house).reconcile(due(house)) == Swept(1)
    (start,) = [each for each in await house.intents(session.id) if each.done_at is None]
    assert start.payload["expires_at"] == ended_at.isoformat()
    assert start.payload["reminders"] == []


# Reconciling: rows and workflows of different ages.


async def test_an_end_that_an_older_workflow_never_heard_of_has_its_consequences(
    house: House,
) -> None:
    # Temporal is from before the end, or has been through with it before the rows were restored.
    session = await issued(house)
    visitor = await house.enter(session.id)
    for task in ("profile", "terms"):
        await house.complete(visitor, task)
    await delivered(house)
    house.clock.turn(minutes=11)
    clerk = Clerk()
    clerk.known = {public_session_id(session.id)}
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(1)
    row = await house.session(session.id)
    assert (row.settled_at, row.advance) == (house.clock.now, "done")
    assert (await house.party(row.party_id)).state == "review"


async def test_a_deadline_that_passed_long_ago_is_written_down(house: House) -> None:
    session = await issued(house)
    await delivered(house)
    house.clock.now = session.expires_at + timedelta(minutes=9)
    clerk = Clerk()
    clerk.known = {public_session_id(session.id)}
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(0)
    house.clock.turn(minutes=2)
    assert await keeper(house, clerk).reconcile(due(house)) == Swept(1)
    row = await house.session(session.id)
    assert (row.end_reason, row.settled_at) == ("bound_reached", house.clock.now)


async def test_a_queued_mail_whose_workflow_is_over_is_refused_for_all_to_see(house: House) -> None:
    session = await issued(house)
    (mail,) = await house.mails(session.id)
    await delivered(house)
    house.clock.turn(minutes=11)
    clerk = Clerk()
    clerk.known = {mail_id(mail.id)}
    assert await keeper(house, clerk).reconcile_mails(due(house)) == Swept(0)
    clerk.over = clerk.known
    assert await keeper(house, clerk).reconcile_mails(due(house)) == Swept(1)
    row = await house.session(session.id)
    assert (row.mail_state, row.mail_detail) == ("refused", "lost_by_a_restore")
    async with house.transactions.work() as work:
        assert not await reconcile.conclude_mail(work, mail.id)
        assert not await reconcile.conclude_session(work, new_id())


async def test_a_run_goes_on_where_the_one_before_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOKED_UP_AT_MOST", 2)
    ids = [(await issued(house)).id for _ in range(3)]
    await delivered(house)
    house.clock.turn(minutes=11)
    clerk = Clerk()
    clerk.known = {public_session_id(each) for each in ids}
    first = await keeper(house, clerk).reconcile(due(house))
    assert first == Swept(0, str(ids[1]))
    assert await keeper(house, clerk).reconcile(due(house, first.cursor)) == Swept(0)
    assert clerk.asked == [public_session_id(each) for each in ids]


async def test_a_run_that_took_long_stops_where_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "SWEEP_FOR", timedelta())
    ids = [(await issued(house)).id for _ in range(2)]
    await delivered(house)
    house.clock.turn(minutes=11)
    first = await keeper(house).reconcile(due(house))
    assert first == Swept(1, str(ids[0]))
    assert await keeper(house).reconcile(due(house, first.cursor)) == Swept(1, str(ids[1]))


async def test_nothing_is_started_while_temporal_does_not_answer(house: House) -> None:
    session = await issued(house)
    await delivered(house)
    house.clock.turn(minutes=11)
    clerk = Clerk()
    clerk.away = True
    with pytest.raises(TemporalAway):
        await keeper(house, clerk).reconcile(due(house))
    assert [each for each in await house.intents(session.id) if each.done_at is None] == []


async def test_what_ended_while_it_was_looked_up_is_left_alone(house: House) -> None:
    waiting, settled = await issued(house), await issued(house)
    await over(house, settled)
    (mail, *_) = await house.mails(waiting.id)
    for state, expected in (("queued", False), ("sent", False)):
        await note(house, mail, state)
        async with house.transactions.work() as work:
            assert await reconcile.restart_mail(work, mail.id) is expected
            assert await reconcile.restart_mail(work, new_id()) is False
    async with house.transactions.work() as work:
        for session_id in (waiting.id, settled.id, new_id()):
            assert await reconcile.restart_session(work, session_id) is False


# Reconciling with a real server.


@pytest_asyncio.fixture
async def at(temporal_server: TemporalServer, database_url: str) -> AsyncIterator[Works]:
    """A house on a server whose time is the real one; nobody works yet."""
    client = await Client.connect(temporal_server.address, namespace=temporal_server.namespace)
    async with works(WorkflowEnvironment.from_client(client), database_url) as at:
        yield at
        await at.courier.drain()
        for session in await at.house.all(PublicSessionRow):
            await terminate(at, public_session_id(session.id))
            for mail in await at.house.mails(session.id):
                await terminate(at, mail_id(mail.id))


async def terminate(at: Works, workflow_id: str) -> None:
    """What is under way would wait for its bound on a server that others use too."""
    try:
        await at.client.get_workflow_handle(workflow_id).terminate()
    except RPCError:
        return


def telegraph(at: Works) -> Telegraph:
    return Telegraph(at.client, timedelta(seconds=3))


async def lose(at: Works, workflow_id: str) -> None:
    """As when Temporal came back from an older backup."""
    execution = WorkflowExecution(workflow_id=workflow_id)
    request = DeleteWorkflowExecutionRequest(
        namespace=at.client.namespace, workflow_execution=execution
    )
    await at.client.workflow_service.delete_workflow_execution(request)

    async def gone() -> bool:
        return not await telegraph(at).knows(workflow_id)

    await eventually(gone)


def a_while_later(at: Works) -> SweepDue:
    later: datetime = at.house.clock.now + 11 * MINUTE
    return SweepDue(later)


async def is_settled(at: Works, session_id: UUID) -> bool:
    return (await at.house.session(session_id)).settled_at is not None


async def test_a_session_that_temporal_lost_settles_all_the_same(at: Works) -> None:
    session_id = await at.issue()
    async with at.working():
        await lose(at, public_session_id(session_id))
        housekeeper = keeper(at.house, telegraph(at))
        assert await housekeeper.reconcile(a_while_later(at)) == Swept(1)
        await at.courier.drain()
        assert await telegraph(at).knows(public_session_id(session_id))
        assert await housekeeper.reconcile(a_while_later(at)) == Swept(0)
        await at.complete_all(session_id)
        await eventually(lambda: is_settled(at, session_id))
        outcome = await at.workflow(session_id).result()
        assert outcome == {"end_reason": "completed", "advance": "done"}


async def test_a_session_that_ended_while_its_workflow_was_lost_settles(at: Works) -> None:
    session_id = await at.issue()
    await lose(at, public_session_id(session_id))
    await at.complete_all(session_id)
    async with at.working():
        assert await keeper(at.house, telegraph(at)).reconcile(a_while_later(at)) == Swept(1)
        await at.courier.drain()
        await eventually(lambda: is_settled(at, session_id))
        outcome = await at.workflow(session_id).result()
        assert outcome == {"end_reason": "completed", "advance": "done"}


async def test_a_mail_that_temporal_lost_is_sent(at: Works) -> None:
    session_id = await at.issue()
    (mail,) = await at.house.mails(session_id)
    await lose(at, mail_id(mail.id))
    housekeeper = keeper(at.house, telegraph(at))
    assert await housekeeper.reconcile_mails(a_while_later(at)) == Swept(1)
    await at.courier.drain()
    async with at.working():
        assert await at.mail(mail.id).result() == {"state": "sent"}
    assert len(at.office.taken) == 1


async def test_a_mail_that_was_sent_after_the_backup_is_seen_to_be_over(at: Works) -> None:
    session_id = await at.issue()
    (mail,) = await at.house.mails(session_id)
    await at.courier.drain()
    assert not await telegraph(at).is_over(mail_id(mail.id))
    assert not await telegraph(at).is_over(mail_id(new_id()))
    async with at.working():
        assert await at.mail(mail.id).result() == {"state": "sent"}
    # The rows come back as they were before.
    await note(at.house, mail, "queued")
    housekeeper = keeper(at.house, telegraph(at))
    assert await housekeeper.reconcile_mails(a_while_later(at)) == Swept(1)
    (refused, told) = await at.house.mails(session_id)
    assert (refused.state, told.kind) == ("refused", "issuer_bounced")


async def test_a_server_that_is_not_there_knows_nothing_and_is_away() -> None:
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    with pytest.raises(TemporalAway):
        await Telegraph(client, timedelta(milliseconds=300)).knows("public-session:1")
