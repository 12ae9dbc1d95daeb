"""Rows that a release without keys wrote in clear: counted, and sealed a few at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col, select

from store.audit import AuditRow
from store.idempotency import IdempotencyRow
from store.mail import MailRow
from store.party import PartyRow
from store.public_session import PublicSessionRow, SubmissionRow
from store.sealed import SealedRow, seal_again
from store.token import TokenRow

TABLES: Sequence[type[SealedRow]] = (
    TokenRow,
    PartyRow,
    PublicSessionRow,
    SubmissionRow,
    MailRow,
    IdempotencyRow,
    AuditRow,
)


async def count_unsealed(db: AsyncSession) -> dict[str, int]:
    """How many rows of each table still lie in clear."""
    counts = {}
    for table in TABLES:
        found = select(func.count()).select_from(table).where(col(table.unsealed).is_not(None))
        counts[str(table.__tablename__)] = int((await db.scalars(found)).one())
    return counts


async def seal_some(db: AsyncSession, table: type[SealedRow], most: int) -> int:
    """Seals a few rows of a table that nobody holds; returns how many."""
    found = (
        select(table)
        .where(col(table.unsealed).is_not(None))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows: Sequence[Any] = (await db.scalars(found)).all()
    for row in rows:
        _seal(row)
    await db.flush()
    return len(rows)


def _seal(row: SealedRow) -> None:
    if isinstance(row, AuditRow) and row.commitment is None:
        row.commit()
    seal_again(row)


async def rewrite_tables(connection: AsyncConnection) -> None:
    """Writes the tables anew: a row that was sealed leaves its clear copy behind in the old file.

    Each table is locked meanwhile. The connection must be in no transaction.
    """
    for table in TABLES:
        await connection.execute(text(f"VACUUM (FULL) {table.__tablename__}"))
