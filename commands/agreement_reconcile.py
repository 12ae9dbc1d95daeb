"""Starts the workflows of agreements and signers' windows that Temporal lost."""

from datetime import datetime
from uuid import UUID

from adapters.temporal import Telegraph
from commands.reconcile import STARTED_AGAIN, Left, Noun, Reconciling, workflow_over
from commands.signing import window_policy
from commands.work import Transactions, Work
from domain.agreement import OUT
from domain.housekeeping import Swept
from domain.messages import AgreementStart, SigningSessionStart
from domain.workflow_names import AGREEMENT, SIGNING_SESSION, agreement_id, signing_session_id
from store.agreement import agreement_by_id
from store.housekeeping import agreements_out, windows_open
from store.intent import start_is_due
from store.public_session import session_by_id
from store.signing_session import signing_session_by_id


async def reconcile_agreements(
    transactions: Transactions, telegraph: Telegraph, at: datetime, cursor: str
) -> Swept:
    """Starts the workflows of agreements that are out, and of those that all have signed.

    Also where one was through with it before the rows were restored. What it would do is in the
    row: it asks who is due, seals, and finishes, each once. Raises `TemporalAway`,
    `TelegramRefused`.
    """
    left = Left(workflow_over, restart_agreement, STARTED_AGAIN)
    noun = Noun(agreements_out, agreement_id, restart_agreement, left)
    return await Reconciling(transactions, telegraph, at, noun).run(cursor)


async def reconcile_signing(
    transactions: Transactions, telegraph: Telegraph, at: datetime, cursor: str
) -> Swept:
    """The same for windows; what one that is lost would end is over by arithmetic all the same."""
    noun = Noun(windows_open, signing_session_id, restart_signing)
    return await Reconciling(transactions, telegraph, at, noun).run(cursor)


async def restart_agreement(work: Work, agreement: UUID) -> bool:
    """Intends to start an agreement's workflow again; False if it needs none."""
    row = await agreement_by_id(work.db, agreement, lock=True)
    if row is None or row.state not in OUT or await start_is_due(work.db, agreement_id(agreement)):
        return False
    work.start_workflow(AGREEMENT, agreement_id(agreement), AgreementStart(str(agreement)))
    return True


async def restart_signing(work: Work, signing_id: UUID) -> bool:
    """Intends to start a window's workflow again; False if it is over."""
    row = await signing_session_by_id(work.db, signing_id)
    session = await session_by_id(work.db, row.session_id, lock=True) if row else None
    workflow = signing_session_id(signing_id)
    if row is None or session is None or row.end_reason or await start_is_due(work.db, workflow):
        return False
    due_at = min(row.window.idles_out_at(window_policy(work)), session.expires_at)
    work.start_workflow(
        SIGNING_SESSION, workflow, SigningSessionStart(str(row.id), row.fence, due_at)
    )
    return True
