"""How many rows a statement changed: a guarded UPDATE or DELETE tells by that who was first."""

from typing import Any, cast

from sqlalchemy import CursorResult, Result


def changed_rows(done: Result[Any]) -> int:
    """The number of rows of an UPDATE, DELETE or INSERT that was carried out."""
    return cast("CursorResult[Any]", done).rowcount
