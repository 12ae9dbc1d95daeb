"""Intents: which workflow must still be started or told; written with the fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from store.columns import instant, json_column, optional_instant, primary_id


class IntentRow(SQLModel, table=True):
    """Start or signal one workflow; `done_at` once Temporal has it."""

    __tablename__ = "intent"
    __table_args__ = (
        Index("ix_intent_due", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_intent_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        Index(
            "ix_intent_start",
            "workflow_id",
            postgresql_where=text("signal IS NULL AND done_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    workflow: str
    workflow_id: str
    signal: str | None = None
    payload: dict[str, Any] = json_column()
    created_at: datetime = instant()
    due_at: datetime = instant()
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = optional_instant()


async def claim_due(
    db: AsyncSession, at: datetime, lease: timedelta, limit: int = 100
) -> Sequence[IntentRow]:
    """Undelivered intents that are due, leased to the caller until `at + lease`."""
    due = (
        select(IntentRow.id)
        .where(col(IntentRow.done_at).is_(None), col(IntentRow.due_at) <= at)
        .order_by(col(IntentRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(IntentRow)
        .where(col(IntentRow.id).in_(due))
        .values(due_at=at + lease, attempts=col(IntentRow.attempts) + 1)
        .returning(IntentRow)
    )
    rows = (await db.scalars(claimed)).all()
    return sorted(rows, key=lambda each: each.id)


async def mark_delivered(db: AsyncSession, ids: Sequence[UUID], at: datetime) -> None:
    """Temporal has these."""
    await db.execute(
        update(IntentRow).where(col(IntentRow.id).in_(ids)).values(done_at=at, error="")
    )


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Why Temporal did not take an intent, and when to try again."""

    error: str
    due_at: datetime


async def mark_failed(db: AsyncSession, failed: Mapping[UUID, Undelivered]) -> None:
    """Temporal did not take these; they stay due."""
    for intent_id, each in failed.items():
        await db.execute(
            update(IntentRow)
            .where(col(IntentRow.id) == intent_id)
            .values(error=each.error[:300], due_at=each.due_at)
        )


async def start_is_due(db: AsyncSession, workflow_id: str) -> bool:
    """Whether the workflow has not been started yet."""
    found = select(IntentRow.id).where(
        IntentRow.workflow_id == workflow_id,
        col(IntentRow.signal).is_(None),
        col(IntentRow.done_at).is_(None),
    )
    return (await db.scalars(found.limit(1))).one_or_none() is not None


async def purge_delivered(db: AsyncSession, before: datetime) -> int:
    """Removes intents delivered before `before`; returns how many."""
    gone = delete(IntentRow).where(col(IntentRow.done_at) < before).returning(col(IntentRow.id))
    return len((await db.execute(gone)).all())
