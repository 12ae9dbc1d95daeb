"""Erases a party or a public session for good: its key is destroyed, its rows are emptied (PS-28).

What is left are ids, times and states, so that lists stay whole and the audit's tree verifies. Who
erased what, when and why stays readable: those events are the workspace's own.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from adapters.objects import ObjectStore
from commands.agreement_leave import leave_agreements
from commands.party import find_party
from commands.public_session import Target, end_if_overdue, end_session
from commands.settlement import settle
from commands.signing_end import cancel_unsealed
from commands.upload_file import let_go
from commands.work import Transactions, Work
from domain.actor import HOUSEKEEPING, Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.messages import Revoked
from domain.public_session import Advance, EndReason
from domain.tombstone import Fate
from domain.workflow_names import REVOKE
from store import erasure as rows
from store.agreement_erasure import forget_signer, lock_drafts_with, lock_sessions_beside
from store.database import is_away
from store.party import PartyRow, party_by_id
from store.public_session import PublicSessionRow, session_by_id
from store.upload import upload_by_id

log = structlog.get_logger()

RETENTION = "The retention of its template is over"
FILE_RETENTION = "The retention of its task's files is over"


@dataclass(frozen=True, slots=True)
class Order:
    """Who orders an erasure, and why."""

    actor: Actor
    rationale: str


async def erase_session(work: Work, target: Target, rationale: str) -> PublicSessionRow:
    """Erases what was captured in a session; an open one is revoked first. Twice is once.

    Nothing follows its end any more: no mail, and no advance of the lifecycle. What completing it
    had written into the party's attributes is the party's. Raises `NotFound`.
    """
    row = await session_by_id(work.db, target.session_id, target.workspace_id, lock=True)
    if row is None:
        raise NotFound("public session")
    if row.erased_at is None:
        await erase_rows(work, Order(target.actor, rationale), [row])
    return row


async def erase_party(
    work: Work, workspace_id: UUID, party_id: UUID, rationale: str, actor: Actor
) -> PartyRow:
    """Erases a party and all its sessions; open ones are revoked first. Twice is once.

    Members' agreements that it was to sign are cancelled unless all have signed. Raises `NotFound`.
    """
    await find_party(work, workspace_id, party_id)
    # Sessions before agreements, and those before the party: every verb locks in this order.
    await lock_sessions_beside(work.db, party_id)
    await leave_agreements(work, workspace_id, party_id, rationale, actor)
    await lock_drafts_with(work.db, party_id)
    party = await party_by_id(work.db, workspace_id, party_id, lock=True)
    if party is None:
        raise NotFound("party")
    if party.erased_at is None:
        # Again, for those that were issued while the party's lock was waited for.
        sessions = await rows.sessions_of_party(work.db, party_id)
        living = [each for each in sessions if each.erased_at is None]
        await erase_rows(work, Order(actor, rationale), living, party=party)
    return party


async def erase_rows(
    work: Work,
    order: Order,
    sessions: Sequence[PublicSessionRow],
    *,
    party: PartyRow | None = None,
    agreement: UUID | None = None,
) -> None:
    """Erases locked sessions that were not erased yet, and a party if one is named.

    And what the audit tells of an agreement that is erased with them.
    """
    for each in sessions:
        await _end(work, each, order)
    if party is not None:
        await forget_signer(work.db, party.id)
    await work.db.flush()
    ids, parties = [each.id for each in sessions], [party] if party else []
    await rows.empty_events(work.db, ids, party.id if party else None, agreement)
    await rows.empty_sessions(work.db, ids, work.at)
    everything: list[PublicSessionRow | PartyRow] = [*sessions, *parties]
    for row in everything:
        rows.empty_row(row, work.at)
    await work.db.flush()
    if everything:
        subjects = [each.id for each in everything]
        await rows.empty_answers(work.db, everything[0].workspace_id, subjects)
        await rows.destroy_keys(work.db, [each.owner for each in everything], work.at)
    _audit(work, order, sessions, party)


async def _end(work: Work, row: PublicSessionRow, order: Order) -> None:
    """Revokes a session that is open, and settles it: nothing is to follow."""
    await end_if_overdue(work, row)
    if row.end_reason is None:
        await end_session(work, row, EndReason.REVOKED, order.actor, order.rationale)
        work.tell_public_session(row.id, REVOKE, Revoked(str(row.id)))
    await cancel_unsealed(work, row, order.actor)
    row.settled_at = row.settled_at or work.at
    if row.advance in {Advance.PENDING, Advance.BLOCKED}:
        # The answers that it would have written back are gone.
        row.advance = Advance.NONE


def _audit(
    work: Work, order: Order, sessions: Sequence[PublicSessionRow], party: PartyRow | None
) -> None:
    """Under the workspace's key: under the subject's own it could never be read."""
    for each in sessions:
        work.lay_tombstone(Fate.SESSION_ERASED, each.id)
        subject, details = f"public_session:{each.id}", {"party": str(each.party_id)}
        work.audit_subject(
            AuditEvent.SESSION_ERASED,
            each.workspace_id,
            subject,
            order.actor,
            details | {"rationale": order.rationale, "end_reason": each.end_reason},
        )
    if party is not None:
        work.lay_tombstone(Fate.PARTY_ERASED, party.id)
        work.audit_subject(
            AuditEvent.PARTY_ERASED,
            party.workspace_id,
            f"party:{party.id}",
            order.actor,
            {"rationale": order.rationale, "public_sessions": [str(each.id) for each in sessions]},
        )


async def discard_files(begin: Transactions, objects: ObjectStore, subject_id: UUID) -> None:
    """Deletes what is left in the object store of an erased party or session; again is harmless.

    Raises `ObjectStoreAway`; housekeeping tries again.
    """
    async with begin.work() as work:
        doomed = await rows.doomed_uploads_of(work.db, subject_id)
    for each in doomed:
        await let_go(begin, objects, each)


async def erase_due(begin: Transactions, at: datetime, most: int, left: set[UUID]) -> int:
    """Erases sessions and files whose retention is over at `at`, up to `most` of them.

    Each in a transaction of its own, the longest over first. One that cannot be erased is put into
    `left` and holds nobody up: what is in there is not looked at. Returns how many were tried, less
    than `most` when nothing else is over. The objects of files are deleted by whoever deletes those
    of removed ones.
    """
    async with begin.work(at) as work:
        sessions = await rows.sessions_to_erase(work.db, at, most, left)
        uploads = await rows.uploads_to_erase(work.db, at, most - len(sessions), left)
    left |= {
        each for each in sessions if not await _erased(begin, at, _erase_overdue_session, each)
    }
    left |= {each for each in uploads if not await _erased(begin, at, _erase_overdue_upload, each)}
    return len(sessions) + len(uploads)


async def _erased(
    begin: Transactions, at: datetime, erase: Callable[[Work, UUID], Awaitable[None]], each: UUID
) -> bool:
    """Whether one could be erased; the log names it by its id alone."""
    try:
        async with begin.work(at) as work:
            await erase(work, each)
    except Exception as error:
        if is_away(error):
            raise
        # No traceback: what is to be erased may stand in it.
        log.error("not_erased", subject=str(each), error=type(error).__name__)  # noqa: TRY400
        return False
    return True


async def _erase_overdue_session(work: Work, session_id: UUID) -> None:
    row = await session_by_id(work.db, session_id, lock=True)
    if row is None or row.erased_at is not None:
        return
    # What was completed counts, also where Temporal was away for as long as that.
    await settle(work, session_id)
    await erase_rows(work, Order(HOUSEKEEPING, RETENTION), [row])


async def _erase_overdue_upload(work: Work, upload_id: UUID) -> None:
    known = await upload_by_id(work.db, upload_id)
    session = await session_by_id(work.db, known.session_id, lock=True) if known else None
    row = await upload_by_id(work.db, upload_id, lock=True)
    if row is None or session is None or row.removed_at is not None:
        return
    row.sealed, row.unsealed, row.removed_at = None, None, work.at
    details = {"upload": str(row.id), "task": str(row.task_id), "size": row.size}
    work.audit_session(
        AuditEvent.UPLOAD_ERASED, session, HOUSEKEEPING, reason=FILE_RETENTION, details=details
    )
