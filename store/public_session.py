"""Public sessions, their tasks and what was captured."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from domain.party import words_to_find
from domain.public_session import OPEN, Advance, EndReason, PublicSession, Status
from domain.task import Task
from store.binding import BindingRow, binding_value
from store.columns import instant, json_column, optional_instant, optional_json, primary_id
from store.sealed import (
    Owner,
    OwnerKind,
    SealedRow,
    opened,
    opened_one,
    sealed,
    words_column,
)

OPEN_STATUSES = tuple(each.value for each in OPEN)


class PublicSessionRow(SealedRow, table=True):
    """One template version issued to one party. Its row's lock is where every verb meets."""

    __tablename__ = "public_session"
    __table_args__ = (
        UniqueConstraint("workspace_id", "cause"),
        Index(None, "workspace_id", "id"),
        Index(None, "words", postgresql_using="gin"),
        Index(
            "ix_public_session_erase",
            "erase_at",
            postgresql_where=text("erase_at IS NOT NULL AND erased_at IS NULL"),
        ),
        Index(
            "ix_public_session_open",
            "expires_at",
            postgresql_where=text("status IN ('issued', 'in_progress')"),
        ),
        Index(
            "ix_public_session_unsettled",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL AND settled_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    party_id: UUID = Field(foreign_key="party.id", index=True)
    template_key: str
    template_version: int
    title: str
    words: list[bytes] = words_column()
    cause: str
    status: str = Status.ISSUED
    end_reason: str | None = None
    issued_at: datetime = instant()
    expires_at: datetime = instant()
    started_at: datetime | None = optional_instant()
    ended_at: datetime | None = optional_instant()
    settled_at: datetime | None = optional_instant()
    ordered: bool
    signs: bool = False
    scope: dict[str, Any] = json_column()
    reminders: list[int] = json_column(list)
    settings: dict[str, Any] = json_column()
    deadline_moves: int = 0

    link_epoch: int = 1
    link_digest: str = Field(unique=True)
    key_version: int
    code_counter: int = 0
    fence: int = 0
    binding_id: UUID | None = None

    issued_by: str
    reissued_from: UUID | None = Field(default=None, foreign_key="public_session.id")
    mail_id: UUID | None = None
    mail_state: str = "queued"
    advance: str = Advance.NONE
    retention_days: int | None = None
    erase_at: datetime | None = optional_instant()
    erased_at: datetime | None = optional_instant()

    subject = sealed("subject", "")
    notify_email = sealed("notify_email", "")
    rationale = sealed("rationale", "")
    message = sealed("message", "")
    decline_reason = sealed("decline_reason", "")
    mail_detail = sealed("mail_detail", "")
    advance_reason = sealed("advance_reason", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The session itself."""
        return Owner(self.workspace_id, self.id, OwnerKind.PUBLIC_SESSION)

    @override
    def texts_to_find(self) -> Sequence[str]:
        """The words of its subject."""
        return words_to_find(self.subject)


class TaskRow(SQLModel, table=True):
    """One task of a session with everything pinned that it shows and checks (PS-35, PS-41)."""

    __tablename__ = "task"
    __table_args__ = (UniqueConstraint("session_id", "key"),)

    id: UUID = primary_id()
    session_id: UUID = Field(foreign_key="public_session.id")
    position: int
    key: str
    kind: str
    title: str
    help: str = ""
    form_key: str | None = None
    form_version: int | None = None
    document_key: str | None = None
    document_version: int | None = None
    statement: str | None = None
    upload: dict[str, Any] | None = optional_json()
    agreement_id: UUID | None = Field(default=None, foreign_key="agreement.id")
    signer: int | None = None
    completed_at: datetime | None = optional_instant()


class SubmissionRow(SealedRow, table=True):
    """What a party captured for one task, and the evidence of how (PS-12, PS-13).

    `salt` is hex; it is empty where a release before the audit's tree captured.
    """

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("task_id", "attempt"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID = Field(foreign_key="public_session.id", index=True)
    task_id: UUID = Field(foreign_key="task.id")
    attempt: int = 1
    binding_id: UUID
    submitted_at: datetime = instant()

    body = sealed("body", dict[str, Any]())
    evidence = sealed("evidence", dict[str, Any]())
    salt = sealed("salt", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The session it was captured in."""
        return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)


async def session_by_id(
    db: AsyncSession, session_id: UUID, workspace_id: UUID | None = None, *, lock: bool = False
) -> PublicSessionRow | None:
    """A session, of this workspace if one is named; its row locked if asked."""
    found = select(PublicSessionRow).where(PublicSessionRow.id == session_id)
    if workspace_id is not None:
        found = found.where(PublicSessionRow.workspace_id == workspace_id)
    return await _one(db, found, lock=lock)


async def sessions_by_ids(
    db: AsyncSession, session_ids: Sequence[UUID]
) -> Sequence[PublicSessionRow]:
    """Several sessions as they are now; who reads their sealed words opens them first."""
    found = select(PublicSessionRow).where(col(PublicSessionRow.id).in_(session_ids))
    return (await db.scalars(found.execution_options(populate_existing=True))).all()


async def session_by_link(
    db: AsyncSession, digest: str, *, lock: bool = False
) -> PublicSessionRow | None:
    """The session whose living link has this digest."""
    found = select(PublicSessionRow).where(PublicSessionRow.link_digest == digest)
    return await _one(db, found, lock=lock)


async def _one(db: AsyncSession, found: Any, *, lock: bool) -> PublicSessionRow | None:
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    row: PublicSessionRow | None = (await db.scalars(found)).one_or_none()
    return await opened_one(db, row)


async def open_sessions_of_party(db: AsyncSession, party_id: UUID) -> Sequence[PublicSessionRow]:
    """The party's sessions that have not ended, locked in the order of their ids."""
    found = (
        select(PublicSessionRow)
        .where(
            PublicSessionRow.party_id == party_id,
            col(PublicSessionRow.status).in_(OPEN_STATUSES),
        )
        .order_by(col(PublicSessionRow.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return await opened(db, (await db.scalars(found)).all())


async def open_session_of_template(
    db: AsyncSession, party_id: UUID, template_key: str, at: datetime
) -> UUID | None:
    """A session of this template that the party has open already."""
    return (
        await db.scalars(
            select(PublicSessionRow.id)
            .where(
                PublicSessionRow.party_id == party_id,
                PublicSessionRow.template_key == template_key,
                col(PublicSessionRow.status).in_(OPEN_STATUSES),
                PublicSessionRow.expires_at > at,
            )
            .limit(1)
        )
    ).one_or_none()


async def session_by_cause(
    db: AsyncSession, workspace_id: UUID, cause: str
) -> PublicSessionRow | None:
    """The session that was issued for this cause."""
    found = select(PublicSessionRow).where(
        PublicSessionRow.workspace_id == workspace_id, PublicSessionRow.cause == cause
    )
    return await _one(db, found, lock=False)


async def tasks_of(db: AsyncSession, session_id: UUID) -> Sequence[TaskRow]:
    """The session's tasks in order, as they are now."""
    found = select(TaskRow).where(TaskRow.session_id == session_id).order_by(col(TaskRow.position))
    return (await db.scalars(found.execution_options(populate_existing=True))).all()


async def tasks_of_many(db: AsyncSession, session_ids: Sequence[UUID]) -> Sequence[TaskRow]:
    """The tasks of several sessions, in order."""
    found = select(TaskRow).where(col(TaskRow.session_id).in_(session_ids))
    return (await db.scalars(found.order_by(col(TaskRow.position)))).all()


async def submissions_of(db: AsyncSession, session_id: UUID) -> Sequence[SubmissionRow]:
    """Everything captured in a session, oldest first."""
    found = select(SubmissionRow).where(SubmissionRow.session_id == session_id)
    return await opened(db, (await db.scalars(found.order_by(col(SubmissionRow.id)))).all())


def value_of(
    row: PublicSessionRow, tasks: Sequence[TaskRow], binding: BindingRow | None = None
) -> PublicSession:
    """The domain value of a session's rows."""
    return PublicSession(
        status=Status(row.status),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        ordered=row.ordered,
        tasks=tuple(Task(each.key, each.completed_at) for each in tasks),
        end_reason=EndReason(row.end_reason) if row.end_reason else None,
        binding=binding_value(binding) if binding else None,
    )
