"""Parties as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from api.shapes.field import Address, Object, Shown, Wanted
from domain.definition import KEY
from domain.party import LONGEST_NAME, PartyFields
from store.party import PartyRow, PassageRow
from store.public_session import PublicSessionRow


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(value: str) -> bool:
    """Whether this is the IANA name of a time zone."""
    return value in _zones()


def _zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("must be a time zone by its IANA name, such as Europe/Berlin")
    return value


Kind = Annotated[str, StringConstraints(pattern=f"^{KEY.pattern}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")]
Email = Address | Literal[""]
Locale = Annotated[
    str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")
]
Zone = Annotated[str, AfterValidator(_zone)]


class NewParty(Wanted):
    """A party to create; its lifecycle's first state may issue sessions at once (PS-33)."""

    kind: Kind
    name: Name
    email: Email = Field("", description="Empty: no contact address is known yet")
    locale: Locale = "en"
    zone: Zone = "UTC"
    attributes: Object = Field(default_factory=dict)
    test: StrictBool = Field(False, description="Test parties are issued drafts, too")

    def fields(self) -> PartyFields:
        """What the command takes."""
        return PartyFields(**self.model_dump())


class PartyChanges(Wanted):
    """Members to replace. Attributes are merged; one that is null is removed."""

    name: Name | None = None
    email: Email | None = None
    locale: Locale | None = None
    zone: Zone | None = None
    attributes: Object | None = None
    test: StrictBool | None = None

    def stated(self) -> dict[str, Any]:
        """The members that were sent with a value."""
        return self.model_dump(exclude_unset=True, exclude_none=True) | self._attributes()

    def _attributes(self) -> dict[str, Any]:
        # Null inside attributes means removal and must not be left out.
        return {"attributes": self.attributes} if self.attributes is not None else {}


class WantedTransition(Wanted):
    """A move along the party's lifecycle."""

    transition: Kind


class Verification(Shown):
    """Whether codes are refused after too many wrong ones, until an administrator unlocks."""

    locked: bool
    locked_at: datetime | None
    failures: int


class PartyShape(Shown):
    """A party."""

    id: UUID
    kind: str
    name: str
    email: str
    locale: str
    zone: str
    attributes: dict[str, Any]
    state: str
    test: bool
    verification: Verification
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None = Field(description="When it was erased; nothing of it is left")

    @classmethod
    def of(cls, row: PartyRow, **others: Any) -> Self:
        """The shape of a row."""
        locked_at = row.verification_locked_at
        lock = Verification(
            locked=locked_at is not None, locked_at=locked_at, failures=row.failed_verifications
        )
        return cls.showing(row, name=row.listed_name, verification=lock, **others)


class Passage(Shown):
    """One move a party made; `from` is null for its first state."""

    transition: str | None
    origin: str | None = Field(serialization_alias="from")
    target: str = Field(serialization_alias="to")
    cause: str
    lifecycle_version: int
    passed_at: datetime


class PartyDetail(PartyShape):
    """A party with every move it made, oldest first."""

    passages: list[Passage]

    @classmethod
    def with_passages(cls, row: PartyRow, passages: Sequence[PassageRow]) -> Self:
        """The shape of a row and its moves."""
        return cls.of(row, passages=[Passage.model_validate(each) for each in passages])


class IssuedSession(Shown):
    """A public session that a move issued."""

    public_session: UUID
    template: str


class PartyMoved(PartyShape):
    """A party after a move, and what the move issued."""

    issued: list[IssuedSession]

    @classmethod
    def issuing(cls, row: PartyRow, sessions: Sequence[PublicSessionRow]) -> Self:
        """The shape of a row and the sessions issued to it."""
        issued = [
            IssuedSession(public_session=each.id, template=each.template_key) for each in sessions
        ]
        return cls.of(row, issued=issued)
