"""Documents with something over their pages that tests begin with, and how they are shown."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, ImageChops

from adapters.file_checks import agreement

SIZE = (595, 842)


def noted(*notes: Dictionary, look: bytes = b"") -> bytes:
    """One page with a fee on it, and these notes over it, all of one look or of none."""
    with _paper() as pdf:
        for each in notes:
            _put(pdf, each, look)
        return _bytes_of(pdf)


def text_field(
    made: Dictionary, change: Callable[[Pdf], None] = lambda _: None, **form: Any
) -> bytes:
    """The same page with a field of a form on it, for which Helvetica is at hand."""
    with _paper() as pdf:
        helvetica = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        named: dict[str, Any] = {
            "DA": String("/Helv 12 Tf 0 g"),
            "DR": Dictionary(Font=Dictionary(Helv=helvetica)),
        }
        field = Dictionary({"/T": String("field"), "/Subtype": Name.Widget, **dict(made.items())})
        field["/Rect"] = Array([60, 600, 400, 660])
        pdf.Root["/AcroForm"] = Dictionary(Fields=Array([_put(pdf, field)]), **(named | form))
        change(pdf)
        return _bytes_of(pdf)


def _paper() -> Pdf:
    pdf = Pdf.new()
    page = pdf.add_blank_page(page_size=SIZE)
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page.obj["/Resources"] = Dictionary(Font=Dictionary(F1=font))
    page.obj["/Contents"] = pdf.make_stream(b"BT /F1 14 Tf 60 700 Td (Fee: 100 EUR) Tj ET")
    page.obj["/Annots"] = Array()
    return pdf


def _put(pdf: Pdf, note: Dictionary, look: bytes = b"") -> Any:
    made = pdf.make_indirect(Dictionary({"/Type": Name.Annot, **dict(note.items())}))
    if look:
        drawn = Stream(pdf, look, Subtype=Name.Form, BBox=Array([0, 0, 340, 60]))
        made["/AP"] = Dictionary(N=pdf.make_indirect(drawn))
    pdf.pages[0].obj.Annots.append(made)
    return made


def _bytes_of(pdf: Pdf) -> bytes:
    into = BytesIO()
    pdf.save(into)
    return into.getvalue()


def _mark(kind: str, **more: Any) -> Callable[[], Dictionary]:
    return lambda: Dictionary(
        Subtype=Name(f"/{kind}"), Rect=Array([60, 600, 400, 660]), F=4, **more
    )


_RED = Array([1, 0, 0])
MARKS: Mapping[str, Callable[[], Dictionary]] = {
    "FreeText": _mark(
        "FreeText", Contents=String("ALSO OWES 1 MILLION"), DA=String("/Helv 18 Tf 1 0 0 rg")
    ),
    "Square": _mark("Square", C=_RED, IC=_RED),
    "Text": _mark("Text", Contents=String("hidden note: void"), Open=True),
    "Stamp": _mark("Stamp", Name=Name.Approved),
    "Line": _mark("Line", L=Array([60, 600, 400, 660]), C=_RED),
    "Widget": _mark(
        "Widget", FT=Name.Tx, V=String("ALSO OWES"), T=String("t"), DA=String("/Helv 18 Tf 0 g")
    ),
    "Polygon": _mark("Polygon", Vertices=Array([60, 600, 400, 600, 200, 660]), C=_RED, IC=_RED),
    "Caret": _mark("Caret", C=_RED),
    "Highlight": _mark(
        "Highlight", QuadPoints=Array([60, 720, 300, 720, 60, 690, 300, 690]), C=_RED
    ),
}
"""Annotations that do not say how they look, by kind (ISO 32000-2, 12.5.6)."""


def cover() -> Dictionary:
    """A push button with a white ground over the fee."""
    return Dictionary(
        Subtype=Name.Widget, FT=Name.Btn, Ff=1 << 16, Rect=Array([50, 690, 500, 720]), F=4,
        T=String("b"), MK=Dictionary(BG=Array([1, 1, 1]), CA=String("")),
    )  # fmt: skip


def prepared(raw: bytes) -> tuple[str, bytes]:
    """Why a document is refused, or "" and what becomes of it; in this process."""
    line, _, pdf = agreement.prepared(raw).partition(b"\n")
    return json.loads(line).get("refused", ""), pdf


def picture(pdf: bytes) -> Image.Image:
    """What a signer is shown of the first page."""
    line, _, shown = agreement.images(pdf, str(SIZE[0]), "1", "1").partition(b"\n")
    assert json.loads(line)["lengths"] == [len(shown)]
    return Image.open(BytesIO(shown)).convert("RGB").resize(SIZE)


def is_alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two readers drew the same, but for the edges of letters."""
    small = [each.convert("L").reduce(10) for each in (one, other)]
    return max(ImageChops.difference(*small).tobytes()) < 60
