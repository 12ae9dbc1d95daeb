"""The key of one workspace, party or public session, and what it is used for."""

import hmac
from dataclasses import dataclass, field
from uuid import UUID

from adapters.aead import RecordKey, associated, subkey

BLIND_BYTES = 16
"""128 bits of a keyed hash: enough to find a text by, nothing to read it from."""
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class DataKey:
    """An owner's data key with its subkeys by purpose; without `key` once it is destroyed."""

    workspace_id: UUID
    subject_id: UUID
    number: int
    key: bytes | None = field(repr=False)
    _field: RecordKey | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = RecordKey(self.number, subkey(self.key, "field")) if self.key else None
        object.__setattr__(self, "_field", found)

    @property
    def is_destroyed(self) -> bool:
        """Whether everything under this key is erased."""
        return self.key is None

    def seal(self, place: Place, clear: bytes) -> bytes | None:
        """The record of a row's contents, bound to workspace, table, column, row and purpose."""
        return self._field.seal(clear, self._bound(place)) if self._field else None

    def open(self, place: Place, record: bytes) -> bytes | None:
        """The contents of a record; None once the key is destroyed. Raises `Undecipherable`."""
        return self._field.open(record, self._bound(place)) if self._field else None

    def _bound(self, place: Place) -> bytes:
        return associated(str(self.workspace_id), *place, "field")

    def blind(self, text: str) -> bytes:
        """What is searched for instead of a text (HMAC-SHA256, 128 bits)."""
        if self.key is None:
            return b""
        return hmac.digest(subkey(self.key, "search"), text.encode(), "sha256")[:BLIND_BYTES]

    def file_key(self) -> bytes | None:
        """The key that files of this owner are encrypted with."""
        return subkey(self.key, "file") if self.key else None


def bound_key(workspace_id: UUID, subject_id: UUID, number: int) -> bytes:
    """What a wrapped data key is bound to."""
    return associated("data-key", str(workspace_id), str(subject_id), str(number))


def bound_workspace_key(workspace_id: UUID, version: int) -> bytes:
    """What a wrapped workspace key is bound to."""
    return associated("workspace-key", str(workspace_id), str(version))


def wrapping(version: int, workspace_key: bytes) -> RecordKey:
    """The key with which one version of a workspace key wraps data keys."""
    return RecordKey(version, subkey(workspace_key, "wrap"))
