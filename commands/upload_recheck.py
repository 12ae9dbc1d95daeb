"""Files that wait to be checked for viruses and that nobody checks: found again by housekeeping.

Temporal came back from an older backup, a check was terminated, or the setting of the scanner was
emptied: where there is no scanner a file is ready, as it would be had it come later.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from adapters.temporal import Telegraph
from commands.work import Transactions, Work
from domain.actor import NO_VIRUS_CHECK
from domain.audit import AuditEvent
from domain.housekeeping import LEFT_ALONE_FOR, LOOKED_UP_AT_MOST, SWEEP_FOR, Swept
from domain.messages import UploadCheckStart
from domain.workflow_names import UPLOAD_CHECK, upload_check_id
from store.housekeeping import checking_uploads
from store.intent import start_is_due
from store.public_session import PublicSessionRow, session_by_id, value_of
from store.upload import UploadRow, UploadState, upload_by_id

log = structlog.get_logger()

MOST_CHECKS = 10
"""How often a check is started that ends without an answer; then somebody has to look."""
NO_SCANNER = "no_scanner"


async def recheck_uploads(
    transactions: Transactions, telegraph: Telegraph, at: datetime, cursor: str
) -> Swept:
    """Starts the checks that Temporal does not have, or that ended without an answer.

    Without a scanner the files are ready, and the audit says that nobody looked. `cursor` is the
    last file's id of the run before. Raises `TemporalAway`, `TelegramRefused`.
    """
    return await _Rechecking(transactions, telegraph, at).run(cursor)


@dataclass(frozen=True, slots=True)
class _Rechecking:
    """One pass over some of the files that wait."""

    transactions: Transactions
    telegraph: Telegraph
    at: datetime

    async def run(self, cursor: str) -> Swept:
        mended, seconds = 0, asyncio.get_running_loop().time
        stop_at = seconds() + SWEEP_FOR.total_seconds()
        ids = await self._waiting(UUID(cursor) if cursor else None)
        for each in ids:
            mended += await self._mend(each)
            if seconds() >= stop_at:
                return Swept(mended, str(each))
        return Swept(mended, str(ids[-1]) if len(ids) == LOOKED_UP_AT_MOST else "")

    async def _waiting(self, after: UUID | None) -> list[UUID]:
        before = self.at - LEFT_ALONE_FOR
        async with self.transactions.work(self.at) as work:
            return list(await checking_uploads(work.db, before, after, LOOKED_UP_AT_MOST))

    async def _mend(self, upload_id: UUID) -> bool:
        if not self.transactions.settings.clamd_address:
            async with self.transactions.work(self.at) as work:
                return await release(work, upload_id)
        workflow_id = await self._next_check(upload_id)
        if workflow_id is None:
            return False
        async with self.transactions.work(self.at) as work:
            return await start_check(work, upload_id, workflow_id)

    async def _next_check(self, upload_id: UUID) -> str | None:
        """The id of the check to start; an id is never used twice. None while one is at work."""
        for again in range(MOST_CHECKS):
            workflow_id = upload_check_id(upload_id, again)
            if not await self.telegraph.knows(workflow_id):
                return workflow_id
            if not await self.telegraph.is_over(workflow_id):
                return None
        log.error("upload_never_checked", upload_id=str(upload_id))
        return None


async def start_check(work: Work, upload_id: UUID, workflow_id: str) -> bool:
    """Intends to start a check; False if none is needed any more or it is to start anyway."""
    if await _waiting(work, upload_id) is None or await start_is_due(work.db, workflow_id):
        return False
    work.start_workflow(UPLOAD_CHECK, workflow_id, UploadCheckStart(str(upload_id)))
    log.warning("workflow_started_again", workflow_id=workflow_id)
    return True


async def release(work: Work, upload_id: UUID) -> bool:
    """Makes a file ready that nobody will check; False if it does not wait any more."""
    found = await _waiting(work, upload_id)
    if found is None:
        return False
    row, session = found
    row.state = UploadState.READY
    details = {"upload": str(row.id)}
    work.audit_session(
        AuditEvent.UPLOAD_RELEASED, session, NO_VIRUS_CHECK, reason=NO_SCANNER, details=details
    )
    log.warning("upload_released_unscanned", upload_id=str(row.id))
    return True


async def _waiting(work: Work, upload_id: UUID) -> tuple[UploadRow, PublicSessionRow] | None:
    """A file that is still to be checked, its row locked, and its session, which is open."""
    row = await upload_by_id(work.db, upload_id, lock=True)
    if row is None or row.removed_at is not None or row.state != UploadState.CHECKING:
        return None
    session = await session_by_id(work.db, row.session_id)
    if session is None or value_of(session, ()).refuses(work.at):
        return None
    return row, session
