"""One event of the audit log as the tree holds it, in a form that never changes (PS-25, N10).

A leaf names ids and words of our vocabulary. What a person typed stands in the details, which the
leaf only commits to: when they are erased the tree goes on verifying.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

VERSION: Final = 1
SALT_BYTES: Final = 32
AT_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_TEXTS: Final = ("workspace", "id", "event", "actor", "at", "subject", "commitment")
_OPTIONAL_TEXTS: Final = ("session", "party")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One event: ids as text, `at` aware, `commitment` the hex of `commitment_of`."""

    workspace: str
    id: str
    event: str
    actor: str
    at: datetime
    session: str | None
    party: str | None
    subject: str
    commitment: str

    @classmethod
    def of(cls, written: Mapping[str, object]) -> "Leaf":
        """The leaf that was written as this JSON object; raises `ValueError` if none was."""
        if written.keys() != {"v", *_TEXTS, *_OPTIONAL_TEXTS} or type(written["v"]) is not int:
            raise ValueError("not a leaf")
        texts = {name: _text(written[name]) for name in _TEXTS if name != "at"}
        optional = {name: _optional(written[name]) for name in _OPTIONAL_TEXTS}
        leaf = cls(at=instant_of(_text(written["at"])), **texts, **optional)  # type: ignore[arg-type] # by name
        if leaf.as_json() != written:
            raise ValueError("not as a leaf is written")
        return leaf

    def as_json(self) -> dict[str, str | int | None]:
        """The JSON object that stands for this leaf in exports and receipts."""
        return {
            "v": VERSION,
            "workspace": self.workspace,
            "id": self.id,
            "event": self.event,
            "actor": self.actor,
            "at": instant_text(self.at),
            "session": self.session,
            "party": self.party,
            "subject": self.subject,
            "commitment": self.commitment,
        }

    def canonical(self) -> bytes:
        """The bytes that are hashed: canonical JSON in UTF-8."""
        return canonical_json(self.as_json()).encode()


def commitment_of(salt: bytes, details: str) -> str:
    """Hex of SHA-256 over the salt (32 bytes) and the details' exact text in UTF-8.

    The salt is random and erased with the details: without it nobody finds them by guessing.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return hashlib.sha256(salt + details.encode()).hexdigest()


def canonical_json(value: object) -> str:
    """The one way to write a value: keys sorted, nothing between, no escape that is not needed.

    The same text as RFC 8785 for what we write: ASCII keys, text, whole numbers below 2**53, null.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, such as `2026-03-02T09:00:00.000000Z`."""
    if at.tzinfo is None:
        raise ValueError("a time is aware")
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def instant_of(written: str) -> datetime:
    """The time that `instant_text` wrote; raises `ValueError`."""
    return datetime.strptime(written, AT_FORMAT).replace(tzinfo=UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")  # noqa: TRY004 - malformed, like everything else here
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)
