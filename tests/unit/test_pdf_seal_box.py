"""A seal is seen on the certificate of completion: a box, in any script, that nothing overlaps."""

import asyncio
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
from pikepdf import Name, Pdf
from PIL import ImageChops

from adapters.pdf_completion import with_completion
from adapters.pdf_seal import SealLevel, SeenSeal, seal
from adapters.pdf_seal_box import SealBox, SealPlace, seal_box
from adapters.pdf_seal_check import validate
from adapters.signing_certificate import SigningCertificate, made
from adapters.signing_certificate_import import imported
from tests.unit.completions import completion, seen, signer
from tests.unit.sealing import NOW, certificate, document, pdfsig
from tests.unit.test_signing_certificate import PASSWORD, packed

COMPANIES = {
    "Latin": "Zoë Łukasz & Söhne",
    "Arabic": "شركة النور للتجارة",
    "Chinese": "上海贸易有限公司",
    "Hindi": "भारत व्यापार",
}
SCALE = 2


@dataclass(frozen=True, slots=True)
class Visible:
    """A document with a seal that is seen, and what it is made of."""

    pdf: bytes
    box: SealBox
    place: SealPlace
    certificate: SigningCertificate


@cache
def visible(name: str) -> Visible:
    one = completion(workspace_name=name)
    by = made(one.workspace_name, at=NOW, years=1)
    box = seal_box(one, by, at=NOW)
    whole = with_completion(document(), one, box.height)
    sealing = seal(whole.pdf, by, reason=one.title, at=NOW, seen=SeenSeal(box, whole.place))
    sealed = asyncio.run(sealing)
    return Visible(sealed.pdf, box, whole.place, by)


def words_in(pdf: bytes, page: int, *bounds: float) -> str:
    """What a page says, or the part of it within left, bottom, right and top."""
    opened = pypdfium2.PdfDocument(pdf)
    text = opened[page].get_textpage()
    words = str(text.get_text_bounded(*bounds) if bounds else text.get_text_range())
    opened.close()
    return " ".join(words.split())


def picture(pdf: bytes, page: int, *, filled: bool = True) -> Any:
    """A page as it is seen, with what fills its form or without."""
    opened = pypdfium2.PdfDocument(pdf)
    opened.init_forms()
    image = opened[page].render(scale=SCALE, draw_annots=filled, may_draw_forms=filled).to_pil()
    opened.close()
    return image.convert("L")


def part(image: Any, left: float, bottom: float, right: float, top: float) -> Any:
    """The part of a picture within these corners, in points."""
    height = image.height / SCALE
    corners = (left, height - top, right, height - bottom)
    return image.crop(tuple(round(each * SCALE) for each in corners))


def differs(one: Any, other: Any) -> int:
    """How many pixels are clearly not the same."""
    return int(sum(ImageChops.difference(one, other).histogram()[64:]))


def widget(pdf: Pdf) -> Any:
    """The seal's field, which is its own annotation."""
    (field,) = pdf.Root.AcroForm.Fields
    return field


@pytest.mark.parametrize("name", COMPANIES.values(), ids=COMPANIES)
def test_a_seal_is_seen_in_any_script_and_stays_valid(name: str, tmp_path: Path) -> None:
    one = visible(name)
    with Pdf.open(BytesIO(one.pdf)) as pdf:
        field = widget(pdf)
        corners = [float(each) for each in field.Rect]
        assert corners == [float(each) for each in one.place.rectangle(one.box)]
        assert corners[2] - corners[0] > 100
        assert corners[3] - corners[1] > 50
        assert field.P.objgen == pdf.pages[one.place.page].obj.objgen
        assert [each.objgen for each in pdf.pages[one.place.page].obj.Annots] == [field.objgen]
        assert str(field.TU) == f"Sealed by {name}"
        # Printed, too, and not to be moved (ISO 32000-2, 12.5.3).
        assert int(field.F) == 4 | 128
    assert "Certificate of completion" in words_in(one.pdf, one.place.page)
    verdict = asyncio.run(validate(one.pdf, [one.certificate.root], at=NOW))
    assert verdict.is_good
    assert verdict.level is SealLevel.B_LT
    said = pdfsig(one.pdf, tmp_path)
    assert "Signature is Valid." in said
    assert "Total document signed" in said


@pytest.mark.parametrize("name", COMPANIES.values(), ids=COMPANIES)
def test_readers_show_the_box_as_it_was_drawn(name: str) -> None:
    """The same picture as the drawing's, where nothing is without it."""
    one = visible(name)
    corners = one.place.rectangle(one.box)
    shown, bare = (
        part(picture(one.pdf, one.place.page, filled=each), *corners) for each in (True, False)
    )
    assert bare.getextrema() == (255, 255)
    drawn = picture(one.box.pdf, 0).crop((0, 0, *shown.size))
    ink = differs(shown, bare)
    assert ink > shown.width * shown.height // 100
    # The two do not begin at the same part of a pixel.
    assert differs(shown, drawn) < ink // 5


@pytest.mark.parametrize("script", ["Latin", "Chinese", "Hindi"])
def test_says_by_whom_when_and_of_what(script: str) -> None:
    one = completion(workspace_name=COMPANIES[script])
    box = seal_box(one, made(one.workspace_name, at=NOW, years=1), at=NOW)
    words = words_in(box.pdf, 0)
    for said in (
        f"Sealed by {one.workspace_name}", f"Certificate of {one.workspace_name}",
        "Issued by the company itself (self-issued)", "Time of the seal 2026-12-06 14:05:09 UTC",
        "Document Framework agreement", "Version signed 3", one.sha256,
    ):  # fmt: skip
        assert said in words


def test_letters_that_join_are_there() -> None:
    """They are read from the right, by whoever reads a PDF's text in the order that it is seen."""
    name = COMPANIES["Arabic"]
    box = seal_box(completion(workspace_name=name), certificate(name), at=NOW)
    words = words_in(box.pdf, 0)
    assert [each for each in set(name) if each not in words] == []
    assert "[U+" not in words


def test_says_who_vouches_for_a_certificate_that_was_brought() -> None:
    brought = imported(packed(), PASSWORD, at=NOW)
    words = words_in(seal_box(completion(), brought, at=NOW).pdf, 0)
    assert "Certificate of Brought Ltd" in words
    assert "Issued by Some authority" in words
    assert "self-issued" not in words


def test_is_in_the_language_of_the_agreement() -> None:
    words = words_in(seal_box(completion(locale="de"), certificate(), at=NOW).pdf, 0)
    assert "Besiegelt von Acme Ltd" in words
    assert "dem Unternehmen selbst (selbst ausgestellt)" in words


def test_is_as_high_as_its_words_need() -> None:
    short = seal_box(completion(), certificate(), at=NOW)
    long = seal_box(completion(title="Framework agreement " * 10), certificate(), at=NOW)
    assert short.height < long.height < 300
    assert short.pdf == seal_box(completion(), certificate(), at=NOW).pdf


@pytest.mark.parametrize(
    "changes",
    [
        {"signers": tuple(signer(f"Person number {each}.") for each in range(10))},
        {"title": "Framework agreement " * 10},
        {"title": "Framework agreement " * 60, "workspace_name": "Acme and Daughters " * 40},
        {"title": "\U0001f469" * 200, "workspace_name": "\U0001f469" * 200},
        {"title": "\u0bf5" * 200, "workspace_name": "\u0bf5" * 200},
        {"title": "x\n" * 100, "workspace_name": "x\n" * 100},
    ],
    ids=["many signers", "long title", "longer than a page", "no font has it", "wide", "lines"],
)
def test_nothing_of_the_certificate_is_under_the_box(changes: dict[str, Any]) -> None:
    one = completion(**changes)
    box = seal_box(one, certificate(), at=NOW)
    whole = with_completion(document(), one, box.height)
    corners = whole.place.rectangle(box)
    assert words_in(whole.pdf, whole.place.page, *corners) == ""
    with pikepdf.open(BytesIO(whole.pdf)) as pdf:
        _, _, right, top = (float(each) for each in pdf.pages[whole.place.page].obj.MediaBox)
    left, bottom, box_right, box_top = corners
    assert 0 < left < box_right < right - left + 1
    assert left < bottom < box_top < top - left + 1


def test_no_name_makes_lines_that_look_like_the_boxs_own() -> None:
    hostile = "Acme\nCertificate of Other Ltd\n\u202edtL\x07"
    box = seal_box(completion(workspace_name=hostile, title=hostile), certificate(), at=NOW)
    assert box.words == "Sealed by Acme Certificate of Other Ltd dtL"
    assert box.height == seal_box(completion(), certificate(), at=NOW).height
    assert words_in(box.pdf, 0).count("Acme Certificate of Other Ltd dtL") == 2


async def test_a_seal_without_a_box_is_not_seen() -> None:
    sealed = await seal(document(), certificate(), reason="x", at=NOW)
    with Pdf.open(BytesIO(sealed.pdf)) as pdf:
        assert [float(each) for each in widget(pdf).Rect] == [0, 0, 0, 0]
        assert Name.AP not in widget(pdf)


async def test_one_box_seals_again_and_again() -> None:
    """A seal whose making is tried again is the same to look at."""
    tries = [
        await seal(document(), certificate(), reason="x", at=NOW, seen=seen()) for _ in range(2)
    ]
    one, other = (picture(each.pdf, 0) for each in tries)
    assert differs(one, other) == 0
