"""What may be uploaded for a task, and every reason why a file is refused (PS-40)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from domain.definition import Reader
from domain.errors import DomainError
from domain.file_kind import (
    WHOLE_BYTES,
    FileKind,
    Inspection,
    agrees,
    extension_of,
    is_encrypted_office,
    kind_of_content,
    kind_of_name,
)

MIB = 1024 * 1024
MOST_BYTES = 2048 * MIB
MOST_FILES = 100
LONGEST_RETENTION_DAYS = 3650
DEFAULTS = {"max_bytes": 25 * MIB, "max_files": 10, "min_files": 1}
MEMBERS = frozenset(["kinds", "required", "retention_days", *DEFAULTS])


class UploadReason(StrEnum):
    """Why a file is not taken; the same word on page, API and audit."""

    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    KIND_NOT_ALLOWED = "kind_not_allowed"
    CONTENT_DIFFERS = "content_differs"
    EMPTY = "empty"
    ENCRYPTED_DOCUMENT = "encrypted_document"
    DAMAGED = "damaged"
    ACTIVE_CONTENT = "active_content"
    ARCHIVE_BOMB = "archive_bomb"
    TOO_MANY_PIXELS = "too_many_pixels"
    NAME_UNUSABLE = "name_unusable"
    INFECTED = "infected"
    UNKNOWN_SLOT = "unknown_slot"
    SLOT_TAKEN = "slot_taken"


@dataclass(frozen=True, slots=True)
class UploadRefusal:
    """One reason with its limit and with what was given, both short and fit to be shown."""

    reason: UploadReason
    limit: str
    given: str


@dataclass(eq=False)
class UploadRefused(DomainError):
    """A file is not taken; the refusal says why."""

    refusal: UploadRefusal

    def __str__(self) -> str:
        each = self.refusal
        return f"This file is refused ({each.reason}): {each.limit}; given: {each.given}."


def refused(reason: UploadReason, limit: str, given: str) -> UploadRefused:
    """The error to raise for one reason."""
    return UploadRefused(UploadRefusal(reason, limit, given))


def size_text(size: int) -> str:
    """A number of bytes for people; rounded up, so that one byte too many looks like more."""
    if size < MIB:
        return f"{-(-size // 1024)} KB" if size >= 1024 else f"{size} bytes"
    tenths = -(-size * 10 // MIB)
    return f"{tenths / 10:g} MB"


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for files: a named one takes one file, the unnamed one, key "", all others."""

    key: str
    title: str = ""


UNNAMED = Slot("")


@dataclass(frozen=True, slots=True)
class UploadScope:
    """What one task takes: kinds, bytes of each file, files, named ones, and for how long."""

    kinds: tuple[FileKind, ...]
    max_bytes: int = DEFAULTS["max_bytes"]
    max_files: int = DEFAULTS["max_files"]
    min_files: int = DEFAULTS["min_files"]
    required: tuple[Slot, ...] = ()
    retention: timedelta | None = None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "UploadScope":
        """The value of an `upload` object that has no faults."""
        stated = DEFAULTS | dict(raw)
        return cls(
            kinds=tuple(map(FileKind, stated["kinds"])),
            max_bytes=stated["max_bytes"],
            max_files=stated["max_files"],
            min_files=stated["min_files"],
            required=tuple(Slot(each["key"], each["title"]) for each in raw.get("required", ())),
            retention=retention_of(raw),
        )

    def at_most(self, max_bytes: int) -> "UploadScope":
        """The same with files of no more than so many bytes."""
        return replace(self, max_bytes=min(self.max_bytes, max_bytes))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The named places, then the unnamed one if there is room for more files."""
        return self.required + ((UNNAMED,) if self._unnamed_places else ())

    @property
    def extensions(self) -> tuple[str, ...]:
        """What names may end in, without the dot."""
        return tuple(ending for kind in self.kinds for ending in kind.extensions)

    def limit_of(self, kind: FileKind) -> int:
        """The most bytes that a file of this kind may have."""
        whole = kind.inspection == Inspection.WHOLE
        return min(self.max_bytes, WHOLE_BYTES) if whole else self.max_bytes

    @property
    def kinds_by_limit(self) -> tuple[tuple[int, tuple[FileKind, ...]], ...]:
        """Each limit in bytes that some kinds have, in the order of the kinds."""
        limits = dict.fromkeys(map(self.limit_of, self.kinds))
        return tuple(
            (limit, tuple(each for each in self.kinds if self.limit_of(each) == limit))
            for limit in limits
        )

    def refuses_file(self, name: str, size: int | None, files_now: int) -> UploadRefusal | None:
        """Before a byte is read: by name, announced size (None: unknown) and files there are."""
        if files_now >= self.max_files:
            return UploadRefusal(UploadReason.TOO_MANY, str(self.max_files), str(files_now + 1))
        kind = kind_of_name(name)
        if kind is None or kind not in self.kinds:
            given = f".{extension_of(name)[:16]}" if extension_of(name) else name[:40]
            return UploadRefusal(UploadReason.KIND_NOT_ALLOWED, self._kinds_text, given)
        return None if size is None else self.refuses_size(kind, size)

    def refuses_size(self, kind: FileKind, size: int) -> UploadRefusal | None:
        """By its size in bytes, announced or counted."""
        limit = self.limit_of(kind)
        if size == 0:
            return UploadRefusal(UploadReason.EMPTY, f"1 byte to {size_text(limit)}", "0 bytes")
        if size > limit:
            return UploadRefusal(UploadReason.TOO_LARGE, size_text(limit), size_text(size))
        return None

    def refuses_slot(self, slot: str, slots_filled: Sequence[str]) -> UploadRefusal | None:
        """Whether a file may take this place, given the place of every file that is there."""
        if slot not in {each.key for each in self.slots}:
            known = ", ".join(each.key or '""' for each in self.slots)
            return UploadRefusal(UploadReason.UNKNOWN_SLOT, known, slot[:64])
        if slot and slot in slots_filled:
            return UploadRefusal(UploadReason.SLOT_TAKEN, "1", "2")
        unnamed = slots_filled.count("")
        if not slot and unnamed >= self._unnamed_places:
            # Named places are kept free, or else what is required would find no room.
            limit = str(self._unnamed_places)
            return UploadRefusal(UploadReason.TOO_MANY, limit, str(unnamed + 1))
        return None

    def missing(self, slots_filled: Iterable[str]) -> tuple[Slot, ...]:
        """What must still come before the task can be submitted.

        Each required place without a file, and the unnamed place once for each further file that
        `min_files` asks for.
        """
        filled = tuple(slots_filled)
        named = tuple(each for each in self.required if each.key not in filled)
        more = self.min_files - len(filled) - len(named)
        return named + (UNNAMED,) * max(0, more)

    def refuses_submission(self, slots_filled: Sequence[str]) -> UploadRefusal | None:
        """Whether there are more files than may be."""
        if len(slots_filled) <= self.max_files:
            return None
        return UploadRefusal(UploadReason.TOO_MANY, str(self.max_files), str(len(slots_filled)))

    @property
    def _unnamed_places(self) -> int:
        return max(0, self.max_files - len(self.required))

    @property
    def _kinds_text(self) -> str:
        return ", ".join(each.label for each in self.kinds)


def refuses_content(kind: FileKind, head: bytes) -> UploadRefusal | None:
    """Whether a file named as this kind begins as something else; `head` as in `file_kind`."""
    if not head:
        return UploadRefusal(UploadReason.EMPTY, "1 byte", "0 bytes")
    if agrees(kind, head):
        return None
    if kind in {FileKind.DOCX, FileKind.XLSX} and is_encrypted_office(head):
        return UploadRefusal(UploadReason.ENCRYPTED_DOCUMENT, "no password", "password")
    seen = kind_of_content(head)
    return UploadRefusal(
        UploadReason.CONTENT_DIFFERS, kind.label, seen.label if seen else "other content"
    )


def retention_of(raw: Mapping[str, Any]) -> timedelta | None:
    """The member `retention_days` of a template or an `upload` object; None: without end."""
    days = raw.get("retention_days")
    return None if days is None else timedelta(days=days)


def check_retention(read: Reader, raw: Mapping[str, Any], at: str) -> None:
    """The fault of a member `retention_days`, if there is one."""
    if raw.get("retention_days") is not None:
        read.number(raw, "retention_days", at, low=1, high=LONGEST_RETENTION_DAYS)


def check_upload(read: Reader, raw: Any, at: str) -> None:
    """Every fault of an `upload` object at the JSON pointer `at`."""
    if not isinstance(raw, Mapping):
        read.fault(at, "must be an object")
        return
    read.only(raw, MEMBERS, at)
    _check_kinds(read, raw, at)
    stated = DEFAULTS | dict(raw)
    read.number(stated, "max_bytes", at, low=1, high=MOST_BYTES)
    most = read.number(stated, "max_files", at, low=1, high=MOST_FILES)
    read.number(stated, "min_files", at, low=0, high=most or MOST_FILES)
    _check_required(read, raw, at, most or MOST_FILES)
    check_retention(read, raw, at)


def _check_kinds(read: Reader, raw: Mapping[str, Any], at: str) -> None:
    kinds = read.texts(raw, "kinds", at, least=1)
    for index, each in enumerate(kinds):
        read.one_of({str(index): each}, str(index), [*FileKind], f"{at}/kinds")
    read.unique(kinds, f"{at}/kinds")


def _check_required(read: Reader, raw: Mapping[str, Any], at: str, most: int) -> None:
    slots = read.objects(raw, "required", at, most=most)
    for index, each in enumerate(slots):
        read.only(each, {"key", "title"}, f"{at}/required/{index}")
        read.text(each, "title", f"{at}/required/{index}", longest=120)
    keys = [read.key(each, "key", f"{at}/required/{at_}") for at_, each in enumerate(slots)]
    read.unique(keys, f"{at}/required")
