"""Idempotency keys: the first answer to a POST, kept so that a repeated one gets it again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col
from typing_extensions import override

from store.columns import instant
from store.sealed import Owner, OwnerKind, SealedRow, opened_one, sealed, words_column

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ERASED = 410
"""The status of an answer that was emptied because it told of what was erased since."""


class IdempotencyRow(SealedRow, table=True):
    """One key of one token or member: the request's digest and, once answered, the answer."""

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "words", postgresql_using="gin"),)

    caller_id: UUID = Field(primary_key=True, sa_column_kwargs={"name": "token_id"})
    key: str = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id")
    request_digest: str
    status: int = 0
    words: list[bytes] = words_column()
    created_at: datetime = instant(index=True)

    text = sealed("text", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The workspace in which it was asked."""
        return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)

    @property
    @override
    def row_name(self) -> str:
        """The primary key, which is no id of its own."""
        return f"{self.caller_id}/{self.key}"

    @override
    def texts_to_find(self) -> Sequence[str]:
        """The ids in the answer: when one of them is erased, it is emptied."""
        return sorted(set(ID.findall(self.text)))


@dataclass(frozen=True, slots=True)
class Claim:
    """Who uses a key for which request, and when."""

    workspace_id: UUID
    caller_id: UUID
    key: str
    request_digest: str
    at: datetime


async def claim_key(db: AsyncSession, wanted: Claim) -> tuple[IdempotencyRow, bool]:
    """Claims a key for this transaction: its row, and whether it is ours now.

    A second request waits here until the first has committed or rolled back.
    """
    mine = (
        insert(IdempotencyRow)
        .values(
            caller_id=wanted.caller_id,
            key=wanted.key,
            workspace_id=wanted.workspace_id,
            request_digest=wanted.request_digest,
            status=0,
            words=[],
            created_at=wanted.at,
        )
        .on_conflict_do_nothing()
        .returning(col(IdempotencyRow.key))
    )
    is_ours = (await db.execute(mine)).scalar_one_or_none() is not None
    row = await db.get_one(IdempotencyRow, (wanted.caller_id, wanted.key))
    await opened_one(db, row)
    return row, is_ours


async def purge_keys(db: AsyncSession, before: datetime) -> int:
    """Removes keys from before `before`; returns how many."""
    gone = delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < before)
    return len((await db.execute(gone.returning(col(IdempotencyRow.key)))).all())
