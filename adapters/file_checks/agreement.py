"""PDF documents that are to be signed: made still, counted, and shown page by page.

An answer is one line of JSON, and behind it what it lists, byte after byte.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from io import BytesIO
from time import process_time
from typing import Any, cast

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]  # as above
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image, WebPImagePlugin

from adapters.file_checks.notes import made_part_of_pages
from adapters.file_checks.pdf import rewritten
from adapters.pdf_balance import balanced
from domain.paper import LARGEST_SIDE, MOST_PAGES, SMALLEST_SIDE

MOST_DRAWN_ON_PAGE, MOST_DRAWN = 8 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes of content, unpacked, of a page and of all pages."""
MOST_PIXELS = 8_000_000
MOST_SECONDS = 5.0
"""Of computing for a page's picture; an ordinary one takes a tenth of a second."""
_WEBP_QUALITY = 80
_SIGNED_FLAG = 1
_DEEPEST_FIELD = 32

LOADED = (Image, WebPImagePlugin)
"""What would be loaded when the first page is drawn; by then nothing can be loaded."""
Image.init()
pdfium.FPDF_InitLibrary()


class _Unfit(Exception):
    """A document that cannot be made still, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def prepared(raw: bytes) -> bytes:
    """The document without what acts, its forms a part of its pages; or why it cannot be signed.

    What can be filled in, or changes by itself, would look other at each reader's, and layers
    otherwise in print than on a screen: there is one picture of a page, and that is what is signed.
    Nothing lies over a page any more, so that no reader has anything of its own to draw.
    """
    if reason := _refusal(raw):
        return _answer({"refused": reason})
    try:
        still = _still(rewritten(raw))
    except _Unfit as error:
        return _answer({"refused": error.reason})
    with closing(pypdfium2.PdfDocument(still)) as document:
        sizes = [document.get_page_size(each) for each in range(len(document))]
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for size in sizes for side in size):
        return _answer({"refused": "page_size"})
    return _answer({"pages": sizes}, [still])


def images(raw: bytes, width: str, first: str, last: str) -> bytes:
    """Pages from `first` to `last`, counted from 1, as WebP so many pixels wide."""
    with closing(pypdfium2.PdfDocument(raw)) as document:
        numbers = range(int(first), min(int(last), len(document)) + 1)
        shown = [_image(document[each - 1], int(width)) for each in numbers]
    return _answer({"lengths": [len(each) for each in shown]}, shown)


def looks(raw: bytes, width: str, drawn: str, first: str, last: str) -> bytes:
    """As `images`, if each page can also be drawn `drawn` pixels wide in time; or why it cannot."""
    shown: list[bytes] = []
    with closing(pypdfium2.PdfDocument(raw)) as document:
        for number in range(int(first), min(int(last), len(document)) + 1):
            page, since = document[number - 1], process_time()
            shown.append(_image(page, int(width)))
            taken = process_time() - since
            if _takes_too_long(page, taken, int(width), int(drawn)):
                return _answer({"refused": "too_much_drawn"})
    return _answer({"lengths": [len(each) for each in shown]}, shown)


def _takes_too_long(page: Any, taken: float, width: int, drawn: int) -> bool:
    """By what a smaller picture took; one that might is drawn to see."""
    if taken > MOST_SECONDS:
        return True
    if taken * (drawn / width) ** 2 <= MOST_SECONDS:
        return False
    since = process_time()
    _image(page, drawn)
    return process_time() - since > MOST_SECONDS


def _answer(head: dict[str, Any], bodies: Iterable[bytes] = ()) -> bytes:
    return b"".join([json.dumps(head).encode(), b"\n", *bodies])


def _refusal(raw: bytes) -> str:
    """Why it cannot be signed, as `adapters.pdf_pages.PdfReason` has it; "" if it can."""
    try:
        opened = Pdf.open(BytesIO(raw), suppress_warnings=True)
    except pikepdf.PasswordError:
        return "encrypted"
    with opened as pdf:
        if len(pdf.pages) > MOST_PAGES:
            return "too_many_pages"
        found = {
            "encrypted": pdf.is_encrypted,
            "signed": _is_signed(pdf),
            "xfa": "/XFA" in _form(pdf),
            "dynamic": _is_dynamic(pdf),
        }
    return next((reason for reason, is_so in found.items() if is_so), "")


def _is_dynamic(pdf: Pdf) -> bool:
    """A portfolio, a form that is drawn by its reader, or layers.

    A layer may be hidden in print only, at some zoom or until it is clicked, and what is switched
    off takes part in no picture of ours: whoever signs has not seen it (ISO 32000-2, 8.11).
    """
    layered = "/OCProperties" in pdf.Root
    return layered or "/Collection" in pdf.Root or bool(pdf.Root.get("/NeedsRendering", False))


def _form(pdf: Pdf) -> Dictionary:
    form = pdf.Root.get("/AcroForm")
    return form if isinstance(form, Dictionary) else Dictionary()


def _is_signed(pdf: Pdf) -> bool:
    """By its permissions, by its form's word, or by a field with a signature in it."""
    flags = _form(pdf).get("/SigFlags", 0)
    flagged = isinstance(flags, int) and bool(flags & _SIGNED_FLAG)
    return (
        "/Perms" in pdf.Root
        or any(map(_holds_signature, _fields(pdf)))
        or (flagged and "/DSS" in pdf.Root)
    )


def _holds_signature(field: Dictionary) -> bool:
    return field.get("/FT") == Name.Sig and isinstance(field.get("/V"), Dictionary)


def _fields(pdf: Pdf) -> Iterator[Dictionary]:
    waiting = [(each, 0) for each in _listed(_form(pdf), "/Fields")]
    while waiting:
        field, depth = waiting.pop()
        yield field
        if depth < _DEEPEST_FIELD:
            waiting += [(each, depth + 1) for each in _listed(field, "/Kids")]


def _listed(holder: Dictionary, key: str) -> list[Dictionary]:
    listed = holder.get(key)
    if not isinstance(listed, Array):
        return []
    return [each for each in cast("list[Any]", listed) if isinstance(each, Dictionary)]


def _still(raw: bytes) -> bytes:
    """With all that is drawn over a page as a part of it, and no form; raises `_Unfit`."""
    with Pdf.open(BytesIO(raw)) as pdf:
        if not made_part_of_pages(pdf):
            raise _Unfit("dynamic")
        if not _balance(pdf):
            raise _Unfit("too_much_drawn")
        into = BytesIO()
        pdf.save(
            into,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            # As in `pdf`: a confined process cannot load what reads the metadata.
            fix_metadata_version=False,
        )
    return into.getvalue()


def _balance(pdf: Pdf) -> bool:
    """Lets no page move what is laid over it; False when there is more to read than can be."""
    left = MOST_DRAWN
    for page in pdf.pages:
        content = _content(page, min(left, MOST_DRAWN_ON_PAGE))
        if content is None:
            return False
        left -= len(content)
        page.obj[Name.Contents] = pdf.make_stream(balanced(content))
    return True


def _content(page: Any, most: int) -> bytes | None:
    """Its content; None, and no more of it is read, once there are more bytes than that."""
    held = page.obj.get("/Contents")
    read: list[bytes] = []
    for each in list(held) if isinstance(held, Array) else [held]:
        if isinstance(each, pikepdf.Stream):
            read.append(each.read_bytes())
            most -= len(read[-1]) + 1
        if most < 0:
            return None
    return b"\n".join(read)


def _image(page: Any, width: int) -> bytes:
    across, down = page.get_size()
    scale = min((width - 0.01) / across, (MOST_PIXELS / (across * down)) ** 0.5)
    into = BytesIO()
    # Nothing lies over a page; what did, in a paper of before `notes`, is not sealed either.
    page.render(scale=scale, draw_annots=False, may_draw_forms=False).to_pil().convert("RGB").save(
        into, "WEBP", quality=_WEBP_QUALITY, method=2
    )
    return into.getvalue()
