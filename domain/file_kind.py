"""The kinds of files that can be asked for, and how their content is known (PS-40).

A file is of a kind when its extension *and* its first bytes say so: a name alone proves nothing,
and content alone would let a page pass for a text. (OWASP ASVS 5.0, 5.2.2)
"""

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum

HEAD_BYTES = 64 * 1024
"""How much of a file `kind_of_content` wants to see; less only if the file is shorter."""

WHOLE_BYTES = 50 * 1024 * 1024
"""The largest file that can be inspected as a whole, whatever a template allows."""


class Inspection(StrEnum):
    """How a kind is checked: in one piece and rewritten, or as its bytes pass."""

    WHOLE = "whole"
    PASSING = "passing"


class FileKind(StrEnum):
    """What a template can allow; each value is the word of the template's JSON."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"
    DOCX = "docx"
    XLSX = "xlsx"
    CSV = "csv"
    TXT = "txt"
    ZIP = "zip"
    MP4 = "mp4"

    @property
    def label(self) -> str:
        """What people call it, in every language."""
        return CATALOGUE[self].label

    @property
    def media_type(self) -> str:
        """What it is served as."""
        return CATALOGUE[self].media_type

    @property
    def extensions(self) -> tuple[str, ...]:
        """How its names end, in lower case and without the dot; the usual one first."""
        return CATALOGUE[self].extensions

    @property
    def inspection(self) -> Inspection:
        """How it is checked."""
        return CATALOGUE[self].inspection


@dataclass(frozen=True, slots=True)
class FileType:
    """One entry of the catalogue."""

    label: str
    media_type: str
    extensions: tuple[str, ...]
    inspection: Inspection = Inspection.WHOLE


_OFFICE = "application/vnd.openxmlformats-officedocument"
CATALOGUE = {
    FileKind.PDF: FileType("PDF", "application/pdf", ("pdf",)),
    FileKind.JPEG: FileType("JPEG", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif")),
    FileKind.PNG: FileType("PNG", "image/png", ("png",)),
    FileKind.WEBP: FileType("WebP", "image/webp", ("webp",)),
    FileKind.HEIC: FileType("HEIC", "image/heic", ("heic", "heif"), Inspection.PASSING),
    FileKind.DOCX: FileType("Word (DOCX)", f"{_OFFICE}.wordprocessingml.document", ("docx",)),
    FileKind.XLSX: FileType("Excel (XLSX)", f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",)),
    FileKind.CSV: FileType("CSV", "text/csv", ("csv",), Inspection.PASSING),
    FileKind.TXT: FileType("TXT", "text/plain", ("txt",), Inspection.PASSING),
    FileKind.ZIP: FileType("ZIP", "application/zip", ("zip",)),
    FileKind.MP4: FileType("MP4", "video/mp4", ("mp4", "m4v"), Inspection.PASSING),
}
_BY_EXTENSION = {ending: kind for kind, each in CATALOGUE.items() for ending in each.extensions}

_ALSO_SEEN_AS = {
    FileKind.CSV: {FileKind.TXT},
    # The parts that tell them apart may lie beyond the head; the whole inspection decides.
    FileKind.DOCX: {FileKind.ZIP},
    FileKind.XLSX: {FileKind.ZIP},
    FileKind.ZIP: {FileKind.DOCX, FileKind.XLSX},
}
_PDF_WITHIN = 1024
_WORD_ENTRY = re.compile(rb"PK\x03\x04.{26}word/", re.DOTALL)
_EXCEL_ENTRY = re.compile(rb"PK\x03\x04.{26}xl/", re.DOTALL)
_HEIC_BRANDS = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"])
_MP4_BRANDS = frozenset(
    [b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "]
)
# The tags by which browsers take a text for a page (WHATWG MIME Sniffing, 7.1), SVG, and the first
# words of programs and of documents that are programs.
_MARKUP = re.compile(
    r"\s*<(!--|!doctype|\?|%)"
    r"|\s*<(svg|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|object"
    r"|embed|math|form|img)([\s>/]|$)"
    r"|\s*(#!|%!PS|\{\\rtf|MIME-Version:)",
    re.IGNORECASE,
)


def extension_of(name: str) -> str:
    """What follows the last dot, in lower case; empty without one."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def kind_of_name(name: str) -> FileKind | None:
    """The kind that a file's name ends in; of `x.pdf.exe` that is none."""
    return _BY_EXTENSION.get(extension_of(name))


def kind_of_content(head: bytes) -> FileKind | None:
    """The kind of a file that begins with these bytes (`HEAD_BYTES`, or all of a shorter file).

    CSV reads as TXT, for nothing but the name tells them apart. None is everything else: also a
    page, an SVG or a program of the kinds that are texts.
    """
    for start, kind in _SIGNATURES:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileKind.WEBP
    if head[:4] == b"PK\x03\x04":
        return _zip_kind(head)
    if head[4:8] == b"ftyp":
        return _box_kind(head)
    return _text_kind(head)


_SIGNATURES = (
    (b"%PDF-", FileKind.PDF),
    (b"\xff\xd8\xff", FileKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    # Empty archives.
    (b"PK\x05\x06", FileKind.ZIP),
)


def agrees(kind: FileKind, head: bytes) -> bool:
    """Whether a file of this kind can begin with these bytes."""
    seen = kind_of_content(head)
    return seen == kind or seen in _ALSO_SEEN_AS.get(kind, ())


def is_encrypted_office(head: bytes) -> bool:
    """Whether this is a Word or Excel file that is kept with a password (MS-OFFCRYPTO, 2.3.4)."""
    return head.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in head


def _zip_kind(head: bytes) -> FileKind:
    if _WORD_ENTRY.search(head):
        return FileKind.DOCX
    return FileKind.XLSX if _EXCEL_ENTRY.search(head) else FileKind.ZIP


def _box_kind(head: bytes) -> FileKind | None:
    """By the brands of the first box (ISO/IEC 14496-12, 4.3), the major one first."""
    size = int.from_bytes(head[:4], "big")
    if not 16 <= size <= 512:
        return None
    major, brands = head[8:12], {head[at : at + 4] for at in range(16, size, 4)}
    if major in _HEIC_BRANDS or (major in {b"mif1", b"msf1"} and brands & _HEIC_BRANDS):
        return FileKind.HEIC
    return FileKind.MP4 if major in _MP4_BRANDS else None


def _text_kind(head: bytes) -> FileKind | None:
    text = _as_text(head)
    if text and _MARKUP.match(text):
        return None
    # Readers accept a PDF that begins within its first 1,024 bytes (PDF 1.7, implementation note
    # 13); what stands before it is dropped when the file is rewritten.
    if b"%PDF-" in head[:_PDF_WITHIN] and not _is_program(head):
        return FileKind.PDF
    return FileKind.TXT if text else None


def _is_program(head: bytes) -> bool:
    return head.startswith((b"MZ", b"\x7fELF", b"GIF8", b"\xca\xfe\xba\xbe", b"BM", b"\xd0\xcf"))


def text_encoding(head: bytes) -> str:
    """What a text that begins so is written in: UTF-16 with its mark, or else UTF-8."""
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if marked else "utf-8-sig"


def _as_text(head: bytes) -> str:
    """The text that these bytes begin, or nothing if they begin none."""
    try:
        text = codecs.getincrementaldecoder(text_encoding(head))().decode(head)
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text
