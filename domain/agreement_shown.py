"""What those who signed before have filled in, as whoever signs after them is shown it (EX-1)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.agreement_field import MARKS, AgreementField


@dataclass(frozen=True, slots=True)
class ShownField:
    """Another signer's field; `value` is None where nothing is, or while `is_done` is false.

    `salt` was drawn when that signer signed, and is kept and erased with what they filled in.
    """

    field: AgreementField
    name: str
    is_done: bool
    value: Any = None
    salt: str = ""

    @property
    def is_mark(self) -> bool:
        """Whether it is a signature or initials, which are said and not shown."""
        return self.field.kind in MARKS

    @property
    def as_shown(self) -> Any:
        """What is said of it, in no language: a value, or by whom it is signed."""
        return {"signed_by": self.name} if self.is_mark and self.value is not None else self.value


def shown_sha256(fields: Sequence[ShownField]) -> str:
    """Hex of SHA-256 over the canonical JSON of what was shown of others, by position and key.

    Of each position `{"name": …, "salt": …, "values": {key: value}}`; members sorted, no spaces,
    UTF-8. Without the salts nobody finds out from the hash what somebody erased had filled in.
    """
    said: dict[str, dict[str, Any]] = {}
    for each in fields:
        signer = said.setdefault(str(each.field.signer), _begun(each))
        signer["values"][each.field.key] = each.as_shown
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _begun(shown: ShownField) -> dict[str, Any]:
    return {"name": shown.name, "salt": shown.salt, "values": {}}
