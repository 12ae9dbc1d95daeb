"""Reading a definition as a whole: every fault is gathered, none is raised."""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from domain.fault import Fault

KEY = re.compile(r"[a-z][a-z0-9-]{0,62}")
LONGEST_TEXT = 500


class DefinitionKind(StrEnum):
    """The nouns that are saved as versions and never changed afterwards."""

    FORM = "form"
    DOCUMENT = "document"
    TEMPLATE = "session_template"
    LIFECYCLE = "lifecycle"


class DefinitionStatus(StrEnum):
    """Where a version stands; forms, documents and lifecycles are published when saved (PS-7)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Reader:
    """Takes a JSON object apart and remembers each fault with its JSON pointer."""

    def __init__(self) -> None:
        """Begins without faults."""
        self.faults: list[Fault] = []

    def fault(self, pointer: str, message: str) -> None:
        """Remembers one fault."""
        self.faults.append(Fault(pointer, message))

    def only(self, raw: Mapping[str, Any], allowed: Collection[str], at: str) -> None:
        """Names every member that is not allowed."""
        for name in sorted(set(raw) - set(allowed)):
            self.fault(f"{at}/{name}", "is not known here")

    def key(self, raw: Mapping[str, Any], name: str, at: str) -> str:
        """A stable key."""
        value = raw.get(name)
        if isinstance(value, str) and KEY.fullmatch(value):
            return value
        self.fault(
            f"{at}/{name}", "must be a key: lower-case letters, digits and dashes, 63 at most"
        )
        return ""

    def text(
        self,
        raw: Mapping[str, Any],
        name: str,
        at: str,
        *,
        optional: bool = False,
        longest: int = LONGEST_TEXT,
    ) -> str:
        """A text of 1 to `longest` characters."""
        value = raw.get(name)
        if value is None and optional:
            return ""
        if isinstance(value, str) and value.strip() and len(value) <= longest:
            return value
        self.fault(f"{at}/{name}", f"must be a text of 1 to {longest} characters")
        return ""

    def texts(
        self, raw: Mapping[str, Any], name: str, at: str, *, optional: bool = False, least: int = 0
    ) -> list[str]:
        """A list of texts."""
        value = raw.get(name)
        if value is None and optional:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.fault(f"{at}/{name}", "must be a list of texts")
            return []
        if len(value) < least:
            self.fault(f"{at}/{name}", f"must name at least {least}")
        return value

    def objects(
        self, raw: Mapping[str, Any], name: str, at: str, *, least: int = 0, most: int = 200
    ) -> list[Mapping[str, Any]]:
        """A list of objects."""
        value = raw.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self.fault(f"{at}/{name}", "must be a list of objects")
            return []
        if not least <= len(value) <= most:
            self.fault(f"{at}/{name}", f"must have {least} to {most} entries, has {len(value)}")
        return value

    def number(
        self, raw: Mapping[str, Any], name: str, at: str, *, low: int, high: int
    ) -> int | None:
        """A whole number within limits."""
        value = raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fault(f"{at}/{name}", f"must be a whole number from {low} to {high}, got {value!r}")
        return None

    def switch(self, raw: Mapping[str, Any], name: str, at: str) -> None:
        """A boolean, if given."""
        if not isinstance(raw.get(name, False), bool):
            self.fault(f"{at}/{name}", "must be true or false")

    def one_of(self, raw: Mapping[str, Any], name: str, known: Sequence[str], at: str) -> str:
        """A text that is one of the known ones."""
        value = raw.get(name)
        if isinstance(value, str) and value in known:
            return value
        self.fault(f"{at}/{name}", f"must be one of {', '.join(known) or 'nothing'}, got {value!r}")
        return ""

    def known(self, value: str, known: Collection[str], pointer: str, what: str) -> bool:
        """Whether a name is known; a fault if not."""
        if value in known:
            return True
        self.fault(pointer, f"there is no {what} {value!r}")
        return False

    def unique(self, values: Sequence[str], at: str) -> None:
        """Names every value that comes twice."""
        for index, value in enumerate(values):
            if value and value in values[:index]:
                self.fault(f"{at}/{index}", f"{value!r} comes twice")
