"""Values stand on the pages where their fields are, whatever the page, the script or the length."""

import math
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
import time_machine
from pikepdf import Array, Dictionary, Pdf, Stream
from PIL import Image, ImageChops

from adapters import pdf_overlay
from adapters.pdf_filled import filled
from adapters.pdf_overlay import seen_of
from domain.agreement_field import AgreementField, FieldKind, Mark

PLACE = (0.25, 0.5, 0.3, 0.06)
Box = tuple[float, float, float, float]


def blank(
    pages: int = 1,
    turned: int = 0,
    crop: tuple[float, ...] = (),
    content: bytes = b"",
    size: tuple[float, float] = (595, 842),
) -> bytes:
    with Pdf.new() as pdf:
        for _ in range(pages):
            page = pdf.add_blank_page(page_size=size)
            page.obj["/Rotate"] = turned
            if crop:
                page.obj["/CropBox"] = Array(crop)
            page.obj["/Contents"] = pdf.make_stream(content)
        into = BytesIO()
        pdf.save(into)
    return into.getvalue()


def field(kind: FieldKind, place: Box = PLACE, **more: Any) -> AgreementField:
    named: dict[str, Any] = {"key": "f", "signer": 1, "label": "Field", "page": 1} | more
    return AgreementField(
        kind=kind, x=place[0], y=place[1], width=place[2], height=place[3], **named
    )


def picture(pdf: bytes, number: int = 0, scale: float = 2) -> Image.Image:
    opened = pypdfium2.PdfDocument(pdf)
    shown: Image.Image = opened[number].render(scale=scale).to_pil().convert("L")
    opened.close()
    return shown


def ink(pdf: bytes, number: int = 0) -> Box:
    """Where something is on an otherwise empty page, in fractions of what is seen."""
    shown = picture(pdf, number)
    box = ImageChops.invert(shown).getbbox()
    assert box is not None, "nothing was written"
    across, down = shown.size
    return box[0] / across, box[1] / down, box[2] / across, box[3] / down


def assert_inside(found: Box, place: Box) -> None:
    left, top, width, height = place
    slack = 0.004
    assert left - slack <= found[0] < found[2] <= left + width + slack
    assert top - slack <= found[1] < found[3] <= top + height + slack


def words(pdf: bytes, number: int = 0) -> str:
    opened = pypdfium2.PdfDocument(pdf)
    text = str(opened[number].get_textpage().get_text_range())
    opened.close()
    return " ".join(text.split())


VALUES: list[tuple[FieldKind, Any]] = [
    (FieldKind.TEXT, "Zoë Łukasz"),
    (FieldKind.DATE, "2026-12-06"),
    (FieldKind.CHECKBOX, True),
    (FieldKind.INITIALS, Mark(typed="ZŁ")),
    (FieldKind.SIGNATURE, Mark(typed="Zoë Łukasz")),
    (FieldKind.SIGNATURE, Mark((((0.1, 0.1), (0.5, 0.3)), ((0.9, 0.2), (0.8, 0.05))))),
]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [(), (100, 50, 500, 700), (-50, -50, 900, 900)])
@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_each_value_stands_in_its_field(
    turned: int, crop: tuple[float, ...], kind: FieldKind, value: Any
) -> None:
    """As the page is seen: turned pages and cropped ones, also by a box larger than the paper."""
    out = filled(blank(turned=turned, crop=crop), [field(kind)], {"f": value})
    assert_inside(ink(out), PLACE)


@pytest.mark.parametrize("typed", ["\u0301", "\u3164", "\u2800", "\u200d", "\u0301\u0301"])
@pytest.mark.parametrize("kind", [FieldKind.SIGNATURE, FieldKind.INITIALS])
def test_a_name_of_no_width_breaks_nothing(kind: FieldKind, typed: str) -> None:
    """An answer that was taken must not keep its document from ever being sealed."""
    for value in (Mark(typed=typed), typed):
        out = filled(blank(), [field(kind)], {"f": value})
        with pikepdf.open(BytesIO(out)) as pdf:
            assert len(pdf.pages) == 1


@pytest.mark.parametrize("value", ["no", "Off", " 0 ", "false", "yes", "x"])
def test_a_box_is_ticked_in_the_document_where_it_is_on_the_screen(value: str) -> None:
    """What the signer was shown (`AgreementField.is_ticked`) is what is sealed."""
    box = field(FieldKind.CHECKBOX, value=value)
    shown = filled(blank(), [box], {})
    plain = filled(blank(), [field(FieldKind.CHECKBOX)], {"f": box.is_ticked})
    assert picture(shown).tobytes() == picture(plain).tobytes()


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_is_upright_on_a_turned_page(turned: int) -> None:
    """A long text is wider than high, and a stroke that falls to the right does so."""
    out = filled(blank(turned=turned), [field(FieldKind.TEXT)], {"f": "Anna Weber"})
    left, top, right, bottom = ink(out)
    across, down = picture(out).size
    assert (right - left) * across > 3 * (bottom - top) * down
    stroke = Mark((((0.0, 0.0), (1.0, 0.4)),))
    shown = picture(filled(blank(turned=turned), [field(FieldKind.SIGNATURE)], {"f": stroke}))
    box = ImageChops.invert(shown).getbbox()
    assert box is not None
    inside = ImageChops.invert(shown.crop(box))
    corner = (inside.width // 4, inside.height // 4)
    assert inside.crop((0, 0, *corner)).getbbox()
    assert not inside.crop((inside.width - corner[0], 0, inside.width, corner[1])).getbbox()


def test_a_rotation_that_a_page_has_from_its_tree_counts() -> None:
    with Pdf.open(BytesIO(blank())) as pdf:
        del pdf.pages[0].obj["/Rotate"]
        pdf.Root.Pages["/Rotate"] = 450
        assert seen_of(pdf.pages[0]).turned == 90
        del pdf.Root.Pages["/Rotate"]
        assert seen_of(pdf.pages[0]).turned == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"q 0.5 0 0 0.5 200 200 cm", b""),
        (b"q q q 3 0 0 3 0 0 cm", b""),
        (b"Q Q 2 0 0 2 9 9 cm", b""),
    ],
)
def test_what_a_page_leaves_behind_moves_nothing(before: bytes, after: bytes) -> None:
    out = filled(blank(content=before), [field(FieldKind.TEXT)], {"f": "Anna"})
    assert_inside(ink(out), PLACE)


def test_a_page_that_unpacks_without_end_is_laid_over_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a paper from before its preparation refused such: it must not fill the worker's memory."""

    def never(_: bytes) -> tuple[int, int]:
        raise AssertionError("read")

    monkeypatch.setattr(pdf_overlay, "unbalanced", never)
    out = filled(blank(content=b"q Q " * 500_000), [field(FieldKind.TEXT)], {"f": "Anna"})
    assert_inside(ink(out), PLACE)


def test_pages_stay_as_they_were() -> None:
    """Their content byte for byte, and what they share with others."""
    with Pdf.open(BytesIO(blank(2, content=b"0.9 g 9 9 20 20 re f"))) as pdf:
        shared = pdf.make_indirect(Dictionary(XObject=Dictionary(Filled0=Stream(pdf, b""))))
        for page in pdf.pages:
            page.obj["/Resources"] = shared
        into = BytesIO()
        pdf.save(into)
    out = filled(into.getvalue(), [field(FieldKind.TEXT, page=2)], {"f": "Anna"})
    with pikepdf.open(BytesIO(out)) as pdf:
        first, second = pdf.pages
        assert first.obj.Contents.read_bytes() == b"0.9 g 9 9 20 20 re f"
        assert b"0.9 g 9 9 20 20 re f" in [each.read_bytes() for each in second.obj.Contents]
        assert set(first.resources.XObject.keys()) == {"/Filled0"}
        assert set(second.resources.XObject.keys()) == {"/Filled0", "/Filled1"}
        assert pdf.check_pdf_syntax() == []


def test_without_a_value_nothing_is_changed() -> None:
    raw = blank()
    fields = [field(FieldKind.TEXT), field(FieldKind.SIGNATURE, key="g")]
    assert filled(raw, fields, {}) == raw
    assert filled(raw, fields, {"f": "", "g": Mark()}) == raw


def test_the_companys_own_value_is_written_and_a_mark_as_it_was_posted() -> None:
    fields = [
        field(FieldKind.TEXT, signer=None, value="Acme Ltd"),
        field(FieldKind.INITIALS, key="g", place=(0.1, 0.1, 0.2, 0.05)),
    ]
    out = filled(blank(), fields, {"g": {"typed": "AW", "strokes": []}})
    assert "Acme Ltd" in words(out)
    assert "AW" in words(out)


def test_a_date_is_in_the_language_of_the_document() -> None:
    for locale, said in (("en", "December 6, 2026"), ("de", "6. Dezember 2026")):
        out = filled(blank(), [field(FieldKind.DATE)], {"f": "2026-12-06"}, locale=locale)
        assert said in words(out)
    assert "soon" in words(filled(blank(), [field(FieldKind.DATE)], {"f": "soon"}))


def test_a_box_without_a_tick_is_an_answer_too() -> None:
    shown = {
        value: ImageChops.invert(
            picture(filled(blank(), [field(FieldKind.CHECKBOX)], {"f": value}))
        )
        for value in (True, False)
    }
    dark = {value: sum(each.histogram()[100:]) for value, each in shown.items()}
    assert dark[True] > dark[False] * 1.2 > 0
    unasked = filled(blank(), [field(FieldKind.CHECKBOX, value="true")], {})
    assert ImageChops.invert(picture(unasked)).getbbox() == shown[True].getbbox()
    assert sum(ImageChops.invert(picture(unasked)).histogram()[100:]) == dark[True]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 500,
        "word " * 100,
        "Donaudampfschifffahrtsgesellschaftskapitän " * 8,
        "上" * 400,
        "ש" * 400,
    ],
)
@pytest.mark.parametrize("place", [PLACE, (0.4, 0.4, 0.05, 0.01), (0.1, 0.1, 0.8, 0.012)])
def test_an_oversized_text_shrinks_and_is_there_to_its_end(text: str, place: Box) -> None:
    out = filled(blank(), [field(FieldKind.TEXT, place)], {"f": text})
    shown = words(out).replace(" ", "")
    assert shown.count(text[0]) == text.replace(" ", "").count(text[0])
    assert_inside(ink(out), place)


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Łukasz", "Nguyễn Văn", "Владимир Жуков", "Ελένη", "محمد عبد الله", "דוד כהן",
        "株式会社", "上海", "김철수", "राजेश कुमार", "தமிழ்", "สมชาย", "Anna 🧾",
    ],
)  # fmt: skip
def test_a_name_of_any_script_can_be_typed(name: str) -> None:
    for kind in (FieldKind.TEXT, FieldKind.SIGNATURE):
        value = Mark(typed=name) if kind is FieldKind.SIGNATURE else name
        out = filled(blank(), [field(kind)], {"f": value})
        assert_inside(ink(out), PLACE)
        shown = words(out).replace(" ", "")
        assert name.replace(" ", "").replace("🧾", "[U+1F9FE]") == shown


def fonts_in(pdf: bytes) -> str:
    with pikepdf.open(BytesIO(pdf)) as opened:
        form = opened.pages[0].resources.XObject.Filled0
        return " ".join(str(each.BaseFont) for each in form.Resources.Font.values())


def test_a_hand_that_has_the_letters_writes_the_name() -> None:
    for name, font in (
        ("Anna", "Caveat"),
        ("Жуков", "Caveat"),
        ("Nguyễn", "Dancing"),
        ("上海", "Droid"),
    ):
        out = filled(blank(), [field(FieldKind.SIGNATURE)], {"f": Mark(typed=name)})
        assert font in fonts_in(out), name


def spiral(ratio: float) -> Mark:
    """The same shape, drawn into the middle of a box so much higher than wide."""
    points = tuple(
        (0.5 + 0.2 * at / 60 * math.cos(at / 5), ratio / 2 + 0.2 * at / 60 * math.sin(at / 5))
        for at in range(60)
    )
    return Mark((points,), ratio=ratio)


def test_turning_the_phone_changes_no_signature() -> None:
    """Points are by the width of the box: the ink is the same, whatever is around it."""
    shown = [
        picture(filled(blank(), [field(FieldKind.SIGNATURE)], {"f": spiral(ratio)}))
        for ratio in (0.4, 1.0, 1.8)
    ]
    for each in shown[1:]:
        assert max(ImageChops.difference(shown[0], each).histogram()[64:]) <= 4
    left, top, right, bottom = ink(filled(blank(), [field(FieldKind.SIGNATURE)], {"f": spiral(1)}))
    assert (right - left) * 595 == pytest.approx((bottom - top) * 842, rel=0.25)


@pytest.mark.parametrize(
    "strokes",
    [
        (((0.5, 0.2),),),
        (((0.1, 0.2), (0.9, 0.2)),),
        (((0.5, 0.0), (0.5, 0.4)),),
        (((-0.05, -0.05), (1.05, 2.0)),),
        (((0.5, 0.2), (0.5, 0.2)), ((0.5, 0.2),), ()),
    ],
)
def test_any_stroke_stays_inside(strokes: tuple[tuple[tuple[float, float], ...], ...]) -> None:
    """A dot, a line across, one down, what was drawn over the edge; also in a tiny field."""
    for place in (PLACE, (0.5, 0.5, 0.01, 0.004)):
        out = filled(blank(), [field(FieldKind.SIGNATURE, place)], {"f": Mark(strokes)})
        assert_inside(ink(out), place)


def test_strokes_are_lines_with_round_ends() -> None:
    out = filled(blank(), [field(FieldKind.SIGNATURE)], {"f": spiral(0.4)})
    with pikepdf.open(BytesIO(out)) as pdf:
        form = pdf.pages[0].resources.XObject.Filled0
        drawn = [str(each.operator) for each in pikepdf.parse_content_stream(form)]
        states = form.Resources.get("/ExtGState", Dictionary())
        assert any(each.get("/LC") == 1 for each in states.values()) or "J" in drawn
    assert drawn.count("l") == 59
    assert "Do" not in drawn


def test_several_pages_and_the_same_bytes_whenever_it_is_done() -> None:
    fields = [field(FieldKind.TEXT, key=f"f{each}", page=each) for each in (1, 3)]
    values = {"f1": "Anna", "f3": "上海"}
    raw = blank(3)
    out = filled(raw, fields, values)
    with time_machine.travel(datetime(2031, 1, 1, tzinfo=UTC)):
        assert filled(raw, fields, values) == out
    assert [words(out, each) for each in range(3)] == ["Anna", "", "上海"]


@pytest.mark.parametrize("page", [0, 2])
def test_a_page_that_is_not_there_is_refused(page: int) -> None:
    with pytest.raises(ValueError, match="page"):
        filled(blank(), [field(FieldKind.TEXT, page=page)], {"f": "x"})


def test_a_page_whose_crop_is_beside_it_is_seen_whole() -> None:
    out = filled(blank(crop=(900, 900, 950, 950)), [field(FieldKind.TEXT)], {"f": "Anna"})
    with pikepdf.open(BytesIO(out)) as pdf:
        assert seen_of(pdf.pages[0]).size == (595, 842)


@pytest.mark.parametrize("text", ["I owe {nb}000 EUR", "zwölf {nb}", "тест {nb}", "{nb}"])
def test_what_stands_for_a_number_of_pages_elsewhere_is_a_signer_s_own_words(text: str) -> None:
    """What "{nb}000 EUR" meant was sealed as "3000 EUR" in a document of three pages."""
    fields = [field(FieldKind.TEXT, key=f"f{each}", page=each) for each in (1, 2, 3)]
    out = filled(blank(3), fields, {each.key: text for each in fields})
    assert [words(out, each) for each in range(3)] == [text] * 3
    assert "{nb}" in words(filled(blank(), fields[:1], {"f1": Mark(typed=text)}))
