"""The receipt as a page: what the PDF says, to be read on a phone and copied."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from typing_extensions import override

from api.party_pages import Occasion, page_of
from domain.receipt import Receipt, ReceiptLine
from tests.unit.receipts import AT, receipt, task

ROOM = "/sessions/019a2c1e-7c00-7aaa-8bbb-0123456789ab"
VOID = {"meta", "link"}


class Page(HTMLParser):
    """The words of a page, and its elements with their own words."""

    def __init__(self, shown: Receipt) -> None:
        super().__init__()
        self.words = ""
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(html_of(shown))
        assert self.open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), ""))
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.words += data
        if self.elements:
            tag, attributes, words = self.elements[-1]
            self.elements[-1] = (tag, attributes, words + data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (attributes, " ".join(words.split()))
            for found, attributes, words in self.elements
            if found == tag
        ]


def html_of(shown: Receipt) -> str:
    occasion = Occasion(
        company=shown.workspace_name,
        contact="help@acme.test",
        title=shown.session_title,
        subject="",
        party=shown.party_name,
        expires_at=AT + timedelta(days=3),
        at=AT,
        locale=shown.locale,
        zone=shown.zone,
    )
    answer = page_of(
        occasion, "receipt.html", receipt=shown, signed=(), room=ROOM, steps=(), next_step=None
    )
    return bytes(answer.body).decode()


def test_says_what_the_pdf_says() -> None:
    shown = receipt()
    page = Page(shown)
    assert shown.proof is not None
    said = [shown.workspace_name, shown.party_name, shown.reference, shown.proof.checkpoint]
    said += [each.title for each in shown.tasks]
    said += [line.value for each in shown.tasks for line in each.lines]
    said += [str(shown.proof.index), shown.proof.root, shown.proof.leaf, shown.proof.key]
    said += shown.proof.path
    assert [each for each in said if each not in page.words] == []
    assert "Sunday, 6 December 2026, 15:05 (Europe/Berlin, UTC+01:00)" in page.words
    assert "2026-12-06 14:05:09 UTC" in page.words
    assert ("2026-12-06T14:05:09+00:00",) in [(each["datetime"],) for each, _ in page.all("time")]


def test_each_hash_can_be_taken_with_one_click() -> None:
    shown = receipt()
    marked = [words for each, words in Page(shown).all("code") if each.get("class") == "hash"]
    hashes = [line.value for each in shown.tasks for line in each.lines if line.is_hash]
    assert shown.proof is not None
    assert {*hashes, shown.proof.root, shown.proof.leaf, *shown.proof.path} <= set(marked)


def test_offers_the_files() -> None:
    links = {words: each for each, words in Page(receipt()).all("a")}
    assert links["Download PDF"]["href"] == f"{ROOM}/receipt.pdf"
    assert links["Download proof (JSON)"]["href"] == f"{ROOM}/receipt.json"


def test_while_the_log_is_being_signed_it_says_so_and_how_to_look_again() -> None:
    page = Page(receipt(proof=None))
    assert "being signed; this takes up to a minute" in page.words
    assert "Signed checkpoint" not in page.words
    assert "Download PDF" in page.words
    assert "Download proof" not in page.words
    assert f"{ROOM}/receipt" in [each["href"] for each, _ in page.all("a")]
    # A page that reloads by itself takes the reader's place away (WCAG 2.2, 3.2.5).
    assert not [each for each, _ in page.all("meta") if each.get("http-equiv")]


def test_nothing_on_it_acts_on_a_session_that_is_over() -> None:
    page = Page(receipt())
    assert page.all("form") == []
    assert [str(each.get("src")).rpartition("/")[2][:4] for each, _ in page.all("script")] == [
        "page"
    ]


@pytest.mark.parametrize("proven", [True, False])
def test_names_and_answers_never_become_markup(proven: bool) -> None:
    hostile = "<script>alert(1)</script>\"'{{ 7*7 }}"
    lines = (ReceiptLine(hostile, hostile), ReceiptLine(hostile, hostile, is_hash=True))
    given = {"proof": receipt().proof if proven else None}
    names = dict.fromkeys(("workspace_name", "session_title", "party_name", "reference"), hostile)
    page = Page(receipt(tasks=(task(hostile, kind=hostile, lines=lines),), **names, **given))
    assert page.words.count(hostile) > 8
    assert len(page.all("script")) == 1


def test_headings_and_ids_are_in_order() -> None:
    page = Page(receipt(tasks=tuple(task(f"Task {each}") for each in range(50))))
    ids = [each["id"] for _, each, _ in page.elements if each.get("id")]
    assert len(ids) == len(set(ids))
    labels = [each["aria-labelledby"] for _, each, _ in page.elements if "aria-labelledby" in each]
    assert set(labels) <= set(ids)
    assert len(page.all("h1")) == 1
