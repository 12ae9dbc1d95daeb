"""What lies over a page becomes a part of it or is refused: three readers see the same.

Our picture (pdfium) and poppler are asked here, pdf.js in `tests/e2e/test_pdf_views.py`.
"""

import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image

from adapters.pdf_completion import with_completion
from adapters.pdf_filled import filled
from adapters.pdf_seal import SealRefused, SeenSeal, seal
from domain.agreement_field import AgreementField, FieldKind
from tests.rooms.notes import (
    MARKS,
    SIZE,
    cover,
    is_alike,
    noted,
    picture,
    prepared,
    text_field,
)
from tests.unit.completions import completion, seen
from tests.unit.sealing import NOW, certificate

FEE = "Fee: 100 EUR"


def poppler(pdf: bytes, folder: Path) -> tuple[Image.Image, str]:
    """What another reader draws of the first page, and its words."""
    at, page = folder / "document.pdf", folder / "page"
    at.write_bytes(pdf)
    first = ["-f", "1", "-l", "1"]
    drawing = ["pdftoppm", *first, "-r", "72", "-png", "-singlefile", str(at), str(page)]
    subprocess.run(drawing, check=True, timeout=20)
    reading = ["pdftotext", *first, str(at), "-"]
    words = subprocess.run(reading, check=True, timeout=20, capture_output=True).stdout.decode()
    shown = Image.open(page.with_suffix(".png")).convert("RGB").resize(SIZE)
    return shown, " ".join(words.split())


def _listed(page: Any) -> list[Any]:
    return list(page.obj.get("/Annots", []))


def notes_in(pdf: bytes) -> list[Any]:
    with pikepdf.open(BytesIO(pdf)) as opened:
        return [each.Subtype for page in opened.pages for each in _listed(page)]


PLAIN = prepared(noted())[1]


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
@pytest.mark.parametrize("kind", MARKS)
def test_a_note_that_does_not_say_how_it_looks_is_refused(kind: str) -> None:
    """Some readers draw it, some do not: poppler printed a field's value that nobody had seen."""
    assert prepared(noted(MARKS[kind]()))[0] == "dynamic"


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
def test_a_ground_over_a_sentence_is_refused() -> None:
    """With it the fee was on our picture, and hidden in another reader."""
    assert prepared(noted(cover()))[0] == "dynamic"


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
@pytest.mark.parametrize("kind", [*MARKS, "cover", "Link"])
def test_a_note_that_says_how_it_looks_is_a_part_of_the_page(kind: str, tmp_path: Path) -> None:
    made = MARKS.get(kind, cover)()
    made["/Subtype"] = Name.Link if kind == "Link" else made["/Subtype"]
    reason, pdf = prepared(noted(made, look=b"1 0 0 rg 0 0 340 60 re f"))
    assert (reason, notes_in(pdf)) == ("", [])
    other, words = poppler(pdf, tmp_path)
    assert is_alike(picture(pdf), other)
    left, bottom, right, top = (float(each) for each in made.Rect)
    middle = (int((left + right) / 2), int(SIZE[1] - (bottom + top) / 2))
    for each in (picture(pdf), other):
        pixel = each.getpixel(middle)
        assert isinstance(pixel, tuple)
        assert pixel[0] > 200 > 60 > pixel[1]
    assert FEE in words


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
@pytest.mark.parametrize(
    "made",
    [
        Dictionary(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("https://evil.example"))),
        Dictionary(Subtype=Name.Popup, Open=True, Contents=String("void")),
        Dictionary(Subtype=Name.Square, C=Array([1, 0, 0]), F=2),
        Dictionary(Subtype=Name.Square, C=Array([1, 0, 0]), F=4 | 32),
        Dictionary(Subtype=Name.Widget, FT=Name.Tx, T=String("empty")),
        Dictionary(Subtype=Name.Widget, FT=Name.Sig, T=String("unsigned"), MK=Dictionary()),
        Dictionary(Subtype=Name.Widget, FT=Name.Btn, V=Name.Off, T=String("unticked")),
    ],
)  # fmt: skip
def test_what_is_not_seen_on_the_page_is_taken_away(made: Dictionary, tmp_path: Path) -> None:
    made["/Rect"] = Array([60, 600, 400, 660])
    reason, pdf = prepared(noted(made))
    assert (reason, notes_in(pdf)) == ("", [])
    assert picture(pdf).tobytes() == picture(PLAIN).tobytes()
    assert poppler(pdf, tmp_path) == poppler(PLAIN, tmp_path)


TEXTS: Mapping[str, Dictionary] = {
    "Hello": Dictionary(FT=Name.Tx, V=String("Hello")),
    "Zoë": Dictionary(FT=Name.Tx, V=String("Zoë"), DA=String("/Other 12 Tf")),
    "Chosen": Dictionary(FT=Name.Ch, Ff=1 << 17, V=String("Chosen")),
    "One Two": Dictionary(FT=Name.Ch, Opt=Array([String("One"), String("Two")])),
}


@pytest.mark.parametrize("is_outdated", [True, False])
@pytest.mark.parametrize("expected", TEXTS)
def test_the_words_of_a_field_are_written_on_the_page(
    expected: str, tmp_path: Path, *, is_outdated: bool
) -> None:
    """Also in a font that the document does not have: Helvetica stands in for it."""
    reason, pdf = prepared(text_field(TEXTS[expected], NeedAppearances=is_outdated))
    assert (reason, notes_in(pdf)) == ("", [])
    other, words = poppler(pdf, tmp_path)
    assert f"{FEE} {expected}" == words
    assert is_alike(picture(pdf), other)
    assert not is_alike(picture(pdf), picture(PLAIN))


@pytest.mark.parametrize("is_outdated", [True, False])
@pytest.mark.parametrize(
    "made",
    [
        Dictionary(FT=Name.Tx, V=String("漢字")),
        Dictionary(FT=Name.Tx, V=String("one\ntwo")),
        Dictionary(FT=Name.Tx, V=String("no font"), DA=String("0 g")),
        Dictionary(FT=Name.Tx, V=String("x"), MK=Dictionary(BG=Array([1, 1, 1]))),
        Dictionary(FT=Name.Btn, V=Name.Yes),
        Dictionary(FT=Name.Btn, Ff=1 << 16, MK=Dictionary(CA=String("Push"))),
    ],
)
def test_a_field_that_cannot_be_written_whole_is_refused(
    made: Dictionary, *, is_outdated: bool
) -> None:
    assert prepared(text_field(made, NeedAppearances=is_outdated))[0] == "dynamic"


def test_a_tick_whose_state_is_left_to_the_reader_is_refused() -> None:
    def ticked(pdf: Pdf) -> None:
        look = Stream(pdf, b"0 0 9 9 re f", Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
        pdf.pages[0].obj.Annots[0]["/AP"] = Dictionary(N=Dictionary(Yes=pdf.make_indirect(look)))

    made = Dictionary(FT=Name.Btn, V=Name.Yes)
    assert prepared(text_field(made, ticked))[0] == "dynamic"
    marked = Dictionary(CA=String("4"))
    for shown in (Dictionary(V=Name.Yes, AS=Name.Off), Dictionary(V=Name.Off), Dictionary()):
        unticked = Dictionary({"/FT": Name.Btn, "/MK": marked, **dict(shown.items())})
        assert prepared(text_field(unticked, ticked))[0] == ""


def test_a_field_has_what_those_above_it_hold() -> None:
    def below(pdf: Pdf) -> None:
        (field,) = pdf.Root.AcroForm.Fields
        top = pdf.make_indirect(Dictionary(T=String("top"), V=Name.Yes, Kids=Array([field])))
        field["/Parent"], pdf.Root.AcroForm["/Fields"] = top, Array([top])

    assert prepared(text_field(Dictionary(FT=Name.Btn), below))[0] == "dynamic"


# ------------------------------------------------------------------ papers from before


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
@pytest.mark.parametrize("kind", [*MARKS, "cover"])
async def test_a_paper_from_before_is_sealed_as_its_picture_shows_it(
    kind: str, tmp_path: Path
) -> None:
    old = noted(MARKS.get(kind, cover)())
    assert picture(old).tobytes() == picture(PLAIN).tobytes()
    place = AgreementField("f", FieldKind.TEXT, 1, "Field", 1, 0.1, 0.6, 0.3, 0.05)
    for values, words in (({}, FEE), ({"f": "Anna"}, f"{FEE} Anna")):
        entered = filled(old, [place], values)
        whole = with_completion(entered, completion(), seen().box.height)
        sealed = await seal(
            whole.pdf,
            certificate(),
            reason="x",
            at=NOW,
            seen=SeenSeal(seen().box, whole.place),
        )
        assert notes_in(sealed.pdf) == [Name.Widget]
        other, read = poppler(sealed.pdf, tmp_path)
        assert read == words
        assert is_alike(other, picture(filled(PLAIN, [place], values)))


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
async def test_nothing_is_sealed_that_has_anything_over_its_pages() -> None:
    for raw in (noted(MARKS["FreeText"]()), text_field(Dictionary(FT=Name.Tx))):
        with pytest.raises(SealRefused, match="over the document's pages"):
            await seal(raw, certificate(), reason="x", at=NOW)
