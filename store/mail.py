"""Mails: one row for each mail that is to reach somebody; subject and body are never stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from store.columns import instant, optional_instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class MailRow(SealedRow, table=True):
    """One mail of one cause. The recipient's address is read when it is sent; here is its HMAC.

    It is about a public session, or about a member and maybe the link that it brings, or the device
    that it tells of.
    """

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("workspace_id", "cause"),
        Index(None, "recipient_digest", "created_at"),
        Index(None, "created_at"),
        Index(None, "code_id"),
        Index("ix_mail_queued", "created_at", postgresql_where=text("state = 'queued'")),
        CheckConstraint("num_nonnulls(session_id, member_id) = 1", name="about"),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    kind: str
    session_id: UUID | None = Field(default=None, foreign_key="public_session.id", index=True)
    member_id: UUID | None = Field(default=None, foreign_key="member.id", index=True)
    member_link_id: UUID | None = Field(
        default=None, foreign_key="member_link.id", index=True, ondelete="SET NULL"
    )
    known_device_id: UUID | None = Field(
        default=None, foreign_key="known_device.id", index=True, ondelete="SET NULL"
    )
    code_id: UUID | None = Field(default=None, foreign_key="code.id")
    recipient_digest: str
    cause: str
    state: str = "queued"
    attempts: int = 0
    created_at: datetime = instant()
    sent_at: datetime | None = optional_instant()

    detail = sealed("detail", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The session or member it is about."""
        if self.session_id is not None:
            return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)
        if self.member_id is not None:
            return Owner(self.workspace_id, self.member_id, OwnerKind.MEMBER)
        raise LookupError(f"mail {self.id} is about nobody")


async def mail_by_id(db: AsyncSession, mail_id: UUID, *, lock: bool = False) -> MailRow | None:
    """A mail, its row locked if asked."""
    found = select(MailRow).where(MailRow.id == mail_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def mails_of(db: AsyncSession, session_id: UUID) -> Sequence[MailRow]:
    """Every mail of a session, newest first."""
    found = select(MailRow).where(MailRow.session_id == session_id)
    return await opened(db, (await db.scalars(found.order_by(col(MailRow.id).desc()))).all())


async def mail_by_cause(db: AsyncSession, workspace_id: UUID, cause: str) -> MailRow | None:
    """The mail of a cause."""
    found = select(MailRow).where(MailRow.workspace_id == workspace_id, MailRow.cause == cause)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def newest_mail(db: AsyncSession, session_id: UUID, *kinds: str) -> MailRow | None:
    """The newest mail of a kind, or of any of several."""
    found = select(MailRow).where(MailRow.session_id == session_id, col(MailRow.kind).in_(kinds))
    newest = await db.scalars(found.order_by(col(MailRow.id).desc()).limit(1))
    return await opened_one(db, newest.one_or_none())


async def newest_delivered(db: AsyncSession, session_id: UUID) -> MailRow | None:
    """The newest mail to the party that a server took, bounced or not."""
    found = select(MailRow).where(
        MailRow.session_id == session_id,
        col(MailRow.state).in_(("sent", "bounced")),
        col(MailRow.kind).not_like("issuer%"),
    )
    newest = await db.scalars(found.order_by(col(MailRow.id).desc()).limit(1))
    return await opened_one(db, newest.one_or_none())


async def lock_recipient(db: AsyncSession, workspace_id: UUID, recipient_digest: str) -> None:
    """Lets one transaction at a time count and send a workspace's mails to one address."""
    place = func.hashtextextended(f"{workspace_id}:{recipient_digest}", 0)
    await db.execute(select(func.pg_advisory_xact_lock(place)))


async def mail_times(
    db: AsyncSession,
    workspace_id: UUID,
    recipient_digest: str,
    kinds: Sequence[str],
    since: datetime,
) -> Sequence[datetime]:
    """When a workspace's mails of these kinds to one address were asked for, since `since`."""
    return (
        await db.scalars(
            select(MailRow.created_at).where(
                MailRow.workspace_id == workspace_id,
                MailRow.recipient_digest == recipient_digest,
                col(MailRow.kind).in_(kinds),
                MailRow.created_at > since,
            )
        )
    ).all()


async def count_mails(db: AsyncSession, session_id: UUID, kind: str) -> int:
    """How many mails of a kind a session has asked for."""
    found = select(func.count()).where(MailRow.session_id == session_id, MailRow.kind == kind)
    return int((await db.scalars(found)).one())
