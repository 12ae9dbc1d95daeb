"""A range of a file's bytes, as it is asked for in HTTP (RFC 9110, 14)."""

import re
from dataclasses import dataclass

from domain.errors import RangeRefused

_ONE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to and without `end`, of `size` there are."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start

    @property
    def content_range(self) -> str:
        """The header of an answer with these bytes."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def range_asked(header: str, size: int) -> ByteRange | None:
    """The one range that is asked for; None for the whole file.

    Several ranges at once, other units and what is malformed read as no range at all, which the
    standard allows. Raises `RangeRefused` for a range without a byte of the file in it.
    """
    found = _ONE.fullmatch(header)
    first, last = found.groups() if found else ("", "")
    if first and last and int(last) < int(first):
        return None
    if first:
        return _within(int(first), min(int(last) + 1, size) if last else size, size)
    return _within(max(0, size - int(last)), size, size) if last else None


def _within(start: int, end: int, size: int) -> ByteRange:
    if start >= end:
        raise RangeRefused(size)
    return ByteRange(start, end, size)
