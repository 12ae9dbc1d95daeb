"""Idempotency keys: the first answer to a POST, kept so that a repeated one gets it again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from store.columns import instant, optional_json


class IdempotencyRow(SQLModel, table=True):
    """One key of one token: the request's digest and, once it is answered, the answer."""

    __tablename__ = "idempotency"

    token_id: UUID = Field(foreign_key="token.id", primary_key=True)
    key: str = Field(primary_key=True)
    request_digest: str
    status: int = 0
    body: dict[str, Any] | None = optional_json()
    created_at: datetime = instant(index=True)


async def claim_key(
    db: AsyncSession, token_id: UUID, key: str, request_digest: str, at: datetime
) -> IdempotencyRow | None:
    """Claims a key for this transaction; None if it is ours now, else the row that had it first.

    A second request waits here until the first has committed or rolled back.
    """
    mine = (
        insert(IdempotencyRow)
        .values(token_id=token_id, key=key, request_digest=request_digest, status=0, created_at=at)
        .on_conflict_do_nothing()
        .returning(col(IdempotencyRow.key))
    )
    if (await db.execute(mine)).scalar_one_or_none() is not None:
        return None
    return await db.get_one(IdempotencyRow, (token_id, key))


async def keep_answer(
    db: AsyncSession, token_id: UUID, key: str, status: int, body: dict[str, Any] | None
) -> None:
    """Keeps the answer beside the fact, in one transaction."""
    kept = (
        update(IdempotencyRow)
        .where(col(IdempotencyRow.token_id) == token_id, col(IdempotencyRow.key) == key)
        .values(status=status, body=body)
    )
    await db.execute(kept)


async def purge_keys(db: AsyncSession, before: datetime) -> int:
    """Removes keys from before `before`; returns how many."""
    gone = delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < before)
    return len((await db.execute(gone.returning(col(IdempotencyRow.key)))).all())
