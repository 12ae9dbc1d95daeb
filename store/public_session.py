"""Public sessions, their tasks, what was captured, and the browsers that were bound."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from domain.binding import Binding, BindingEnd
from domain.public_session import OPEN, Advance, EndReason, PublicSession, Status
from domain.task import Task
from store.columns import instant, json_column, optional_instant, primary_id

OPEN_STATUSES = tuple(each.value for each in OPEN)


class PublicSessionRow(SQLModel, table=True):
    """One template version issued to one party. Its row's lock is where every verb meets."""

    __tablename__ = "public_session"
    __table_args__ = (
        UniqueConstraint("workspace_id", "cause"),
        Index(None, "workspace_id", "id"),
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
    subject: str = ""
    cause: str
    status: str = Status.ISSUED
    end_reason: str | None = None
    issued_at: datetime = instant()
    expires_at: datetime = instant()
    started_at: datetime | None = optional_instant()
    ended_at: datetime | None = optional_instant()
    settled_at: datetime | None = optional_instant()
    ordered: bool
    scope: dict[str, Any] = json_column()
    reminders: list[int] = json_column(list)
    deadline_moves: int = 0

    link_epoch: int = 1
    link_digest: str = Field(unique=True)
    key_version: int
    code_counter: int = 0
    fence: int = 0
    binding_id: UUID | None = None

    issued_by: str
    notify_email: str | None = None
    rationale: str = ""
    message: str = ""
    decline_reason: str = ""
    reissued_from: UUID | None = Field(default=None, foreign_key="public_session.id")
    mail_id: UUID | None = None
    mail_state: str = "queued"
    mail_detail: str = ""
    advance: str = Advance.NONE
    advance_reason: str = ""


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
    completed_at: datetime | None = optional_instant()


class SubmissionRow(SQLModel, table=True):
    """What a party captured for one task, and the evidence of how (PS-12, PS-13)."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("task_id", "attempt"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID = Field(foreign_key="public_session.id", index=True)
    task_id: UUID = Field(foreign_key="task.id")
    attempt: int = 1
    body: dict[str, Any] = json_column()
    evidence: dict[str, Any] = json_column()
    binding_id: UUID
    submitted_at: datetime = instant()


class BindingRow(SQLModel, table=True):
    """One browser that was, or is, bound to a session."""

    __tablename__ = "binding"
    __table_args__ = (UniqueConstraint("session_id", "fence"),)

    id: UUID = primary_id()
    session_id: UUID = Field(foreign_key="public_session.id")
    fence: int
    door_digest: str
    digest: str = Field(unique=True)
    key_version: int
    browser: str = ""
    bound_at: datetime = instant()
    last_seen_at: datetime = instant()
    ended_at: datetime | None = optional_instant()
    end_reason: str | None = None


class VisitRow(SQLModel, table=True):
    """How often a link was opened; scanners open links, so this says nothing about the person."""

    __tablename__ = "visit"

    session_id: UUID = Field(foreign_key="public_session.id", primary_key=True)
    visits: int = 0
    last_at: datetime = instant()


async def session_by_id(
    db: AsyncSession, session_id: UUID, workspace_id: UUID | None = None, *, lock: bool = False
) -> PublicSessionRow | None:
    """A session, of this workspace if one is named; its row locked if asked."""
    found = select(PublicSessionRow).where(PublicSessionRow.id == session_id)
    if workspace_id is not None:
        found = found.where(PublicSessionRow.workspace_id == workspace_id)
    return await _one(db, found, lock=lock)


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
    return row


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
    return (await db.scalars(found)).all()


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
    return (
        await db.scalars(
            select(PublicSessionRow).where(
                PublicSessionRow.workspace_id == workspace_id, PublicSessionRow.cause == cause
            )
        )
    ).one_or_none()


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
    return (await db.scalars(found.order_by(col(SubmissionRow.id)))).all()


async def binding_by_id(db: AsyncSession, binding_id: UUID) -> BindingRow:
    """A binding as it is now; it exists."""
    found = select(BindingRow).where(BindingRow.id == binding_id)
    return (await db.scalars(found.execution_options(populate_existing=True))).one()


async def binding_by_digest(
    db: AsyncSession, session_id: UUID, digests: Sequence[str]
) -> BindingRow | None:
    """The binding of this session whose cookie has one of these digests."""
    return (
        await db.scalars(
            select(BindingRow)
            .where(BindingRow.session_id == session_id, col(BindingRow.digest).in_(digests))
            .execution_options(populate_existing=True)
        )
    ).one_or_none()


async def count_visit(db: AsyncSession, session_id: UUID, at: datetime) -> None:
    """Counts one opening of the link, in a row of its own that nothing else locks."""
    row = insert(VisitRow).values(session_id=session_id, visits=1, last_at=at)
    await db.execute(
        row.on_conflict_do_update(
            index_elements=["session_id"],
            set_={"visits": VisitRow.__table__.c.visits + 1, "last_at": at},  # type: ignore[attr-defined]  # SQLModel hides __table__
        )
    )


async def visits_of(db: AsyncSession, session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often each session's link was opened."""
    found = select(VisitRow.session_id, VisitRow.visits).where(
        col(VisitRow.session_id).in_(session_ids)
    )
    return {row.session_id: row.visits for row in (await db.execute(found)).all()}


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


def binding_value(row: BindingRow) -> Binding:
    """The domain value of a binding's row."""
    ended = BindingEnd(row.end_reason) if row.end_reason else None
    return Binding(row.id, row.fence, row.last_seen_at, ended)
