"""PDF documents: taken apart and written anew without what acts, plays or is attached.

Kept are pages with their appearance, layers included, form fields, comments, bookmarks and links
to places in the document, to web pages and to addresses. Gone are scripts, actions that open, send
or import something, attachments, XFA forms, sound, video and 3D, what images are to be replaced
with in print, and every byte before or behind the document. A digital signature over the former
bytes does not hold for the new ones.
(ISO 32000-2, 12.6 Actions, 12.5.6 Annotation types, 7.11.4 Embedded files)
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Pdf, Stream

from domain.upload import UploadReason, UploadRefused, refused

MOST_PAGES = 10_000
MOST_OBJECTS = 500_000
_KEPT_TRAILER = frozenset(["/Root", "/Info", "/ID", "/Size"])
_KEPT_NAMES = frozenset(["/Dests"])
_GONE_FROM_CATALOG = frozenset(
    ["/OpenAction", "/URI", "/Collection", "/NeedsRendering", "/Perms", "/Requirements", "/Threads"]
)
_GONE_EVERYWHERE = frozenset(
    ["/AA", "/JS", "/XFA", "/AF", "/EF", "/RF", "/RichMediaContent", "/Alternates"]
)
_ACTIONS = frozenset(["/A", "/PA", "/Next"])
_KEPT_ACTIONS = frozenset(["/GoTo", "/URI", "/Named"])
_FORBIDDEN_ACTIONS = frozenset(
    [
        "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/GoTo3DView",
        "/GoToDp", "/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/Thread", "/SetOCGState",
    ]
)  # fmt: skip
_FORBIDDEN_ANNOTATIONS = frozenset(
    ["/FileAttachment", "/RichMedia", "/3D", "/Movie", "/Screen", "/Sound"]
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_KEPT_SCHEMES = frozenset(["http", "https", "mailto", "tel"])

# From its first encrypted document on qpdf keeps open what it draws random numbers from.
Pdf.new().save(BytesIO(), encryption=pikepdf.Encryption(owner="", user="", R=6))


def rewritten(raw: bytes) -> bytes:
    """The document anew; raises `UploadRefused`."""
    with _opened(raw) as pdf:
        _check_whole(pdf, raw)
        _clean_catalog(pdf)
        for each in _every_dictionary(pdf):
            _clean(each)
        _drop_cleared_annotations(pdf)
        into = BytesIO()
        pdf.save(
            into,
            encryption=False,
            compress_streams=True,
            object_stream_mode=ObjectStreamMode.generate,
            # Bringing the version in its metadata up to date would load a parser, in vain by now.
            fix_metadata_version=False,
        )
    return into.getvalue()


def _opened(raw: bytes) -> Pdf:
    try:
        return Pdf.open(BytesIO(raw), suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise refused(
            UploadReason.ENCRYPTED_DOCUMENT, "no password to open it", "password"
        ) from error
    except pikepdf.PdfError as error:
        raise _damaged("no PDF structure") from error


def _check_whole(pdf: Pdf, raw: bytes) -> None:
    """A document that qpdf had to mend is taken if it was not cut off."""
    mended = any("reconstruct" in each for each in pdf.get_warnings())
    if mended and raw.rfind(b"%%EOF") < raw.rfind(b"endobj"):
        raise _damaged("cut off")
    if len(pdf.objects) > MOST_OBJECTS:
        raise refused(UploadReason.ARCHIVE_BOMB, f"{MOST_OBJECTS} objects", str(len(pdf.objects)))
    if not 1 <= len(pdf.pages) <= MOST_PAGES:
        raise _damaged(f"{len(pdf.pages)} pages")


def _clean_catalog(pdf: Pdf) -> None:
    _keep_only(pdf.trailer, _KEPT_TRAILER)
    _remove(pdf.Root, _GONE_FROM_CATALOG)
    names = pdf.Root.get("/Names")
    if isinstance(names, Dictionary):
        _keep_only(names, _KEPT_NAMES)


def _every_dictionary(pdf: Pdf) -> Iterator[Object]:
    """Every dictionary of the document, those of streams and those inside others included."""
    waiting: list[Any] = list(pdf.objects)
    while waiting:
        each = waiting.pop()
        if isinstance(each, Dictionary | Stream):
            yield each
            inner: list[Any] = [each[key] for key in list(each.keys())]
        elif isinstance(each, Array):
            inner = list(cast("list[Any]", each))
        else:
            continue
        waiting.extend(one for one in inner if isinstance(one, Object) and not one.is_indirect)


def _clean(each: Object) -> None:
    if _is(each, "/S", _FORBIDDEN_ACTIONS) or _is_annotation_gone(each) or _is_script_link(each):
        _remove(each, frozenset(each.keys()))
        return
    _remove(each, _GONE_EVERYWHERE)
    for key in _ACTIONS & set(each.keys()):
        if not _is_kept_action(each[key]):
            del each[key]


def _is(each: Object, key: str, values: frozenset[str]) -> bool:
    value = each.get(key)
    return isinstance(value, Name) and str(value) in values


def _is_annotation_gone(each: Object) -> bool:
    return "/Rect" in each and _is(each, "/Subtype", _FORBIDDEN_ANNOTATIONS)


def _is_script_link(each: Object) -> bool:
    """Whether this is an action that opens anything but a web page or an address."""
    if not _is(each, "/S", frozenset(["/URI"])):
        return False
    target = re.sub(r"[\x00-\x20]", "", str(each.get("/URI", "")))
    scheme = _SCHEME.match(target)
    return scheme is not None and scheme[1].lower() not in _KEPT_SCHEMES


def _is_kept_action(value: Object) -> bool:
    """Also what merely has the same key: structure attributes, and the next bookmark."""
    if isinstance(value, Array):
        return all(_is_kept_action(one) for one in cast("list[Any]", value))
    if not isinstance(value, Dictionary) or "/S" not in value:
        return True
    return _is(value, "/S", _KEPT_ACTIONS) and not _is_script_link(value)


def _drop_cleared_annotations(pdf: Pdf) -> None:
    for page in pdf.pages:
        notes = page.obj.get("/Annots")
        if isinstance(notes, Array):
            kept = [one for one in cast("list[Any]", notes) if _is_annotation(one)]
            page.obj["/Annots"] = Array(kept)


def _is_annotation(one: Any) -> bool:
    return isinstance(one, Dictionary) and "/Subtype" in one


def _keep_only(each: Object, keys: frozenset[str]) -> None:
    _remove(each, frozenset(each.keys()) - keys)


def _remove(each: Object, keys: frozenset[str]) -> None:
    for key in keys & set(each.keys()):
        del each[key]


def _damaged(given: str) -> UploadRefused:
    return refused(UploadReason.DAMAGED, "a whole document", given)
