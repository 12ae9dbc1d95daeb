"""Compares rows with workflows: after a restore, one of the two may be the older.

What Temporal lost is started again. A start of what exists is refused by Temporal: at worst this is
in vain. What a workflow that is there has not done for too long, because it never heard of it or
was through with it before the rows were restored, is done without it; or the workflow is started
anew, where it keeps nothing of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.temporal import Telegraph
from commands.mail import note_refused
from commands.public_session import end_if_overdue
from commands.public_session_terms import idle_policy, settings_in
from commands.settlement import settle
from commands.work import Transactions, Work
from domain.housekeeping import LEFT_ALONE_FOR, LOOKED_UP_AT_MOST, SWEEP_FOR, Swept
from domain.mail import MailKind, MailState
from domain.messages import MailStart, PublicSessionStart, TakenOver
from domain.reminder import reminder_times
from domain.workflow_names import TAKE_OVER, mail_id, public_session_id
from store.binding import binding_by_id, binding_value
from store.housekeeping import overdue_sessions, queued_mails, starts_due, unsettled_sessions
from store.intent import start_is_due
from store.mail import count_mails, mail_by_id
from store.public_session import PublicSessionRow, session_by_id, tasks_of

log = structlog.get_logger()

LOST = "lost_by_a_restore"
STARTED_AGAIN = "workflow_started_again"
Candidates = Callable[[AsyncSession, datetime, UUID | None, int], Awaitable[Sequence[UUID]]]


@dataclass(frozen=True, slots=True)
class Left:
    """What workflows that are there leave undone: of which rows, and how it is done then."""

    by: Callable[["Reconciling", Sequence[UUID]], Awaitable[set[UUID]]]
    mend: Callable[[Work, UUID], Awaitable[bool]]
    event: str = "done_without_workflow"


@dataclass(frozen=True, slots=True)
class Noun:
    """How the rows of a noun are found, which workflow each has, and how it is started again."""

    candidates: Candidates
    workflow_id: Callable[[UUID], str]
    restart: Callable[[Work, UUID], Awaitable[bool]]
    left: Left | None = None


async def reconcile_sessions(
    transactions: Transactions, telegraph: Telegraph, at: datetime, cursor: str
) -> Swept:
    """Starts the workflows of unsettled sessions that Temporal does not have.

    What follows an end that came long ago is done at once. `cursor` is the last session's id of
    the run before. Raises `TemporalAway`, `TelegramRefused`.
    """
    left = Left(_ended_long_ago, conclude_session)
    noun = Noun(unsettled_sessions, public_session_id, restart_session, left)
    return await Reconciling(transactions, telegraph, at, noun).run(cursor)


async def reconcile_mails(
    transactions: Transactions, telegraph: Telegraph, at: datetime, cursor: str
) -> Swept:
    """The same for mails that are on their way; one whose workflow is over is refused."""
    noun = Noun(queued_mails, mail_id, restart_mail, Left(workflow_over, conclude_mail))
    return await Reconciling(transactions, telegraph, at, noun).run(cursor)


@dataclass(frozen=True, slots=True)
class Reconciling:
    """One pass over some rows of a noun."""

    transactions: Transactions
    telegraph: Telegraph
    at: datetime
    noun: Noun

    async def run(self, cursor: str) -> Swept:
        mended, seconds = 0, asyncio.get_running_loop().time
        stop_at = seconds() + SWEEP_FOR.total_seconds()
        rows, whole = await self._rows(UUID(cursor) if cursor else None)
        there: list[UUID] = []
        for row_id, is_looked_up in rows:
            if is_looked_up and await self.is_there(row_id):
                there.append(row_id)
            elif is_looked_up:
                mended += await self._mend(row_id, self.noun.restart, STARTED_AGAIN)
            if seconds() >= stop_at:
                return Swept(mended + await self._conclude(there), str(row_id))
        return Swept(mended + await self._conclude(there), "" if whole else str(rows[-1][0]))

    async def _conclude(self, there: Sequence[UUID]) -> int:
        left = self.noun.left
        if left is None or not there:
            return 0
        overdue = await left.by(self, there)
        due = [each for each in there if each in overdue]
        return sum([await self._mend(each, left.mend, left.event) for each in due])

    async def _rows(self, after: UUID | None) -> tuple[list[tuple[UUID, bool]], bool]:
        """The rows to compare, each with whether its workflow should exist; whether these are all.

        One whose start is still to be delivered is nobody's loss.
        """
        before, name = self.at - LEFT_ALONE_FOR, self.noun.workflow_id
        async with self.transactions.work(self.at) as work:
            ids = await self.noun.candidates(work.db, before, after, LOOKED_UP_AT_MOST)
            due = await starts_due(work.db, [name(each) for each in ids])
        return [(each, name(each) not in due) for each in ids], len(ids) < LOOKED_UP_AT_MOST

    async def is_there(self, row_id: UUID) -> bool:
        """Whether Temporal has the row's workflow, running or over."""
        return await self.telegraph.knows(self.noun.workflow_id(row_id))

    async def _mend(
        self, row_id: UUID, mend: Callable[[Work, UUID], Awaitable[bool]], event: str
    ) -> bool:
        async with self.transactions.work(self.at) as work:
            is_mended = await mend(work, row_id)
        if is_mended:
            log.warning(event, workflow_id=self.noun.workflow_id(row_id))
        return is_mended


async def _ended_long_ago(run: Reconciling, ids: Sequence[UUID]) -> set[UUID]:
    async with run.transactions.work(run.at) as work:
        return await overdue_sessions(work.db, ids, run.at - LEFT_ALONE_FOR)


async def workflow_over(run: Reconciling, ids: Sequence[UUID]) -> set[UUID]:
    """Rows for which no workflow goes on trying."""
    name = run.noun.workflow_id
    return {each for each in ids if await run.telegraph.is_over(name(each))}


async def conclude_session(work: Work, session_id: UUID) -> bool:
    """Does what follows an end, though its workflow has not; False if that was done meanwhile."""
    row = await session_by_id(work.db, session_id, lock=True)
    if row is None or row.settled_at is not None:
        return False
    await end_if_overdue(work, row)
    return await settle(work, session_id) is not None


async def conclude_mail(work: Work, mail: UUID) -> bool:
    """Refuses a mail of which nobody knows whether it was sent: visible, and a person decides."""
    row = await mail_by_id(work.db, mail)
    if row is None or row.state != MailState.QUEUED:
        return False
    await note_refused(work, mail, LOST)
    return True


async def restart_session(work: Work, session_id: UUID) -> bool:
    """Intends to start a session's workflow again; False if it needs none or is to start anyway."""
    row = await session_by_id(work.db, session_id, lock=True)
    if row is None or row.settled_at is not None:
        return False
    if await start_is_due(work.db, public_session_id(session_id)):
        return False
    work.start_public_session(row.id, await _start_of(work, row))
    if row.end_reason is None and row.binding_id is not None:
        work.tell_public_session(
            row.id, TAKE_OVER, await _present_binding(work, row, row.binding_id)
        )
    return True


async def _start_of(work: Work, row: PublicSessionRow) -> PublicSessionStart:
    """What a workflow that missed everything until now has to know.

    An ended session is due at once, and the row says why: it settles, told or not.
    """
    sent = await count_mails(work.db, row.id, MailKind.REMINDER)
    most = settings_in(work, row).template_reminders - sent
    reminders = reminder_times(row.reminders, work.at, row.expires_at, most)
    open_tasks = (each for each in await tasks_of(work.db, row.id) if each.completed_at is None)
    return PublicSessionStart(
        session_id=str(row.id),
        expires_at=row.ended_at or row.expires_at,
        reminders=() if row.ended_at else reminders,
        tasks=tuple(each.key for each in open_tasks),
    )


async def _present_binding(work: Work, row: PublicSessionRow, binding_id: UUID) -> TakenOver:
    binding = await binding_by_id(work.db, binding_id)
    idle_at = binding_value(binding).idles_out_at(idle_policy(settings_in(work, row)))
    return TakenOver(str(binding_id), binding.fence, idle_at)


async def restart_mail(work: Work, mail: UUID) -> bool:
    """Intends to start a mail's workflow again; False if it is over or is to start anyway."""
    row = await mail_by_id(work.db, mail, lock=True)
    if row is None or row.state != MailState.QUEUED:
        return False
    if await start_is_due(work.db, mail_id(mail)):
        return False
    work.start_mail(row.id, MailStart(str(row.id)))
    return True
