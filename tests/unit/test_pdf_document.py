"""Documents on paper: every block of Markdown, any script, and room for signers at the end."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # has no types
import pytest
import time_machine

from adapters.pdf_document import MadeDocument, document_pdf
from domain.agreement_field import FieldKind
from domain.document import Document

TEXT = """# First heading

Between **Acme Ltd** and *Zoë Łukasz*, about `code`, ~~nothing~~ and [terms](https://example.org/t).
Goes on here.\\
On a line of its own.

3. Third
4. Fourth with **bold**
   - inner

> Quoted words

| Item | Price |
|---|---|
| Hosting | 10 € |
| 上海 | 20 € |

---

```
code
    indented
```

    also code
"""


def made(markdown: str = TEXT, signers: tuple[str, ...] = (), **more: Any) -> MadeDocument:
    return document_pdf(Document("Framework agreement", markdown), signers=signers, **more)


def pages_of(pdf: bytes) -> list[str]:
    opened = pypdfium2.PdfDocument(pdf)
    pages = [str(each.get_textpage().get_text_range()) for each in opened]
    opened.close()
    return pages


def words_of(pdf: bytes) -> str:
    return " ".join(" ".join(pages_of(pdf)).split())


def test_every_word_is_there_in_its_order() -> None:
    words = words_of(made().pdf)
    expected = [
        "Framework agreement", "First heading",
        "Between Acme Ltd and Zoë Łukasz, about code, nothing and terms (https://example.org/t).",
        "Goes on here. On a line of its own.", "3. Third", "4. Fourth with bold", "inner",
        "Quoted words", "Item Price", "Hosting 10 €", "上海 20 €", "code indented", "also code",
    ]  # fmt: skip
    at = -1
    for each in expected:
        found = words.find(each, at + 1)
        assert found > at, each
        at = found
    assert "**" not in words
    assert "~~" not in words


def test_emphasis_is_a_font_of_its_own() -> None:
    with pikepdf.open(BytesIO(made().pdf)) as pdf:
        fonts = " ".join(
            str(each.BaseFont) for page in pdf.pages for each in page.resources.Font.values()
        )
    for name in ("DejaVuSansBold", "DejaVuSansOblique", "DejaVuSansMono"):
        assert name in fonts


def test_what_belongs_together_is_kept_apart_from_the_margin() -> None:
    opened = pypdfium2.PdfDocument(made().pdf)
    text = opened[0].get_textpage()
    whole = text.get_text_range()

    def left_of(words: str) -> float:
        left: float = text.get_charbox(whole.index(words))[0]
        return left

    assert left_of("Third") > left_of("3.") + 10
    assert left_of("inner") > left_of("Fourth") + 10
    assert left_of("Quoted") > left_of("Between") + 10
    assert left_of("indented") > left_of("code\r") + 10
    assert left_of("On a line") == pytest.approx(left_of("Between"), abs=2)
    opened.close()


@pytest.mark.parametrize(
    "text", ["上海贸易有限公司", "محمد عبد الله", "דוד כהן", "राजेश कुमार", "株式会社 山田", "สมชาย"]
)
def test_any_script_can_be_read_and_copied(text: str) -> None:
    shown = words_of(document_pdf(Document(text, f"{text}\n\nIn a **{text}** line")).pdf)
    assert [each for each in text.split() if shown.count(each) < 3] == []


def test_is_the_same_file_each_time() -> None:
    with time_machine.travel(datetime(2031, 1, 1, tzinfo=UTC)):
        later = made(signers=("Anna", ""))
    assert later == made(signers=("Anna", ""))
    assert later.pdf != made(signers=("Anna", "Bert")).pdf


def test_is_an_archive_copy_with_its_title() -> None:
    with pikepdf.open(BytesIO(made(company="Acme Ltd", locale="de").pdf)) as pdf:
        assert str(pdf.Root.Lang) == "de"
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3U"
            assert "Framework agreement" in metadata["dc:title"]
            assert metadata["dc:creator"] == ["Acme Ltd"]


def test_goes_over_numbered_pages() -> None:
    pages = pages_of(made("\n\n".join(f"## Part {each}\n\nWords." for each in range(60))).pdf)
    assert len(pages) > 2
    for number, words in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in words


def test_a_heading_never_ends_a_page() -> None:
    for lines in range(30, 50):
        pages = pages_of(made("Line\n\n" * lines + "## Heading\n\nAfter it").pdf)
        assert any("Heading" in each and "After it" in each for each in pages)


@pytest.mark.parametrize("signers", [1, 2, 3, 10])
@pytest.mark.parametrize("lines", [0, 18, 24, 60])
def test_each_signer_has_three_fields_over_their_labels(signers: int, lines: int) -> None:
    """On one page each, inside the margins, none over another, and the labels right below."""
    ready = made("Line\n\n" * lines, signers=tuple(f"Person {each + 1}" for each in range(signers)))
    opened = pypdfium2.PdfDocument(ready.pdf)
    assert len({each.key for each in ready.fields}) == len(ready.fields) == 3 * signers
    for number in range(1, signers + 1):
        mine = [each for each in ready.fields if each.signer == number]
        assert [each.kind for each in mine] == [
            FieldKind.TEXT,
            FieldKind.DATE,
            FieldKind.SIGNATURE,
        ]
        assert len({each.page for each in mine}) == 1
        for one in mine:
            page = opened[one.page - 1]
            across, up = page.get_size()
            assert 0.05 < one.x < one.x + one.width < 0.95
            assert 0.05 < one.y < one.y + one.height < 0.95
            below = page.get_textpage().get_text_bounded(
                left=one.x * across - 2,
                right=(one.x + one.width) * across,
                top=up * (1 - one.y - one.height) + 1,
                bottom=up * (1 - one.y - one.height) - 14,
            )
            assert below.strip() == one.label
        top = min(each.y for each in mine)
        above = (
            opened[mine[0].page - 1]
            .get_textpage()
            .get_text_bounded(left=0, right=595, top=842 * (1 - top) + 20, bottom=842 * (1 - top))
        )
        assert f"Person {number}" in above
    opened.close()
    for one in ready.fields:
        for other in ready.fields:
            assert one == other or one.page != other.page or _apart(one, other)


def _apart(one: object, other: object) -> bool:
    (left, top, right, bottom), (left2, top2, right2, bottom2) = (
        (each.x, each.y, each.x + each.width, each.y + each.height)  # type: ignore[attr-defined]
        for each in (one, other)
    )
    return bool(right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top)


def test_without_signers_there_is_no_room() -> None:
    ready = made()
    assert ready.fields == ()
    assert "Signature" not in words_of(ready.pdf)


def test_room_is_named_in_the_language_and_numbered_without_a_name() -> None:
    assert "Signer 2" in words_of(made(signers=("Anna", "")).pdf)
    ready = made(signers=("Anna", ""), locale="de")
    assert {each.label for each in ready.fields} == {"Name", "Datum", "Unterschrift"}


@pytest.mark.parametrize(
    "markdown",
    [
        "", "---", "> ", "- ", "1. \n2. ", "|a|\n|-|", "```\n```", "**", "[](x)", "# ", "&nbsp;",
        "a\\\nb",
        "> > > > > > > > > > > > > > > > deep", "- " * 30 + "deep", "<b>html</b>", "x" * 3000,
        "![picture](https://example.org/x.png)", "|" + "a|" * 30 + "\n|" + "-|" * 30,
    ],
)  # fmt: skip
def test_nothing_that_can_be_written_breaks_it(markdown: str) -> None:
    assert pages_of(made(markdown, signers=("Anna",)).pdf)


def test_what_stands_for_the_number_of_pages_is_nothing_but_words_in_a_text() -> None:
    """From the second page on a company's "{nb}" became a number; a title's did in each footer."""
    some = "plain {nb}\n\n**bold** {nb} and `{nb}`\n\n| {nb} |\n|---|\n| cell {nb} |\n\n"
    text = "\n\n".join([some] * 20)
    title = "Offer {nb} of {{nb}}"
    pages = pages_of(document_pdf(Document(title, text)).pdf)
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"{title} · Page {number} of {len(pages)}" in " ".join(page.split())
    assert sum(page.count("{nb}") - 2 for page in pages) >= 20 * 5
