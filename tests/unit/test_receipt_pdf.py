"""The receipt as a PDF: complete, readable in any script, the same each time."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
import time_machine

from adapters.pdf_paper import FONTS
from adapters.receipt_pdf import receipt_pdf
from domain.receipt import Receipt, ReceiptLine
from tests.unit.receipts import proof, receipt, task

JSON = b'{"format": "gatepass-receipt/1"}'
MOST_BYTES = 150_000


def pages_of(shown: Receipt) -> list[str]:
    """The words of each page as a reader of the PDF finds and copies them."""
    document = pypdfium2.PdfDocument(receipt_pdf(shown, JSON))
    try:
        return [each.get_textpage().get_text_range() for each in document]
    finally:
        document.close()


def words_of(shown: Receipt) -> str:
    return " ".join("\n".join(pages_of(shown)).split())


def test_says_who_did_what_when_and_where_it_is_on_record() -> None:
    shown = receipt()
    words, proven = words_of(shown), proof()
    for said in ("Acme Ltd", "Vendor intake", "Anna Weber", shown.reference):
        assert said in words
    assert (
        "Sunday, 6 December 2026, 15:05 (Europe/Berlin, UTC+01:00) 2026-12-06 14:05:09 UTC" in words
    )
    for each in shown.tasks:
        assert each.title in words
        assert [line.value for line in each.lines if line.value not in words] == []
    for said in (proven.root, proven.leaf, proven.key, str(proven.index), *proven.path):
        assert said in words
    for line in proven.checkpoint.strip().split("\n"):
        assert line.replace(" ", "") in words.replace(" ", "")
    assert "gatepass audit verify receipt.json" in words


def test_without_its_proof_it_says_that_the_log_is_being_signed() -> None:
    words = words_of(receipt(proof=None))
    assert "was still being signed" in words
    assert "Root of the log" not in words


def test_what_did_not_happen_is_left_out() -> None:
    assert "Verified by code" in words_of(receipt())
    assert "Verified by code" not in words_of(receipt(verified_at=None))


def test_the_receipt_for_machines_travels_inside() -> None:
    with pikepdf.open(BytesIO(receipt_pdf(receipt(), JSON))) as pdf:
        (attached,) = pdf.attachments.values()
        assert attached.filename == "receipt.json"
        assert attached.get_file().read_bytes() == JSON
        assert attached.get_file().mime_type == "application/json"
        assert pdf.check_pdf_syntax() == []


def test_says_what_it_is_to_programs() -> None:
    """ISO 19005-3: its language, title and date, each glyph with the character it stands for."""
    with pikepdf.open(BytesIO(receipt_pdf(receipt(locale="de"), JSON))) as pdf:
        assert str(pdf.Root.Lang) == "de"
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3U"
            assert "Vendor intake" in metadata["dc:title"]
            assert metadata["dc:creator"] == ["Acme Ltd"]
            assert metadata["xmp:CreateDate"] == "2026-12-06T14:05:09+00:00"
        fonts = [font for page in pdf.pages for font in page.resources.Font.values()]
        assert fonts
        assert all("/ToUnicode" in font for font in fonts)


def test_the_same_receipt_is_the_same_file_whenever_and_wherever_it_is_made() -> None:
    shown = receipt(party_name="محمد 上海 राजेश")
    with time_machine.travel(datetime(2031, 1, 1, tzinfo=UTC)):
        later = receipt_pdf(shown, JSON)
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: receipt_pdf(shown, JSON), range(2)))
    assert [hashlib.sha256(each).hexdigest() for each in both] == [
        hashlib.sha256(later).hexdigest()
    ] * 2
    assert receipt_pdf(receipt(), JSON) != later


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Łukasz Nguyễn Şahin",
        "Владимир Жуков",
        "Ελένη Παπαδοπούλου",
        "Նարեկ გიორგი",
        "محمد عبد الله",
        "דוד כהן בע״מ",
        "株式会社山田太郎",
        "上海贸易有限公司 臺北",
        "김철수",
        "राजेश कुमार",
        "தமிழ்",
        "తెలుగు",
        "สมชาย",
        "Anna 😀",
    ],
)
def test_a_name_of_any_script_can_be_read_and_copied(name: str) -> None:
    shown = receipt(party_name=name, session_title=name, tasks=(task(name),))
    assert words_of(shown).count(name) >= 3
    assert len(receipt_pdf(shown, JSON)) < MOST_BYTES


def test_letters_that_join_and_stack_are_shaped() -> None:
    """Bengali vowels are written before the consonant they follow: copied, they may stand so."""
    words = words_of(receipt(party_name="ঢাকা বাণিজ্য"))
    assert set("ঢাকা বাণিজ্য") <= set(words)
    assert "[U+" not in words


def test_right_to_left_runs_stand_in_reading_order() -> None:
    document = pypdfium2.PdfDocument(receipt_pdf(receipt(party_name="שלום"), JSON))
    text = document[0].get_textpage()
    whole = text.get_text_range()
    first, last = (text.get_charbox(whole.index(each)) for each in ("ש", "ם"))
    document.close()
    assert first[0] > last[2]


def test_a_character_without_a_glyph_is_named_and_never_dropped() -> None:
    words = words_of(receipt(party_name="A 🧾 ኣ\u200d\ufeff B"))
    assert "A [U+1F9FE] [U+12A3] B" in words.replace("\u200d", "")
    assert "\ufffd" not in words


def test_what_was_written_to_mislead_is_one_harmless_line() -> None:
    hostile = "Anna\u202egpj.\x00exe\r\nRoot of the log: fake"
    assert "Annagpj. exe Root of the log: fake" in words_of(receipt(party_name=hostile))
    assert "{nb} <b>**x**</b> é" in words_of(receipt(party_name="{nb} <b>**x**</b> é"))


@pytest.mark.parametrize("name", ["x" * 150, "Wwwwwww " * 19, "上" * 150, "ש" * 150])
def test_a_long_name_wraps_inside_the_margins(name: str) -> None:
    lines = (ReceiptLine(name, name),)
    document = pypdfium2.PdfDocument(
        receipt_pdf(receipt(party_name=name, tasks=(task(name, lines=lines),)), JSON)
    )
    for page in document:
        text = page.get_textpage()
        boxes = [text.get_charbox(index) for index in range(text.count_chars())]
        assert max(box[2] for box in boxes) <= page.get_width() - 50
        assert min(box[1] for box in boxes) >= 25
    everything = "".join("".join(page.get_textpage().get_text_range().split()) for page in document)
    document.close()
    assert everything.count(name[0]) >= 4 * name.count(name[0])


def test_many_tasks_go_over_numbered_pages() -> None:
    shown = receipt(tasks=tuple(task(f"Task number {each}.") for each in range(50)))
    pages = pages_of(shown)
    assert 6 <= len(pages) <= 20
    for number, words in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in words
        assert shown.reference in words
    everything = "\n".join(pages)
    assert [each for each in range(50) if f"Task number {each}." not in everything] == []
    assert len(receipt_pdf(shown, JSON)) < MOST_BYTES


def test_a_text_longer_than_a_page_is_there_to_its_end() -> None:
    statement = " ".join(f"word{each}" for each in range(2000))
    shown = receipt(tasks=(task(lines=(ReceiptLine("Statement", statement),)),))
    words = re.sub(r"Receipt \S+ · Page \d+ of \d+", "", words_of(shown))
    assert " ".join(words.split()).count(statement) == 1
    assert "Proof" in words


def test_is_written_in_the_language_of_the_party() -> None:
    words = words_of(receipt(locale="de"))
    assert "Sonntag, 6. Dezember 2026, 15:05 Uhr" in words


def test_the_fonts_are_those_whose_origin_is_written_down() -> None:
    """Nobody swaps a font, which decides what a signature's name looks like, unseen."""
    rows = re.findall(
        r"^\| (\S+\.ttf) \| [^|]+ \| [^|]+ \| (\S+) \| ([0-9a-f]{64}) \|$",
        (FONTS / "ORIGIN.md").read_text(),
        re.MULTILINE,
    )
    assert {name for name, _, _ in rows} == {each.name for each in FONTS.glob("*.ttf")}
    for name, licence, expected in rows:
        assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest() == expected
        assert (FONTS / licence).stat().st_size > 1000
