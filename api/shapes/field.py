"""Fields and bases of every shape: what may be stored, how times are written, how lists page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    model_validator,
)

from domain.party import is_address

DEEPEST = 32
LARGEST_INTEGER = 2**63
LONGEST_RATIONALE = 2000

Item = TypeVar("Item")


def storable(raw: Any) -> Any:
    """The value itself, if PostgreSQL can hold it; raises `ValueError` naming each place if not."""
    faults = list(_unstorable(raw, "", 0))
    if faults:
        raise ValueError("; ".join(faults))
    return raw


def _unstorable(value: Any, at: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        yield f"{at or '/'} is nested deeper than {DEEPEST} levels"
    elif isinstance(value, str) and not _is_text(value):
        yield f"{at or '/'} holds a character that cannot be stored"
    elif isinstance(value, int | float) and not -LARGEST_INTEGER < value < LARGEST_INTEGER:
        yield f"{at or '/'} must be a number between -2^63 and 2^63"
    elif isinstance(value, dict):
        yield from _unstorable_members(value, at, depth)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unstorable(each, f"{at}/{index}", depth + 1)


def _unstorable_members(value: dict[str, Any], at: str, depth: int) -> Iterator[str]:
    for name, each in value.items():
        if not _is_text(name):
            yield f"{at or '/'} has a member with a name that cannot be stored"
            continue
        yield from _unstorable(each, f"{at}/{name}", depth + 1)


def _is_text(value: str) -> bool:
    """Whether PostgreSQL takes it: no NUL, no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is out of range") from error


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("must be one mail address, such as anna@example.com")
    return value


NOBODY = UUID(int=0)


def _id_or_nobody(raw: Any) -> UUID:
    try:
        return UUID(raw)
    except (ValueError, AttributeError, TypeError):
        return NOBODY


AnyId = Annotated[UUID, BeforeValidator(_id_or_nobody)]
"""An id that is looked for; a malformed one finds nothing, just as an unknown one does."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""RFC 3339 with an offset; always UTC inside."""

Text = Annotated[str, AfterValidator(storable)]
"""A text outside a body; a body's texts are looked at as a whole by `Wanted`."""

Rationale = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_RATIONALE),
]
"""Why something is done; stays inside the workspace."""

OptionalRationale = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_RATIONALE)
]
Address = Annotated[str, AfterValidator(_address)]
Object = Annotated[dict[str, Any], BeforeValidator(storable)]
"""A JSON object whose members a domain rule checks as a whole."""


class Wanted(BaseModel):
    """What a caller sends: unknown members are refused by name."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, raw: Any) -> Any:
        return storable(raw)


class Shown(BaseModel):
    """What is answered; members are added, never renamed or removed."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    @classmethod
    def showing(cls, row: Any, **others: Any) -> Self:
        """The shape of a row: its members as the row has them, except for the `others`."""
        names = cls.model_fields.keys() - others.keys()
        shown = {name: getattr(row, name) for name in names if hasattr(row, name)}
        return cls.model_validate(shown | others)


class Page(Shown, Generic[Item]):
    """One page of a list and the cursor of the next one (null at the end)."""

    items: list[Item]
    next: str | None = None
