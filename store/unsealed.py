"""Rows that a release without keys wrote in clear: counted, and sealed a few at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, inspect, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col, select

from store.audit import AuditRow
from store.binding import BindingRow
from store.idempotency import IdempotencyRow
from store.mail import MailRow
from store.party import PartyRow
from store.public_session import PublicSessionRow, SubmissionRow
from store.sealed import Owner, OwnerKind, SealedRow, key_of, load_keys, seal_again
from store.token import TokenRow

TABLES: Sequence[type[SealedRow]] = (
    TokenRow,
    PartyRow,
    PublicSessionRow,
    SubmissionRow,
    BindingRow,
    MailRow,
    IdempotencyRow,
    AuditRow,
)
STATISTICS = "pg_statistic"
"""PostgreSQL keeps samples of every column's values there."""
Place = tuple[Any, ...]
"""The primary key of the last row that was looked at."""


async def count_unsealed(db: AsyncSession) -> dict[str, int]:
    """How many rows of each table still lie in clear."""
    counts = {}
    for table in TABLES:
        found = select(func.count()).select_from(table).where(col(table.unsealed).is_not(None))
        counts[str(table.__tablename__)] = int((await db.scalars(found)).one())
    return counts


async def has_unsealed(db: AsyncSession) -> bool:
    """Whether any row lies in clear."""
    for table in TABLES:
        found = select(1).select_from(table).where(col(table.unsealed).is_not(None)).limit(1)
        if (await db.scalars(found)).first():
            return True
    return False


async def make_keys(
    db: AsyncSession, table: type[SealedRow], after: Place | None, most: int
) -> None:
    """Makes the keys that sealing the next rows needs.

    In a transaction of its own: whoever holds rows must never wait for somebody else's new key.
    """
    rows = (await db.scalars(_unsealed(table, after, most))).all()
    owners = {each for row in rows for each in _owners(row)}
    await load_keys(db, *(each.subject_id for each in owners))
    for each in sorted(owners, key=lambda owner: owner.subject_id):
        await key_of(db, each)


async def seal_some(
    db: AsyncSession, table: type[SealedRow], after: Place | None, most: int
) -> tuple[int, Place | None]:
    """Seals the next rows that nobody holds; how many, and where to go on (None at the end)."""
    found = _unsealed(table, after, most).with_for_update(skip_locked=True)
    rows: Sequence[Any] = (await db.scalars(found)).all()
    await load_keys(db, *{each.subject_id for row in rows for each in _owners(row)})
    for row in rows:
        _seal(row)
    await db.flush()
    return len(rows), inspect(rows[-1]).identity if rows else None


def _unsealed(table: type[SealedRow], after: Place | None, most: int) -> Any:
    primary_key = inspect(table).primary_key
    found = select(table).where(col(table.unsealed).is_not(None))
    if after is not None:
        found = found.where(tuple_(*primary_key) > tuple_(*after))
    return found.order_by(*primary_key).limit(most)


def _owners(row: SealedRow) -> Sequence[Owner]:
    """Whose keys sealing the row needs: its owner's, and the workspace's to blind its words."""
    workspace_id = row.owner.workspace_id
    return row.owner, Owner(workspace_id, workspace_id, OwnerKind.WORKSPACE)


def _seal(row: SealedRow) -> None:
    if isinstance(row, AuditRow) and row.commitment is None:
        row.commit()
    seal_again(row)


async def rewrite_table(connection: AsyncConnection, table: str) -> None:
    """Writes a table and its statistics anew: sealed rows left clear copies behind in the old file.

    It is locked meanwhile. The connection must be in no transaction. Raises a lock timeout.
    """
    await connection.execute(text("SET statement_timeout = 0"))
    analyze = "" if table == STATISTICS else ", ANALYZE"
    await connection.execute(text(f"VACUUM (FULL{analyze}) {table}"))
