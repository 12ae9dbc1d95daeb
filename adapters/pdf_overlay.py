"""One PDF's pages laid over another's, as they are seen: turned pages and cropped ones, too.

What was on a page stays as it was, byte for byte; only the state that it leaves behind is put back.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Page, Pdf, Stream

from adapters.pdf_balance import unbalanced

_DEEPEST_TREE = 64
_MOST_READ = 1024 * 1024
_MOST_STREAMS = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """The part of a page that is seen: its corners in the page's own points, and how it is turned.

    `turned` is clockwise: 0, 90, 180 or 270 degrees (ISO 32000-2, 7.7.3.3).
    """

    left: float
    bottom: float
    right: float
    top: float
    turned: int

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points, as they are seen."""
        across, up = self.right - self.left, self.top - self.bottom
        return (up, across) if self.turned in (90, 270) else (across, up)

    @property
    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """From points as they are seen, from the lower left corner, to the page's own."""
        return {
            0: (1, 0, 0, 1, self.left, self.bottom),
            90: (0, 1, -1, 0, self.right, self.bottom),
            180: (-1, 0, 0, -1, self.right, self.top),
            270: (0, -1, 1, 0, self.left, self.top),
        }[self.turned]


@contextmanager
def opened(raw: bytes) -> Iterator[Pdf]:
    """A document of ours; a foreign one has been through `pdf_pages.prepared`."""
    with Pdf.open(BytesIO(raw), suppress_warnings=True) as pdf:
        yield pdf


def written(pdf: Pdf) -> bytes:
    """The same bytes each time."""
    into = BytesIO()
    pdf.save(into, deterministic_id=True, object_stream_mode=ObjectStreamMode.generate)
    return into.getvalue()


def bare(pdf: Pdf) -> None:
    """Takes away what lies over the pages, and the form: readers draw such things as they like.

    Papers from before `pdf_pages.prepared` did this have it; no picture of them shows it.
    """
    for page in pdf.pages:
        if "/Annots" in page.obj:
            del page.obj["/Annots"]
    if "/AcroForm" in pdf.Root:
        del pdf.Root["/AcroForm"]


def is_bare(pdf: Pdf) -> bool:
    """Whether nothing lies over any page, nor could."""
    return "/AcroForm" not in pdf.Root and all("/Annots" not in page.obj for page in pdf.pages)


def seen_of(page: Page) -> Seen:
    """What is seen of a page."""
    media, crop = _box(page.mediabox), _box(page.cropbox)
    left, bottom = (max(media[each], crop[each]) for each in (0, 1))
    right, top = (min(media[each], crop[each]) for each in (2, 3))
    if left >= right or bottom >= top:
        left, bottom, right, top = media
    return Seen(left, bottom, right, top, _turned(page))


def lay_over(pdf: Pdf, overlay: bytes, numbers: Sequence[int]) -> None:
    """Lays the pages of `overlay`, one after the other, over those with these numbers, from 1."""
    with opened(overlay) as upper:
        for over, number in zip(upper.pages, numbers, strict=True):
            _place(pdf, pdf.pages[number - 1], pdf.copy_foreign(over.as_form_xobject()))


def _place(pdf: Pdf, page: Page, form: Any) -> None:
    name = _registered(page, form)
    before, after = _unbalanced(page)
    numbers = " ".join(f"{each:.6f}".rstrip("0").rstrip(".") for each in seen_of(page).matrix)
    page.contents_add(pdf.make_stream(b"q " * (1 + before)), prepend=True)
    closing = b"Q " * (1 + before + after)
    page.contents_add(pdf.make_stream(closing + f"q {numbers} cm {name} Do Q".encode()))


def _registered(page: Page, form: Any) -> str:
    """The form in the page's own list of resources, which others may have shared until now."""
    resources = Dictionary(_entries(page.resources))
    forms = Dictionary(_entries(resources.get("/XObject")))
    name = next(
        f"/Filled{each}" for each in range(len(forms.keys()) + 1) if f"/Filled{each}" not in forms
    )
    forms[name] = form
    resources[Name.XObject] = forms
    page.obj[Name.Resources] = resources
    return name


def _entries(holder: Any) -> Mapping[str, Any]:
    return dict(holder.items()) if isinstance(holder, Dictionary) else {}


def _unbalanced(page: Page) -> tuple[int, int]:
    """As `pdf_balance`; of papers from before `prepared` did this, and no more than is bounded."""
    try:
        content = b"\n".join(_bounded(each) for each in _streams(page))
        return unbalanced(content) if len(content) <= _MOST_READ else (0, 0)
    except (ValueError, zlib.error, pikepdf.PdfError):
        return 0, 0


def _streams(page: Page) -> list[Stream]:
    content = page.obj.get("/Contents")
    if isinstance(content, Stream):
        return [content]
    listed = list(cast("list[Any]", content))[:_MOST_STREAMS] if isinstance(content, Array) else []
    return [each for each in listed if isinstance(each, Stream)]


def _bounded(stream: Stream) -> bytes:
    """Its bytes, unpacked no further than to the limit and one; `ValueError` if packed oddly."""
    kind = stream.get("/Filter")
    if kind is None:
        return stream.read_raw_bytes()[: _MOST_READ + 1]
    if kind != Name.FlateDecode or "/DecodeParms" in stream:
        raise ValueError("packed in a way that has no bound")
    return zlib.decompressobj().decompress(stream.read_raw_bytes(), _MOST_READ + 1)


def _box(box: Array) -> tuple[float, float, float, float]:
    one, two, three, four = (float(each) for each in cast("list[Any]", box))
    return min(one, three), min(two, four), max(one, three), max(two, four)


def _turned(page: Page) -> int:
    """By the page, or by what it is a part of."""
    holder: Any = page.obj
    for _ in range(_DEEPEST_TREE):
        if "/Rotate" in holder:
            return int(holder["/Rotate"]) % 360 // 90 * 90
        if "/Parent" not in holder:
            break
        holder = holder["/Parent"]
    return 0
