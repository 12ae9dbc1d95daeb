"""Word and Excel files: archives with a table of contents, without macros and what acts alike.

Refused as active content: macros and their projects, Excel 4.0 macro sheets, ActiveX controls,
OLE objects and other embedded binaries (an OLE package can hold a program), parts of foreign
formats (altChunk), DDE as links of Excel and as fields of Word, and whatever is fetched from
outside: templates, objects, frames, sources of serial letters. Embedded Word and Excel files are
held to the same rules. What stays outside are links that a person clicks, linked pictures, and
other workbooks that cells refer to. (ECMA-376, parts 1 and 2)
"""

import re
from collections.abc import Iterator, Sequence
from typing import NoReturn
from xml.parsers import expat

from adapters.file_checks.archive import (
    MIB,
    Allowance,
    Entry,
    checked_entries,
    content_of,
    pieces_of,
    written,
)
from adapters.file_checks.word_fields import has_dde
from domain.file_kind import FileKind
from domain.upload import UploadReason, refused

_CONTENTS = "[Content_Types].xml"
_LARGEST_LIST = 8 * MIB
_MAIN = {
    FileKind.DOCX: "wordprocessingml.document.main+xml",
    FileKind.XLSX: "spreadsheetml.sheet.main+xml",
}
_ACTIVE_TYPE = re.compile(
    r"macroenabled|vbaproject|ms-office\.vba|activex|ms-excel\.(intl)?macrosheet|oleobject",
    re.IGNORECASE,
)
_ACTIVE_NAME = re.compile(
    r"vbaproject|vbadata|/activex/|/macrosheets/|/embeddings/.*(?<!\.docx)(?<!\.xlsx)$",
    re.IGNORECASE,
)
_EMBEDDED = re.compile(r"/embeddings/.*\.(docx|xlsx)$", re.IGNORECASE)
_MAY_BE_OUTSIDE = re.compile(
    r"/(hyperlink|image|externallink(long)?path|xlexternallinkpath/\w+)$", re.IGNORECASE
)
_ALWAYS_ACTIVE = re.compile(r"/(afchunk|vbaproject|control)$", re.IGNORECASE)
_DDE_LINK = re.compile(rb"<(\w+:)?ddeLink\b")
_EXTERNAL_LINK = re.compile(r"/externallinks/[^/]+\.xml$", re.IGNORECASE)


def rewritten_docx(raw: bytes) -> bytes:
    """A Word document anew; raises `UploadRefused`."""
    return _rewritten(raw, FileKind.DOCX)


def rewritten_xlsx(raw: bytes) -> bytes:
    """An Excel workbook anew; raises `UploadRefused`."""
    return _rewritten(raw, FileKind.XLSX)


def _rewritten(raw: bytes, kind: FileKind) -> bytes:
    entries = checked_entries(raw, Allowance())
    _check_package(raw, entries, kind)
    return written(raw, entries)


def _check_package(raw: bytes, entries: Sequence[Entry], kind: FileKind) -> None:
    _check_contents(raw, entries, kind)
    for each in entries:
        path = f"/{each.name}"
        if _ACTIVE_NAME.search(path):
            _active("no macros, controls or embedded objects", each.name)
        if path.lower().endswith(".rels"):
            _check_relations(content_of(raw, each, _LARGEST_LIST))
        if _EXTERNAL_LINK.search(path) and _DDE_LINK.search(content_of(raw, each)):
            _active("no DDE links", "ddeLink")
        if kind == FileKind.DOCX and has_dde(pieces_of(raw, each)):
            _active("no DDE fields", "DDE")
        if match := _EMBEDDED.search(path):
            inner = content_of(raw, each)
            # Already measured with the archive around it.
            _check_package(inner, checked_entries(inner), FileKind(match[1].lower()))


def _check_contents(raw: bytes, entries: Sequence[Entry], kind: FileKind) -> None:
    """The table of contents names the main part of this kind and nothing that acts."""
    listed = [each for each in entries if each.name == _CONTENTS]
    if not listed:
        raise refused(UploadReason.CONTENT_DIFFERS, kind.label, FileKind.ZIP.label)
    types = list(_attributes(content_of(raw, listed[0], _LARGEST_LIST), "ContentType"))
    for each in types:
        if _ACTIVE_TYPE.search(each):
            _active("no macros, controls or embedded objects", each)
    if not any(each.endswith(_MAIN[kind]) for each in types):
        raise refused(UploadReason.CONTENT_DIFFERS, kind.label, "another Office format")


def _check_relations(raw: bytes) -> None:
    for given in _elements(raw):
        kind, outside = given.get("Type", ""), given.get("TargetMode", "").lower() == "external"
        if _ALWAYS_ACTIVE.search(kind) or (outside and not _MAY_BE_OUTSIDE.search(kind)):
            _active("nothing fetched from outside", kind.rpartition("/")[2])


def _active(limit: str, given: str) -> NoReturn:
    shown = given[-60:].encode("ascii", "backslashreplace").decode()
    raise refused(UploadReason.ACTIVE_CONTENT, limit, shown)


def _attributes(raw: bytes, name: str) -> Iterator[str]:
    return (each[name] for each in _elements(raw) if name in each)


def _elements(raw: bytes) -> list[dict[str, str]]:
    """The attributes of every element; no entities, and none of the outside is fetched."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, attributes: found.append(attributes)
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise refused(UploadReason.DAMAGED, "readable", "broken XML") from error
    return found


def _no_doctype(*_: object) -> NoReturn:
    raise refused(UploadReason.DAMAGED, "XML without declarations", "DOCTYPE")
