"""Uploaded documents are made still, counted and shown, or refused with a reason."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
from fpdf import FPDF
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image

from adapters import pdf_pages
from adapters.file_check import FileCheckBroken
from adapters.file_checks import agreement
from adapters.file_checks.__main__ import rewrite_for
from adapters.pdf_balance import unbalanced
from adapters.pdf_pages import PdfReason, PdfRefused, page_images, page_looks, prepared
from adapters.pdf_seal import seal
from domain.upload import UploadReason, UploadRefused
from tests.unit.sealing import NOW, certificate, document

SOON = timedelta(seconds=60)


def paper(pages: int = 2, size: tuple[float, float] = (210, 297)) -> bytes:
    made = FPDF(format=size)
    made.set_font("helvetica", size=12)
    for number in range(pages):
        made.add_page()
        made.cell(0, 10, f"Page {number + 1}")
    return bytes(made.output())


def changed(change: Callable[[Pdf], None], **saving: Any) -> bytes:
    with Pdf.open(BytesIO(paper())) as pdf:
        change(pdf)
        into = BytesIO()
        pdf.save(into, **saving)
    return into.getvalue()


def field(pdf: Pdf, **more: Any) -> None:
    """A field that is filled in: what it shows is not on the page."""
    look = Stream(pdf, b"0 0 1 rg 0 0 150 20 re f", Type=Name.XObject, Subtype=Name.Form)
    look["/BBox"] = Array([0, 0, 150, 20])
    made = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("Ada"),
            Rect=Array([50, 50, 200, 70]), F=4, AP=Dictionary(N=pdf.make_indirect(look)), **more,
        )
    )  # fmt: skip
    pdf.pages[0].obj["/Annots"] = Array([made])
    pdf.Root["/AcroForm"] = Dictionary(Fields=Array([made]))


async def reason_of(raw: bytes) -> PdfReason:
    with pytest.raises(PdfRefused) as caught:
        await prepared(raw, timeout=SOON)
    assert str(caught.value.reason) in str(caught.value)
    return caught.value.reason


async def test_gives_pages_as_they_are_seen() -> None:
    def turn(pdf: Pdf) -> None:
        pdf.pages[0].obj["/CropBox"] = Array([100, 100, 400, 500])
        pdf.pages[1].obj["/Rotate"] = 90

    ready = await prepared(changed(turn), timeout=SOON)
    assert [each.number for each in ready.pages] == [1, 2]
    assert [(round(each.width), round(each.height)) for each in ready.pages] == [
        (300, 400),
        (842, 595),
    ]
    with pikepdf.open(BytesIO(ready.pdf)) as pdf:
        assert len(pdf.pages) == 2


async def test_what_was_filled_in_is_a_part_of_the_page_and_no_field_any_more() -> None:
    """What is seen is what is signed: nothing that a reader of another maker shows otherwise."""
    ready = await prepared(changed(field), timeout=SOON)
    with pikepdf.open(BytesIO(ready.pdf)) as pdf:
        assert "/AcroForm" not in pdf.Root
        assert not list(pdf.pages[0].obj.get("/Annots", []))
    (picture,) = await page_images(ready.pdf, ready.pages[:1], width=595, timeout=SOON)
    pixel = Image.open(BytesIO(picture)).convert("RGB").getpixel((100, 842 - 60))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 200 > 60 > pixel[0]


async def test_a_field_that_a_reader_is_to_draw_is_drawn() -> None:
    def undrawn(pdf: Pdf) -> None:
        field(pdf, DA=String("/Helv 12 Tf 0 g"))
        del pdf.Root.AcroForm.Fields[0]["/AP"]
        pdf.Root.AcroForm["/NeedAppearances"] = True

    ready = await prepared(changed(undrawn), timeout=SOON)
    shown = pypdfium2.PdfDocument(ready.pdf)
    assert "Ada" in shown[0].get_textpage().get_text_range()
    shown.close()


async def test_scripts_are_gone() -> None:
    def scripted(pdf: Pdf) -> None:
        pdf.Root["/OpenAction"] = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))

    ready = await prepared(changed(scripted), timeout=SOON)
    with pikepdf.open(BytesIO(ready.pdf)) as pdf:
        assert "/OpenAction" not in pdf.Root


async def test_an_image_has_no_other_for_print() -> None:
    """ISO 32000-2, 8.9.5.4: a reader may print one of the alternates instead of the image."""

    def doubled(pdf: Pdf) -> None:
        gray = {"Width": 1, "Height": 1, "BitsPerComponent": 8, "ColorSpace": Name.DeviceGray}
        other, shown = (
            pdf.make_indirect(Stream(pdf, each, Type=Name.XObject, Subtype=Name.Image, **gray))
            for each in (b"\x00", b"\xff")
        )
        shown["/Alternates"] = Array([Dictionary(Image=other, DefaultForPrinting=True)])
        pdf.pages[0].obj["/Resources"]["/XObject"] = Dictionary(I=shown)

    ready = await prepared(changed(doubled), timeout=SOON)
    with pikepdf.open(BytesIO(ready.pdf)) as pdf:
        assert "/Alternates" not in pdf.pages[0].resources.XObject.I


async def test_a_document_of_ours_comes_back_with_what_it_says_of_itself() -> None:
    """Its XMP metadata, which most programs write, has no parser in the confined process."""
    ready = await prepared(document(), timeout=SOON)
    assert len(ready.pages) == 3
    with pikepdf.open(BytesIO(ready.pdf)) as pdf, pdf.open_metadata() as metadata:
        assert "Framework agreement" in metadata["dc:title"]


async def test_pictures_are_as_wide_as_asked_and_in_order() -> None:
    ready = await prepared(paper(10), timeout=SOON)
    pictures = await page_images(ready.pdf, ready.pages, width=200, timeout=SOON)
    assert [Image.open(BytesIO(each)).size for each in pictures] == [(200, 283)] * 10
    assert {Image.open(BytesIO(each)).format for each in pictures} == {"WEBP"}
    assert len(set(pictures)) == 10
    (third,) = await page_images(ready.pdf, ready.pages[2:3], width=200, timeout=SOON)
    assert third == pictures[2]


async def test_a_long_page_has_no_more_pixels_than_any() -> None:
    ready = await prepared(paper(1, (210, 4000)), timeout=SOON)
    (picture,) = await page_images(ready.pdf, ready.pages, timeout=SOON)
    across, down = Image.open(BytesIO(picture)).size
    assert across * down <= agreement.MOST_PIXELS * 1.01
    assert down > across * 15


async def test_each_reason() -> None:
    """Encrypted, signed, XFA, dynamic, too long, too large or small to sign."""

    def flagged(pdf: Pdf) -> None:
        field(pdf)
        pdf.Root.AcroForm["/XFA"] = Stream(pdf, b"<xdp/>")

    def listed(pdf: Pdf) -> None:
        pdf.Root["/Collection"] = Dictionary(View=Name.T)

    def needy(pdf: Pdf) -> None:
        pdf.Root["/NeedsRendering"] = True

    def layered(pdf: Pdf) -> None:
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("In print only")))
        pdf.Root["/OCProperties"] = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array()))

    def nested(pdf: Pdf) -> None:
        kid = pdf.make_indirect(Dictionary(FT=Name.Sig, T=String("b"), V=Dictionary(Type=Name.Sig)))
        top = pdf.make_indirect(Dictionary(T=String("a"), Kids=Array([kid, 7])))
        pdf.Root["/AcroForm"] = Dictionary(Fields=Array([top]))

    def archived(pdf: Pdf) -> None:
        pdf.Root["/DSS"] = Dictionary()
        pdf.Root["/AcroForm"] = Dictionary(SigFlags=3)

    owned = changed(lambda _: None, encryption=pikepdf.Encryption(owner="o", user=""))
    locked = changed(lambda _: None, encryption=pikepdf.Encryption(owner="o", user="u"))
    sealed = await seal(document(), certificate(), reason="x", at=NOW)
    for raw, reason in (
        (owned, PdfReason.ENCRYPTED),
        (locked, PdfReason.ENCRYPTED),
        (sealed.pdf, PdfReason.SIGNED),
        (changed(nested), PdfReason.SIGNED),
        (changed(archived), PdfReason.SIGNED),
        (changed(flagged), PdfReason.XFA),
        (changed(listed), PdfReason.DYNAMIC),
        (changed(needy), PdfReason.DYNAMIC),
        (changed(layered), PdfReason.DYNAMIC),
        (paper(201), PdfReason.TOO_MANY_PAGES),
        (paper(1, (5, 5)), PdfReason.PAGE_SIZE),
    ):
        assert await reason_of(raw) is reason


async def test_a_field_to_sign_that_nobody_has_signed_is_no_signature() -> None:
    def empty(pdf: Pdf) -> None:
        made = pdf.make_indirect(Dictionary(FT=Name.Sig, T=String("a")))
        pdf.Root["/AcroForm"] = Dictionary(Fields=Array([made]), SigFlags=1)

    assert len((await prepared(changed(empty), timeout=SOON)).pages) == 2


async def test_what_is_no_pdf_is_refused_as_any_upload() -> None:
    for raw, reason in (
        (b"GIF89a" + bytes(100), UploadReason.CONTENT_DIFFERS),
        (paper()[: len(paper()) // 2], UploadReason.DAMAGED),
    ):
        with pytest.raises(UploadRefused) as caught:
            await prepared(raw, timeout=SOON)
        assert caught.value.refusal.reason is reason


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]\n", b"{", b'{"refused": "because"}\n', b'{"pages": 7}\n', b'{"pages": [[1]]}\n',
        b"{}\n", b'{"pages": [["a", "b"]]}\n',
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    async def says(*_: object) -> bytes:
        return answer

    monkeypatch.setattr(pdf_pages, "answer_to", says)
    with pytest.raises(FileCheckBroken):
        await prepared(paper())


@pytest.mark.parametrize(
    "answer",
    [
        b"{}\n", b'{"lengths": [1]}\n', b'{"lengths": [2]}\nabc', b'{"lengths": [1, 2]}\nabc',
        b'{"lengths": ["3"]}\nabc', b'{"lengths": [true]}\na', b'{"lengths": [-1]}\n',
    ],
)  # fmt: skip
async def test_pictures_that_do_not_add_up_are_not_believed(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    async def says(*_: object) -> bytes:
        return answer

    monkeypatch.setattr(pdf_pages, "answer_to", says)
    with pytest.raises(FileCheckBroken):
        await page_images(paper(), [pdf_pages.Page(1, 1, 1)])


async def test_several_at_once_do_not_disturb_each_other() -> None:
    ready = await asyncio.gather(*(prepared(paper(each), timeout=SOON) for each in (1, 2, 3)))
    assert [len(each.pages) for each in ready] == [1, 2, 3]


def test_jobs_do_in_this_process_what_they_do_in_theirs() -> None:
    head, _, still = rewrite_for("agreement")(paper()).partition(b"\n")
    assert head.startswith(b'{"pages": [[')
    shown = rewrite_for("images:100:1:9")(still)
    assert shown.startswith(b'{"lengths": [')
    assert b"RIFF" in shown
    assert rewrite_for("pdf")(paper()).startswith(b"%PDF")


def drawn(content: bytes) -> bytes:
    def draw(pdf: Pdf) -> None:
        pdf.pages[0].obj["/Contents"] = pdf.make_stream(content)

    return changed(draw)


async def test_a_page_that_unpacks_to_more_than_can_be_read_is_refused() -> None:
    assert await reason_of(drawn(b"q Q " * 3_000_000)) is PdfReason.TOO_MUCH_DRAWN


@pytest.mark.parametrize("content", [b"q q 2 0 0 2 9 9 cm", b"Q Q 1 w", b"\xff\xfe q", b""])
async def test_a_page_comes_back_balanced(content: bytes) -> None:
    ready = await prepared(drawn(content), timeout=SOON)
    with pikepdf.open(BytesIO(ready.pdf)) as pdf:
        assert unbalanced(pdf.pages[0].obj.Contents.read_bytes()) == (0, 0)


@pytest.mark.parametrize("content", [b"q (abc", b"q << /A", b"q BI /W 1 /H 1 ID abc"])
async def test_a_page_that_takes_in_what_follows_is_refused(content: bytes) -> None:
    with pytest.raises(UploadRefused) as caught:
        await prepared(drawn(content), timeout=SOON)
    assert caught.value.refusal.reason is UploadReason.DAMAGED


# ------------------------------------------------------------------ pages that take long


@pytest.mark.parametrize(
    ("small", "large", "drawn", "is_refused"),
    [(0.1, 0.7, 1, False), (1, 4, 2, False), (1, 6, 2, True), (6, 40, 1, True)],
)
def test_a_page_is_judged_by_how_long_its_whole_picture_takes(
    monkeypatch: pytest.MonkeyPatch, small: float, large: float, drawn: int, *, is_refused: bool
) -> None:
    """What was judged by a small picture only burnt 30 s of computing at each look."""
    asked = [0.0]

    def draw(_page: object, width: int) -> bytes:
        asked.append(asked[-1] + (small if width == 500 else large))
        return b"picture"

    monkeypatch.setattr(agreement, "process_time", lambda: asked[-1])
    monkeypatch.setattr(agreement, "_image", draw)
    head = rewrite_for("looks:500:1400:1:1")(paper()).partition(b"\n")[0]
    assert (b"too_much_drawn" in head) is is_refused
    assert len(asked) - 1 == drawn


def test_looks_are_the_pictures_of_that_width() -> None:
    still = rewrite_for("agreement")(paper()).partition(b"\n")[2]
    assert rewrite_for("looks:500:1400:1:2")(still) == rewrite_for("images:500:1:2")(still)


def heavy() -> bytes:
    """A page of 1 KB that takes long to draw, each of its masks a tenth of a second."""
    with Pdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        group = pdf.make_stream(
            b"0.5 g 0 0 595 842 re f", Type=Name.XObject, Subtype=Name.Form,
            BBox=Array([0, 0, 595, 842]), Resources=Dictionary(),
            Group=Dictionary(S=Name.Transparency, CS=Name.DeviceRGB, I=True),
        )  # fmt: skip
        mask = Dictionary(S=Name.Luminosity, G=group)
        state = Dictionary(Type=Name.ExtGState, SMask=mask, ca=0.9, BM=Name.Luminosity)
        page.obj["/Resources"] = Dictionary(
            XObject=Dictionary(X=group), ExtGState=Dictionary(G=state)
        )
        page.obj["/Contents"] = pdf.make_stream(b"/G gs " + b"/X Do " * 8)
        into = BytesIO()
        pdf.save(into)
    return into.getvalue()


def test_a_small_file_that_takes_long_to_draw_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "MOST_SECONDS", 0.3)
    still = rewrite_for("agreement")(heavy()).partition(b"\n")[2]
    assert len(still) < 3000
    assert rewrite_for("looks:500:1400:1:1")(still) == b'{"refused": "too_much_drawn"}\n'


async def test_a_refusal_to_draw_is_said_where_looks_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def says(*_: object) -> bytes:
        return b'{"refused": "too_much_drawn"}\n'

    monkeypatch.setattr(pdf_pages, "answer_to", says)
    with pytest.raises(PdfRefused) as caught:
        await page_looks(paper(), [pdf_pages.Page(1, 1, 1)], width=500)
    assert caught.value.reason is PdfReason.TOO_MUCH_DRAWN
    with pytest.raises(FileCheckBroken):
        await page_images(paper(), [pdf_pages.Page(1, 1, 1)])
