"""Documents: hashed as they were shown, rendered without giving their authors any power."""

import hashlib
from typing import Any

import pytest

from adapters.markdown import render
from domain.document import Document, faults_of

TERMS = {"title": "Terms", "markdown": "# Terms\n\nBe fair.\n"}


def test_the_hash_is_over_the_canonical_bytes() -> None:
    document = Document.of(TERMS)

    assert document.canonical == b'{"markdown":"# Terms\\n\\nBe fair.\\n","title":"Terms"}'
    assert document.sha256 == hashlib.sha256(document.canonical).hexdigest()


def test_line_endings_do_not_change_the_hash_and_every_word_does() -> None:
    """PS-13: the record of an acknowledgment names exactly the text that was shown."""
    dos = {**TERMS, "markdown": TERMS["markdown"].replace("\n", "\r\n")}
    changed = {**TERMS, "markdown": TERMS["markdown"].replace("fair", "Fair")}
    renamed = {**TERMS, "title": "Conditions"}
    hashes = [Document.of(each).sha256 for each in (TERMS, dos, changed, renamed)]

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (TERMS, []),
        ({}, ["/title", "/markdown"]),
        ({**TERMS, "key": "terms"}, ["/key"]),
        ({**TERMS, "title": "t" * 201}, ["/title"]),
        ({**TERMS, "markdown": " \n"}, ["/markdown"]),
        ({**TERMS, "markdown": "x" * 200_001}, ["/markdown"]),
        ({**TERMS, "markdown": 5}, ["/markdown"]),
        ({"title": "a\x00", "markdown": "b\ud800"}, ["/title", "/markdown"]),
    ],
)
def test_every_fault_is_named(definition: dict[str, Any], expected: list[str]) -> None:
    assert [each.pointer for each in faults_of(definition)] == expected


@pytest.mark.parametrize(
    ("markdown", "absent"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("![a](https://tracker.example/a.png)", "<img"),
        ("[a](javascript:alert(1))", "href"),
        ("[a](data:text/html;base64,AAAA)", "href"),
        ("[a](/console)", "href"),
        ("[a](//evil.example)", "href"),
        ('<a href="https://e.example" style="x" onclick="y">a</a>', "<a"),
        ("https://e.example", "<a"),
        ('[a](https://e.example "x\\" onclick=\\"y")', ' onclick="'),
    ],
)
def test_a_document_brings_nothing_that_acts(markdown: str, absent: str) -> None:
    assert absent not in render(markdown)


def test_links_open_apart_and_tell_nothing() -> None:
    html = render("[site](https://e.example/a?b=1&c=2)")

    assert 'href="https://e.example/a?b=1&amp;c=2"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer"' in html


def test_headings_stand_below_the_pages_own_and_tables_are_read_aloud() -> None:
    html = render("# One\n\n###### Six\n\n| a |\n|---|\n| 1 |\n\n3. three\n\n~~no~~ **yes**")

    for part in ("<h2>One</h2>", "<h6>Six</h6>", '<th scope="col">a</th>', '<ol start="3">'):
        assert part in html
    assert "<s>no</s> <strong>yes</strong>" in html
    assert render("# One") is render("# One")
