"""What is behind: facts whose consequences wait for a worker, for Temporal or for a mail server.

Events of the audit log wait for their places where no worker runs, and where a log is broken.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from store.audit import AuditRow
from store.intent import IntentRow
from store.mail import MailRow
from store.public_session import OPEN_STATUSES, PublicSessionRow
from store.upload import UploadRow, waits_for_check


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many intents, mails, sessions past their end, events of the audit log and files wait.

    `since` is when the oldest of all began to.
    """

    intents: int
    mails: int
    unsettled: int
    audit: int
    checks: int
    since: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is behind."""
        waits = (self.intents, self.mails, self.unsettled, self.audit, self.checks)
        return not any(waits)


async def backlog(db: AsyncSession, before: datetime) -> Backlog:
    """What was due before `before` and has not happened, in one statement."""
    intents = select(func.count(), func.min(IntentRow.created_at)).where(
        col(IntentRow.done_at).is_(None), col(IntentRow.created_at) < before
    )
    mails = select(func.count(), func.min(MailRow.created_at)).where(
        col(MailRow.state) == "queued", col(MailRow.created_at) < before
    )
    unsettled = select(func.count(), func.min(PublicSessionRow.ended_at)).where(
        col(PublicSessionRow.ended_at) < before, col(PublicSessionRow.settled_at).is_(None)
    )
    overdue = select(func.count(), func.min(PublicSessionRow.expires_at)).where(
        col(PublicSessionRow.expires_at) < before, col(PublicSessionRow.status).in_(OPEN_STATUSES)
    )
    placeless = select(func.count(), func.min(AuditRow.at)).where(
        col(AuditRow.position).is_(None),
        col(AuditRow.commitment).is_not(None),
        col(AuditRow.at) < before,
    )
    checks = select(func.count(), func.min(UploadRow.received_at)).where(*waits_for_check(before))
    waits = intents.union_all(mails, unsettled, overdue, placeless, checks)
    rows = (await db.execute(waits)).all()
    told, queued, ended, late, events, files = (int(count) for count, _ in rows)
    return Backlog(told, queued, ended + late, events, files, _oldest([at for _, at in rows]))


def _oldest(times: list[datetime | None]) -> datetime | None:
    return min((each for each in times if each is not None), default=None)
