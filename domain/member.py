"""Members: people with an account in a workspace, and what must be true before one is saved."""

from dataclasses import dataclass
from enum import StrEnum

from domain.fault import Fault
from domain.party import LOCALE, LONGEST_NAME, is_address


class Role(StrEnum):
    """What a member may do; `domain/permission.py` says what that is."""

    ADMIN = "admin"
    PUBLISHER = "publisher"
    AUDITOR = "auditor"


class MemberState(StrEnum):
    """How far an account came: `invited → active ⇄ disabled`, and `deleted` for good."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class MemberFields:
    """What may be said of a member. `locale` is the language of pages and mails."""

    email: str
    name: str
    role: Role
    locale: str = "en"
    zone: str = "UTC"


def faults_of(fields: MemberFields) -> tuple[Fault, ...]:
    """Every fault of a member's fields."""
    found = []
    if not is_address(fields.email):
        found.append(Fault("/email", "must be one mail address, such as anna@example.com"))
    if not fields.name.strip() or len(fields.name) > LONGEST_NAME:
        found.append(Fault("/name", f"must have 1 to {LONGEST_NAME} characters"))
    if not LOCALE.fullmatch(fields.locale):
        found.append(Fault("/locale", "must be a language such as en, de or pt-BR"))
    return tuple(found)
