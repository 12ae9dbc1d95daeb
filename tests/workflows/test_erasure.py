"""What carries an erased session: it ends cleanly and does nothing any more."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from commands.erasure import erase_party, erase_session
from tests.rooms.house import ANNA
from tests.rooms.works import Works, kinds_of, works


@pytest_asyncio.fixture
async def at(time_skipping: WorkflowEnvironment, database_url: str) -> AsyncIterator[Works]:
    """A house; nobody works yet."""
    async with works(time_skipping, database_url) as at:
        yield at


async def test_erasing_an_open_session_ends_its_workflow_without_a_word(at: Works) -> None:
    async with at.working():
        session_id = await at.issue()
        await at.sent(session_id)
        async with at.house.transactions.work() as work:
            target = at.house.target(await at.house.session(session_id))
            await erase_session(work, target, "asked for")
        assert await at.outcome(session_id) == {"end_reason": "revoked", "advance": "none"}
        history = kinds_of(await at.history(session_id))
        assert "WORKFLOW_TASK_FAILED" not in history
        assert "ACTIVITY_TASK_FAILED" not in history
    assert [each.kind for each in await at.house.mails(session_id)] == ["invitation"]


async def test_an_erased_party_is_mailed_nothing_and_moves_no_further(at: Works) -> None:
    # Completed, with its mails queued, and erased before any worker heard of it.
    session_id = await at.issue()
    await at.complete_all(session_id)
    row = await at.house.session(session_id)
    async with at.house.transactions.work() as work:
        await erase_party(work, at.house.workspace_id, row.party_id, "asked for", ANNA)
    async with at.working():
        assert await at.outcome(session_id) == {"end_reason": "completed", "advance": "none"}
        mails = await at.house.mails(session_id)
        assert [await at.mail_outcome(each.id) for each in mails] == ["refused"] * len(mails)
    assert mails
    assert at.office.tried == []
    assert (await at.house.party(row.party_id)).state == "new"
    assert (await at.house.audit(session_id)).count("advanced") == 0
