"""What is recorded of agreements and of the windows in which they are signed."""

from typing import Any
from uuid import UUID

from sqlmodel import select
from temporalio.client import WorkflowHandle, WorkflowHistory

from commands.agreement import cancel_agreement
from domain.workflow_names import agreement_id, signing_session_id
from store.signing_session import SigningSessionRow
from tests.rooms.agreements import DRAWN, Desk, write_of
from tests.rooms.works import Works, eventually


def workflow_of(at: Works, agreement: UUID) -> WorkflowHandle[Any, Any]:
    """The workflow of an agreement."""
    return at.client.get_workflow_handle(agreement_id(agreement))


async def _window(at: Works, session_id: UUID) -> WorkflowHandle[Any, Any]:
    """The workflow of the signing session of a public session."""
    found = select(SigningSessionRow).where(SigningSessionRow.session_id == session_id)
    async with at.house.transactions.work() as work:
        row = (await work.db.scalars(found)).one()
    return at.client.get_workflow_handle(signing_session_id(row.id))


async def sign(at: Works, desk: Desk, whole: Any, position: int) -> None:
    """A signer who is asked, opens and signs."""

    async def is_asked() -> bool:
        return (await desk.now(whole.row.id)).signers[position - 1].session_id is not None

    await eventually(is_asked)
    visitor = await desk.visitor(whole, position, f"door-{position}")
    opened = await desk.open(visitor, f"w{position}")
    await desk.sign(visitor, write_of(opened), {f"signature-{position}": DRAWN})
    await at.courier.drain()


async def agreement_done(at: Works) -> WorkflowHistory:
    """Two signers in order, sealed at the first attempt."""
    desk = Desk(at.house)
    whole = await desk.sent("Vera Ltd", "Boris Inc")
    for position in (1, 2):
        await sign(at, desk, whole, position)
    handle = workflow_of(at, whole.row.id)
    await handle.result()
    return await handle.fetch_history()


async def agreement_cancelled(at: Works) -> WorkflowHistory:
    """Changed once, declined by nobody, cancelled."""
    desk = Desk(at.house)
    whole = await desk.sent("Vera Ltd")
    whole = await desk.change(whole, {"title": "Supply, second"})
    async with at.house.transactions.work() as work:
        await cancel_agreement(work, desk.target(whole.row.id), "terms changed")
    await at.courier.drain()
    handle = workflow_of(at, whole.row.id)
    await handle.result()
    return await handle.fetch_history()


async def signing_session_signed(at: Works) -> WorkflowHistory:
    """Idle once, opened in another window, signed there."""
    desk = Desk(at.house)
    whole = await desk.sent("Vera Ltd")
    visitor = await desk.visitor(whole)
    await desk.open(visitor, "w1")
    await at.courier.drain()
    await at.sleep(minutes=7)
    opened = await desk.open(visitor, "w2")
    await at.courier.drain()
    await desk.sign(visitor, write_of(opened))
    await at.courier.drain()
    handle = await _window(at, visitor.session_id)
    await handle.result()
    return await handle.fetch_history()


async def signing_session_bound(at: Works) -> WorkflowHistory:
    """Opened, left alone until the bound."""
    desk = Desk(at.house)
    whole = await desk.sent("Vera Ltd")
    visitor = await desk.visitor(whole)
    await desk.open(visitor, "w1")
    await at.outcome(await desk.session_of(whole))
    handle = await _window(at, visitor.session_id)
    async with at.skips.time_skipping_unlocked():
        await handle.result()
    return await handle.fetch_history()
