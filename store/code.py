"""One-time codes and the tries at them. The code itself is not here: it is derived."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Index, UniqueConstraint, and_, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from domain.code import Code, CodePurpose, CodeUse
from store.columns import instant, optional_instant, primary_id


class CodeRow(SQLModel, table=True):
    """One code of one session: what it is for, the counter it is derived from, and its life.

    `task_id` and `binding_id` are of one that signs: which task, and which browser asked for it.
    """

    __tablename__ = "code"
    __table_args__ = (
        UniqueConstraint("session_id", "counter"),
        Index(None, "expires_at"),
    )

    id: UUID = primary_id()
    session_id: UUID = Field(foreign_key="public_session.id")
    purpose: str = CodePurpose.DOOR
    task_id: UUID | None = Field(default=None, foreign_key="task.id")
    binding_id: UUID | None = None
    counter: int
    key_version: int
    created_at: datetime = instant()
    expires_at: datetime = instant()
    tries: int = 0
    consumed_at: datetime | None = optional_instant()
    consumed_by: str | None = None


class CodeTryRow(SQLModel, table=True):
    """How often one browser tried one code (C12)."""

    __tablename__ = "code_try"

    code_id: UUID = Field(foreign_key="code.id", primary_key=True)
    door_digest: str = Field(primary_key=True)
    tries: int = 0


def _made_for(session_id: UUID, use: CodeUse) -> ColumnElement[bool]:
    """Whether a code was asked for in this session and for this."""
    return and_(
        col(CodeRow.session_id) == session_id,
        col(CodeRow.purpose) == use.purpose,
        col(CodeRow.task_id).is_not_distinct_from(use.task_id),
        col(CodeRow.binding_id).is_not_distinct_from(use.binding_id),
    )


async def living_codes(
    db: AsyncSession, session_id: UUID, at: datetime, use: CodeUse
) -> Sequence[CodeRow]:
    """The codes for this use that are neither used up nor past their life, newest first."""
    return (
        await db.scalars(
            select(CodeRow)
            .where(
                _made_for(session_id, use),
                CodeRow.expires_at > at,
                col(CodeRow.consumed_at).is_(None),
            )
            .order_by(col(CodeRow.counter).desc())
            .execution_options(populate_existing=True)
        )
    ).all()


async def tries_of(db: AsyncSession, codes: Sequence[CodeRow], door: str) -> dict[UUID, int]:
    """How often this browser tried each code."""
    if not codes:
        return {}
    found = select(CodeTryRow.code_id, CodeTryRow.tries).where(
        col(CodeTryRow.code_id).in_([each.id for each in codes]), CodeTryRow.door_digest == door
    )
    return {row.code_id: row.tries for row in (await db.execute(found)).all()}


async def count_try(db: AsyncSession, code: CodeRow, door: str) -> None:
    """Counts one try of this browser at this code, before it is compared."""
    row = insert(CodeTryRow).values(code_id=code.id, door_digest=door, tries=1)
    table = CodeTryRow.__table__  # type: ignore[attr-defined]  # SQLModel hides __table__
    await db.execute(
        row.on_conflict_do_update(
            index_elements=["code_id", "door_digest"], set_={"tries": table.c.tries + 1}
        )
    )
    code.tries += 1


async def consume_code(db: AsyncSession, code_id: UUID, door: str, at: datetime) -> bool:
    """Uses the code up; False if somebody did before. One guarded statement decides."""
    used = (
        update(CodeRow)
        .where(
            col(CodeRow.id) == code_id,
            col(CodeRow.consumed_at).is_(None),
            col(CodeRow.expires_at) > at,
        )
        .values(consumed_at=at, consumed_by=door)
        .returning(col(CodeRow.id))
    )
    return (await db.execute(used)).scalar_one_or_none() is not None


async def last_consumed(db: AsyncSession, session_id: UUID, use: CodeUse) -> CodeRow | None:
    """The code that was used last for this."""
    found = select(CodeRow).where(_made_for(session_id, use), col(CodeRow.consumed_at).is_not(None))
    return (
        await db.scalars(found.order_by(col(CodeRow.consumed_at).desc()).limit(1))
    ).one_or_none()


async def end_codes(db: AsyncSession, session_id: UUID, at: datetime) -> None:
    """Ends every living code of a session, as when its address changes."""
    await db.execute(
        update(CodeRow)
        .where(col(CodeRow.session_id) == session_id, col(CodeRow.consumed_at).is_(None))
        .values(expires_at=func.least(col(CodeRow.expires_at), at))
    )


def code_value(row: CodeRow, tries_here: int = 0) -> Code:
    """The domain value of a code's row."""
    return Code(
        counter=row.counter,
        created_at=row.created_at,
        expires_at=row.expires_at,
        tries=row.tries,
        tries_here=tries_here,
        consumed=row.consumed_at is not None,
    )
