"""ZIP archives: measured before they are believed, then written anew.

Every entry is unpacked once, piece by piece and nowhere to, so that no stated size is trusted.
What is written has the same packed bytes behind headers of our own: whatever lay before, between
or behind the entries is gone. (D. Fifield, "A better zip bomb", USENIX WOOT 2019)
"""

import re
import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from domain.file_kind import WHOLE_BYTES
from domain.upload import UploadReason, UploadRefused, refused, size_text

MIB = 1024 * 1024
MOST_ENTRIES = 2000
MOST_EXPANDED = 1024 * MIB
MOST_RATIO = 100
RATIO_FROM = 1 * MIB
DEEPEST = 1

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8_NAME = 0x800
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_WITHIN = _END.size + 0xFFFF
"""Where an archive's end lies: before a comment of any length (APPNOTE.TXT, 4.3.16)."""
_PIECE = 1 * MIB
_WINDOW = 64 * 1024
_BAD_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\0-\x1f]")
# What could hide a bomb that is not looked into: RAR, 7z, gzip, bzip2, xz, zstd, cabinet.
_OTHER_ARCHIVES = (
    b"Rar!\x1a",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"MSCF",
)
_PACKED_PICTURES = (".emz", ".wmz")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name, where its packed bytes lie, and its full size."""

    name: str
    stored_name: bytes
    begins_at: int
    data_at: int
    about: ZipInfo

    @property
    def ends_at(self) -> int:
        """Behind its last packed byte."""
        return self.data_at + self.about.compress_size


@dataclass(slots=True)
class Allowance:
    """How much may still be unpacked, of an archive and of all archives in it."""

    expanded: int = 0
    entries: int = 0

    def spend(self, size: int) -> None:
        """Raises `UploadRefused` when it is more than one file may hold."""
        self.expanded += size
        if self.expanded > MOST_EXPANDED:
            raise _bomb(f"{size_text(MOST_EXPANDED)} unpacked", "more")

    def count(self, entries: int) -> None:
        """Raises `UploadRefused` when there are too many entries."""
        self.entries += entries
        if self.entries > MOST_ENTRIES:
            raise _bomb(f"{MOST_ENTRIES} entries", str(self.entries))


def rewritten(raw: bytes) -> bytes:
    """The archive anew; raises `UploadRefused`."""
    entries = checked_entries(raw)
    if not entries:
        raise refused(UploadReason.EMPTY, "1 entry", "0 entries")
    return written(raw, entries)


def checked_entries(
    raw: bytes, allowance: Allowance | None = None, depth: int = 0
) -> tuple[Entry, ...]:
    """Every entry of an archive that keeps the rules, as do the archives in it."""
    allowance = allowance or Allowance()
    entries = _entries(raw, allowance)
    _check_places(raw, entries)
    for each in entries:
        _check_entry(raw, each, allowance, depth)
    return entries


def content_of(raw: bytes, entry: Entry, most: int = WHOLE_BYTES) -> bytes:
    """What an entry holds; raises `UploadRefused` if that is more than `most` bytes."""
    if entry.about.file_size > most:
        raise _bomb(size_text(most), size_text(entry.about.file_size))
    return b"".join(pieces_of(raw, entry))


def written(raw: bytes, entries: Sequence[Entry]) -> bytes:
    """These entries as an archive of their own, in their order."""
    into, central = BytesIO(), BytesIO()
    for each in entries:
        at, about = into.tell(), each.about
        flags = about.flag_bits & _UTF8_NAME
        moment = (_dos_time(about), _dos_date(about), about.CRC)
        sizes = (about.compress_size, about.file_size, len(each.stored_name))
        into.write(_LOCAL.pack(b"PK\3\4", 20, flags, about.compress_type, *moment, *sizes, 0))
        into.write(each.stored_name)
        into.write(raw[each.data_at : each.ends_at])
        made_by = about.create_system << 8 | 20
        central.write(
            _CENTRAL.pack(
                *(b"PK\1\2", made_by, 20, flags, about.compress_type, *moment, *sizes),
                *(0, 0, 0, 0, about.external_attr, at),
            )
        )
        central.write(each.stored_name)
    size, at, count = central.tell(), into.tell(), len(entries)
    return b"".join(
        [into.getvalue(), central.getvalue(), _END.pack(b"PK\5\6", 0, 0, count, count, size, at, 0)]
    )


def _dos_time(about: ZipInfo) -> int:
    _, _, _, hour, minute, second = about.date_time
    return (hour << 11 | minute << 5 | second // 2) & 0xFFFF


def _dos_date(about: ZipInfo) -> int:
    year, month, day, *_ = about.date_time
    return ((year - 1980) << 9 | month << 5 | day) & 0xFFFF


def _entries(raw: bytes, allowance: Allowance) -> tuple[Entry, ...]:
    try:
        with ZipFile(BytesIO(raw)) as archive:
            listed = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise _damaged("a readable archive", type(error).__name__) from error
    allowance.count(len(listed))
    names = [each.filename for each in listed]
    if len(set(names)) < len(names):
        raise _damaged("each name once", "a name twice")
    return tuple(_entry(raw, each) for each in listed)


def _entry(raw: bytes, about: ZipInfo) -> Entry:
    """One entry by its own header, which must agree with the archive's list."""
    at = about.header_offset
    header = raw[at : at + _LOCAL.size]
    if at < 0 or len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise _damaged("every entry in its place", "an entry without its header")
    _, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(header)
    name_at = at + _LOCAL.size
    stored = raw[name_at : name_at + name_length]
    name = stored.decode("utf-8" if flags & _UTF8_NAME else "cp437", "replace")
    if (flags | about.flag_bits) & _ENCRYPTED:
        raise refused(UploadReason.ENCRYPTED_DOCUMENT, "no password", "password")
    if name != about.orig_filename or method != about.compress_type:
        raise _damaged("one name for each entry", "two that differ")
    if method not in (_STORED, _DEFLATED):
        raise _damaged("stored or deflated entries", f"method {method}")
    return Entry(name, stored, at, name_at + name_length + extra_length, about)


def _check_places(raw: bytes, entries: Sequence[Entry]) -> None:
    """No two entries share a byte, and none lies outside the archive."""
    end = 0
    for each in sorted(entries, key=lambda each: each.begins_at):
        if each.begins_at < end:
            raise _bomb("no overlapping entries", "overlapping entries")
        end = each.ends_at
    if end > len(raw):
        raise _damaged(f"{len(raw)} bytes", f"{end} bytes stated")


def _check_entry(raw: bytes, entry: Entry, allowance: Allowance, depth: int) -> None:
    if _BAD_NAME.search(entry.name) or stat.S_ISLNK(entry.about.external_attr >> 16):
        shown = entry.name[:60].encode("ascii", "backslashreplace").decode()
        raise refused(UploadReason.NAME_UNUSABLE, "names inside the archive", shown)
    size, packed = entry.about.file_size, entry.about.compress_size
    if size > RATIO_FROM and size > MOST_RATIO * packed:
        raise _bomb(f"{MOST_RATIO} : 1", f"{size // max(1, packed)} : 1")
    head, tail = _measure(raw, entry, allowance)
    if head.startswith(_OTHER_ARCHIVES) and not entry.name.lower().endswith(_PACKED_PICTURES):
        raise _bomb("archives inside as ZIP", "another archive")
    if head.startswith((b"PK\3\4", b"PK\5\6")) or b"PK\5\6" in tail:
        content = content_of(raw, entry)
        if _is_archive(content):
            _check_nested(content, allowance, depth + 1)


def _is_archive(raw: bytes) -> bool:
    """By its beginning, or by a list and its end behind anything: a program that unpacks itself.

    Either of the two alone comes by chance in large pictures.
    """
    is_listed = b"PK\1\2" in raw and b"PK\5\6" in raw[-_END_WITHIN:]
    return is_listed or raw.startswith((b"PK\3\4", b"PK\5\6"))


def _check_nested(raw: bytes, allowance: Allowance, depth: int) -> None:
    # A document of an office is an archive too, and may hold another one (a chart's table).
    deepest = DEEPEST + 1 if b"[Content_Types].xml" in raw else DEEPEST
    if depth > deepest:
        raise _bomb(f"archives {DEEPEST} deep", f"{depth} deep")
    checked_entries(raw, allowance, depth)


def _measure(raw: bytes, entry: Entry, allowance: Allowance) -> tuple[bytes, bytes]:
    """Unpacks an entry to compare it with what is stated; gives its first and its last bytes."""
    head, tail, size, crc = b"", b"", 0, 0
    for piece in pieces_of(raw, entry):
        head, tail = head or piece[:512], (tail + piece)[-_END_WITHIN:]
        allowance.spend(len(piece))
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        if size > entry.about.file_size:
            raise _bomb(f"{entry.about.file_size} bytes as stated", "more")
    if size != entry.about.file_size or crc != entry.about.CRC:
        raise _damaged("entries as stated", "other content")
    return head, tail


def pieces_of(raw: bytes, entry: Entry) -> Iterator[bytes]:
    """What an entry holds, piece by piece; some may be empty."""
    packed = memoryview(raw)[entry.data_at : entry.ends_at]
    windows = (packed[at : at + _WINDOW] for at in range(0, len(packed), _WINDOW))
    if entry.about.compress_type == _STORED:
        yield from map(bytes, windows)
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for window in windows:
            yield from _inflated(inflate, window)
    except zlib.error as error:
        raise _damaged("readable entries", "broken content") from error
    if not inflate.eof:
        raise _damaged("whole entries", "an entry cut short")


def _inflated(inflate: "zlib._Decompress", window: bytes | memoryview) -> Iterator[bytes]:
    while window:
        if inflate.eof:
            raise _damaged("entries as stated", "bytes behind an entry")
        yield inflate.decompress(window, _PIECE)
        window = inflate.unconsumed_tail or inflate.unused_data


def _damaged(limit: str, given: str) -> UploadRefused:
    return refused(UploadReason.DAMAGED, limit, given)


def _bomb(limit: str, given: str) -> UploadRefused:
    return refused(UploadReason.ARCHIVE_BOMB, limit, given)
