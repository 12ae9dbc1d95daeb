"""What Temporal lost of agreements and windows is started again, and nothing twice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from sqlmodel import col, select, update

from commands.agreement_reconcile import (
    reconcile_agreements,
    reconcile_signing,
    restart_agreement,
    restart_signing,
)
from domain.housekeeping import Swept
from domain.workflow_names import agreement_id, signing_session_id
from store.columns import new_id
from store.intent import IntentRow
from tests.rooms.agreements import Desk, write_of
from tests.rooms.house import House, furnished_house
from tests.store.test_housekeeping import Clerk


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """A desk in a house with a database of its own: housekeeping sweeps all of it."""
    async with furnished_house(database_url) as house:
        yield Desk(house)


async def delivered(house: House) -> None:
    """As if every intent had arrived, ten minutes ago."""
    async with house.transactions.work() as work:
        await work.db.execute(update(IntentRow).values(done_at=work.at))
    house.clock.turn(minutes=11)


async def started(house: House, workflow_id: str) -> int:
    """How many starts of a workflow are still to be delivered."""
    found = select(IntentRow).where(
        IntentRow.workflow_id == workflow_id,
        col(IntentRow.signal).is_(None),
        col(IntentRow.done_at).is_(None),
    )
    async with house.transactions.work() as work:
        return len((await work.db.scalars(found)).all())


async def test_a_lost_agreement_and_a_lost_window_are_started_again_once(desk: Desk) -> None:
    # N3: no agreement is left without a workflow
    house, clerk = desk.house, Clerk()
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    opened = await desk.open(visitor)
    assert opened.row is not None
    at, transactions = house.clock(), house.transactions
    assert await reconcile_agreements(transactions, clerk, at, "") == Swept(0)
    await delivered(house)
    names = agreement_id(whole.row.id), signing_session_id(opened.row.id)
    for reconcile, name in zip((reconcile_agreements, reconcile_signing), names, strict=True):
        assert await reconcile(transactions, clerk, house.clock(), "") == Swept(1)
        assert await reconcile(transactions, clerk, house.clock(), "") == Swept(0)
        assert await started(house, name) == 1
    clerk.known = set(names)
    await delivered(house)
    for reconcile in (reconcile_agreements, reconcile_signing):
        assert await reconcile(transactions, clerk, house.clock(), "") == Swept(0)
    async with transactions.work() as work:
        assert not await restart_agreement(work, new_id())
        assert not await restart_signing(work, new_id())


async def test_an_open_agreement_whose_workflow_is_over_is_started_anew(desk: Desk) -> None:
    # N3: the rows are from before the end that Temporal knows of
    house, clerk = desk.house, Clerk()
    whole = await desk.sent()
    name = agreement_id(whole.row.id)
    clerk.known = clerk.over = {name}
    await delivered(house)
    for mended in (1, 0):
        swept = await reconcile_agreements(house.transactions, clerk, house.clock(), "")
        assert swept == Swept(mended)
    assert await started(house, name) == 1


async def test_a_window_that_is_over_needs_none(desk: Desk) -> None:
    house, clerk = desk.house, Clerk()
    whole = await desk.sent()
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)))
    await delivered(house)
    assert await reconcile_signing(house.transactions, clerk, house.clock(), "") == Swept(0)
    assert await reconcile_agreements(house.transactions, clerk, house.clock(), "") == Swept(1)
    assert house.clock() - whole.row.created_at == timedelta(minutes=11)
