"""What housekeeping removes, a batch at a time, and what it compares with Temporal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.agreement import OUT
from domain.mail import MailState
from store.access import LoginRow, PageVisitRow
from store.agreement import AgreementRow
from store.code import CodeRow, CodeTryRow
from store.intent import IntentRow
from store.known_device import KnownDeviceRow
from store.mail import MailRow
from store.member_link import MemberLinkRow
from store.member_token import MemberTokenRow
from store.passkey import AnsweredRow
from store.public_session import OPEN_STATUSES, PublicSessionRow
from store.second_factor import SecondFactorRow
from store.sign_in_step import SignInStepRow
from store.signing_session import SigningSessionRow
from store.trusted_device import TrustedDeviceRow
from store.upload import UploadRow, waits_for_check
from store.visit import VisitRow


async def purge_codes(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` codes whose life ended before `before`, with the tries at them.

    A code whose mail is still queued stays: without it the mail would not know that it is over.
    """
    queued = exists().where(
        col(MailRow.code_id) == col(CodeRow.id), col(MailRow.state) == MailState.QUEUED
    )
    ids = await _batch(db, CodeRow.id, [col(CodeRow.expires_at) < before, ~queued], limit)
    await db.execute(update(MailRow).where(col(MailRow.code_id).in_(ids)).values(code_id=None))
    await db.execute(delete(CodeTryRow).where(col(CodeTryRow.code_id).in_(ids)))
    await db.execute(delete(CodeRow).where(col(CodeRow.id).in_(ids)))
    return len(ids)


async def purge_mails(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` mails asked for before `before` whose session was settled before it.

    One that a session still shows the state of stays, as does one that is still on its way. Those
    of a session that is not over stay too: they are what keeps a mail from being sent twice. Mails
    to members need no such keeping: each is of one moment or one link.
    """
    settled = exists().where(
        col(PublicSessionRow.id) == col(MailRow.session_id),
        col(PublicSessionRow.settled_at) < before,
        col(PublicSessionRow.mail_id).is_distinct_from(col(MailRow.id)),
    )
    over = or_(col(MailRow.member_id).is_not(None), settled)
    old = [col(MailRow.created_at) < before, col(MailRow.state) != MailState.QUEUED, over]
    ids = await _batch(db, MailRow.id, old, limit)
    await db.execute(delete(MailRow).where(col(MailRow.id).in_(ids)))
    return len(ids)


async def purge_visits(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` counts of visits to sessions that ended before `before`."""
    over = exists().where(
        col(PublicSessionRow.id) == col(VisitRow.session_id),
        col(PublicSessionRow.ended_at) < before,
    )
    ids = await _batch(db, VisitRow.session_id, [over], limit)
    await db.execute(delete(VisitRow).where(col(VisitRow.session_id).in_(ids)))
    return len(ids)


async def purge_steps(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` half-done sign-ins that were good until `before`."""
    return await _purge(db, SignInStepRow, col(SignInStepRow.expires_at) < before, limit)


async def purge_enrolments(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` second factors that could be confirmed until `before` and were not."""
    over = and_(
        col(SecondFactorRow.confirmed_at).is_(None), col(SecondFactorRow.expires_at) < before
    )
    return await _purge(db, SecondFactorRow, over, limit)


async def purge_devices(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` browsers that members trusted until `before`."""
    return await _purge(db, TrustedDeviceRow, col(TrustedDeviceRow.expires_at) < before, limit)


async def purge_known_devices(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` browsers and programs that were known until `before`."""
    return await _purge(db, KnownDeviceRow, col(KnownDeviceRow.expires_at) < before, limit)


async def purge_answers(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` questions to passkeys that could be answered until `before`."""
    return await _purge(db, AnsweredRow, col(AnsweredRow.expires_at) < before, limit)


async def purge_links(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` links to members that were used, or expired, before `before`."""
    over = or_(col(MemberLinkRow.used_at) < before, col(MemberLinkRow.expires_at) < before)
    return await _purge(db, MemberLinkRow, over, limit)


async def purge_tokens(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` pairs of tokens whose family ended before `before`.

    A used refresh token stays until then: that it comes again is how a theft is noticed.
    """
    over = col(MemberTokenRow.refresh_expires_at) < before
    return await _purge(db, MemberTokenRow, over, limit)


async def purge_logins(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` lines of the login report from before `before`."""
    return await _purge(db, LoginRow, col(LoginRow.at) < before, limit)


async def purge_page_visits(db: AsyncSession, before: datetime, limit: int) -> int:
    """Removes up to `limit` lines of the application report from before `before`."""
    return await _purge(db, PageVisitRow, col(PageVisitRow.at) < before, limit)


async def _purge(db: AsyncSession, table: Any, is_old: ColumnElement[bool], limit: int) -> int:
    ids = await _batch(db, table.id, [is_old], limit)
    await db.execute(delete(table).where(col(table.id).in_(ids)))
    return len(ids)


async def _batch(
    db: AsyncSession, key: Any, conditions: Sequence[ColumnElement[bool]], limit: int
) -> Sequence[UUID]:
    """The keys of rows to remove, locked; those that somebody else holds are left out."""
    found = select(key).where(*conditions).limit(limit)
    # Only the rows that go are locked, not the session that a condition looks at.
    return (await db.scalars(found.with_for_update(skip_locked=True, of=key.class_))).all()


async def unsettled_sessions(
    db: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Sessions that need a workflow: open, or ended and not settled, since before `before`.

    In the order of their ids, those behind `after`.
    """
    table = PublicSessionRow
    is_open = and_(col(table.status).in_(OPEN_STATUSES), col(table.issued_at) < before)
    # `ended_at` is not null, so that the index of unsettled sessions is used.
    is_unsettled = and_(col(table.ended_at) < before, col(table.settled_at).is_(None))
    return await _ids_after(db, table.id, or_(is_open, is_unsettled), after, limit)


async def agreements_out(
    db: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Agreements that need a workflow since before `before`, in the order of their ids.

    One that came with a public session needs one from its signature on.
    """
    table = AgreementRow
    own = and_(col(table.session_id).is_(None), col(table.sent_at) < before)
    needs = and_(col(table.state).in_(OUT), or_(own, col(table.signed_at) < before))
    return await _ids_after(db, table.id, needs, after, limit)


async def windows_open(
    db: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Signers' windows that were opened before `before` and have no end, in the order of ids."""
    table = SigningSessionRow
    is_open = and_(col(table.end_reason).is_(None), col(table.opened_at) < before)
    return await _ids_after(db, table.id, is_open, after, limit)


async def overdue_sessions(db: AsyncSession, ids: Sequence[UUID], before: datetime) -> set[UUID]:
    """Those of the sessions that ended, or should have, before `before` and are not settled."""
    table = PublicSessionRow
    is_over = or_(col(table.ended_at) < before, col(table.expires_at) < before)
    found = select(table.id).where(col(table.id).in_(ids), col(table.settled_at).is_(None), is_over)
    return set((await db.scalars(found)).all())


async def queued_mails(
    db: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Mails that have been on their way since before `before`, in the order of their ids."""
    queued = and_(col(MailRow.state) == MailState.QUEUED, col(MailRow.created_at) < before)
    return await _ids_after(db, MailRow.id, queued, after, limit)


async def checking_uploads(
    db: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Files of open sessions that have waited to be checked since before `before`."""
    waiting = and_(*waits_for_check(before))
    return await _ids_after(db, UploadRow.id, waiting, after, limit)


async def _ids_after(
    db: AsyncSession, key: Any, condition: ColumnElement[bool], after: UUID | None, limit: int
) -> Sequence[UUID]:
    found = select(key).where(condition).order_by(key).limit(limit)
    if after is not None:
        found = found.where(key > after)
    return (await db.scalars(found)).all()


async def starts_due(db: AsyncSession, workflow_ids: Sequence[str]) -> set[str]:
    """Those of the workflows whose start has not been delivered yet."""
    found = select(IntentRow.workflow_id).where(
        col(IntentRow.workflow_id).in_(workflow_ids),
        col(IntentRow.signal).is_(None),
        col(IntentRow.done_at).is_(None),
    )
    return set((await db.scalars(found)).all())
