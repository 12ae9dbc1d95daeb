"""Tables that are as old as the keys: no release ever wrote a row of theirs in clear.

Whoever can write to the database but has no key could put words of their own into `unsealed`, such
as a key to sign with. In these tables that is refused by a constraint, and where a row is read.
"""

from typing import Any

from sqlalchemy import CheckConstraint, event

from store.sealed import SealedRow


class FoundInClear(Exception):
    """A row holds contents that nobody with a key wrote."""


def never_clear() -> CheckConstraint:
    """The constraint of such a table."""
    return CheckConstraint("unsealed IS NULL", name="never_clear")


def refuse_clear(table: type[SealedRow]) -> None:
    """Has each row of the table refused that is read with clear contents."""
    event.listen(table, "load", _refuse)
    event.listen(table, "refresh", _refuse)


def _refuse(row: SealedRow, *_: Any) -> None:
    if row.__dict__.get("unsealed") is not None:
        raise FoundInClear(str(row.__tablename__))
