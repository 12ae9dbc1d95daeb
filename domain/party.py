"""Parties: what must be true of one before it is saved."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.definition import KEY
from domain.fault import Fault

LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,62}")
ADDRESS = re.compile(r"[^@\s<>\",;:\\\[\]]{1,64}@[^@\s<>\",;:\\\[\]]{1,253}")
MOST_ATTRIBUTES = 100
LONGEST_NAME = 200
LONGEST_VALUE = 4000
LONGEST_ADDRESS = 64 + len("@") + 253


@dataclass(frozen=True, slots=True)
class PartyFields:
    """What a caller may say of a party; `email` empty means that it has no contact address."""

    kind: str
    name: str
    email: str = ""
    locale: str = "en"
    zone: str = "UTC"
    attributes: Mapping[str, Any] | None = None
    test: bool = False


def faults_of(fields: PartyFields) -> tuple[Fault, ...]:
    """Every fault of a party's fields."""
    found: list[Fault] = []
    if not KEY.fullmatch(fields.kind):
        found.append(
            Fault("/kind", "must be a key: lower-case letters, digits and dashes, 63 at most")
        )
    if not fields.name.strip() or len(fields.name) > LONGEST_NAME:
        found.append(Fault("/name", f"must have 1 to {LONGEST_NAME} characters"))
    if fields.email and not is_address(fields.email):
        found.append(Fault("/email", "must be one mail address, such as anna@example.com"))
    if not LOCALE.fullmatch(fields.locale):
        found.append(Fault("/locale", "must be a language such as en, de or pt-BR"))
    found.extend(_attribute_faults(fields.attributes or {}))
    return tuple(found)


def is_address(email: str) -> bool:
    """Whether this reads as one mail address; delivery alone proves more."""
    return bool(ADDRESS.fullmatch(email)) and email.isprintable()


def _attribute_faults(attributes: Mapping[str, Any]) -> list[Fault]:
    found = []
    if len(attributes) > MOST_ATTRIBUTES:
        found.append(Fault("/attributes", f"must be {MOST_ATTRIBUTES} at most"))
    for key, value in attributes.items():
        if not ATTRIBUTE.fullmatch(key):
            found.append(Fault(f"/attributes/{key}", "must be named in lower_snake_case"))
        if len(str(value)) > LONGEST_VALUE:
            found.append(
                Fault(f"/attributes/{key}", f"must have {LONGEST_VALUE} characters at most")
            )
    return found


def masked(email: str) -> str:
    """The address as it may be shown to whoever holds a link: `a•••@example.com`."""
    name, at, host = email.partition("@")
    return f"{name[:1]}•••{at}{host}"


MOST_WORDS = 32
WORD = re.compile(r"\w+")


def words_to_find(text: str) -> list[str]:
    """The words a text is found by, whatever their capitals, accents and order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    words = dict.fromkeys(WORD.findall(letters))
    return [f"word:{each}" for each in words][:MOST_WORDS]


def address_to_find(email: str) -> str:
    """What an address is found by, whatever its capitals."""
    return f"address:{email.strip().casefold()}"


def host_to_find(host: str) -> str:
    """What the host of an address is found by, whatever its capitals."""
    return f"host:{host.strip().casefold()}"


def texts_to_find(name: str, email: str) -> Sequence[str]:
    """Everything a party is found by: the words of its name, its address, the address's host."""
    if not email:
        return words_to_find(name)
    host = email.rpartition("@")[2]
    return [*words_to_find(name), address_to_find(email), host_to_find(host)]
