"""Keyset pagination: lists that stay whole while rows are added."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.definition import KEY
from domain.errors import CursorInvalid

Row = TypeVar("Row")


def cursor_after(row_id: UUID) -> str:
    """The opaque place behind a row."""
    return base64.urlsafe_b64encode(row_id.bytes).rstrip(b"=").decode()


def place_of(cursor: str) -> UUID:
    """The row a cursor stands behind; raises `CursorInvalid`."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid from error


def cursor_after_key(key: str) -> str:
    """The opaque place behind a row of a list by key."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def key_of(cursor: str) -> str:
    """The key a cursor stands behind; raises `CursorInvalid`."""
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid from error
    if not KEY.fullmatch(key):
        raise CursorInvalid
    return key


async def page_of(
    db: AsyncSession, found: Any, id_column: Any, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """One page, newest first, and the cursor of the next one (None at the end)."""
    if cursor:
        found = found.where(id_column < place_of(cursor))
    return await _page(db, found.order_by(id_column.desc()), limit)


async def trail_of(
    db: AsyncSession, found: Any, id_column: Any, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    """One page, oldest first, and the cursor of the next one (None at the end)."""
    if cursor:
        found = found.where(id_column > place_of(cursor))
    return await _page(db, found.order_by(id_column), limit)


async def _page(db: AsyncSession, found: Any, limit: int) -> tuple[Sequence[Any], str | None]:
    rows = (await db.scalars(found.limit(limit + 1))).all()
    more = len(rows) > limit
    return rows[:limit], cursor_after(rows[limit - 1].id) if more else None
