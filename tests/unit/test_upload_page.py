"""The upload task as a page: usable without script, complete for it, safe whatever is sent."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typing_extensions import override

from adapters.languages import available
from api.party_pages import Occasion, Step, page_of
from domain.task import TaskState
from store.upload import UploadState

STATIC = Path(__file__).parents[2] / "api" / "static"
NOW = datetime(2026, 12, 6, 14, 5, tzinfo=UTC)
FILES = "/sessions/1/tasks/papers/files"
HOSTILE = '</script><img src=x onerror="alert(1)">.pdf'
Element = tuple[str, Mapping[str, str | None]]


class Page(HTMLParser):
    """The elements of a page and its text; what is in a template is not shown and not counted."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[Element] = []
        self.text = ""
        self.words: dict[str, str] = {}
        self._inside: list[str] = []
        self.feed(html)
        self.text = " ".join(self.text.split())

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "template"}:
            self._inside.append(tag)
        if tag == "script" or "template" not in self._inside:
            self.elements.append((tag, dict(attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    @override
    def handle_data(self, data: str) -> None:
        if self._inside[-1:] == ["script"] and data.strip():
            self.words = json.loads(data)
        if not self._inside:
            self.text += data

    def all(self, tag: str, **wanted: str) -> list[Mapping[str, str | None]]:
        return [
            attributes
            for name, attributes in self.elements
            if name == tag
            and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def one(self, tag: str, **wanted: str) -> Mapping[str, str | None]:
        (found,) = self.all(tag, **wanted)
        return found


def a_file(slot: str, name: str = "policy.pdf", state: str = "ready") -> dict[str, Any]:
    sized = {"size": 300_000, "size_text": "300 kB", "kind": "pdf", "state": state}
    return {"id": f"id-{slot}-{name[:6]}", "slot": slot, "name": name} | sized


def a_page(
    *files: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
    titles: Sequence[tuple[str, str, bool]] = (("insurance", "Insurance", True), ("", "", False)),
    least: int = 0,
    locale: str = "en",
) -> Page:
    occasion = Occasion(
        company="Harbour & Pike",
        contact="ops@harbour.example",
        title="Vendor intake",
        subject="",
        party="Nordlicht GmbH",
        expires_at=NOW + timedelta(days=13),
        at=NOW,
        locale=locale,
        zone="UTC",
    )
    answer = page_of(
        occasion,
        "tasks/upload.html",
        key="papers",
        room="/sessions/1",
        steps=(Step("papers", "upload", "Certificates", "", TaskState.OPEN, None),),
        next_step="papers",
        position=1,
        task=SimpleNamespace(title="Certificates", help=""),
        errors=errors or {},
        scope=SimpleNamespace(max_files=6, min_files=least),
        slots=[
            {
                "key": key,
                "title": title,
                "required": required,
                "files": [each for each in files if each["slot"] == key],
            }
            for key, title, required in titles
        ],
        accept=".pdf,.png",
        kinds_text="PDF or <PNG> & more",
        limits=[("PDF or <PNG>", "5 MB"), ("more & more", "9 MB")],
        bytes_by_ending={"pdf": 5_000_000, "png": 5_000_000, "mp4": 9_000_000},
    )
    return Page(bytes(answer.body).decode())


def test_each_place_says_what_it_takes_before_anything_is_chosen() -> None:
    """PS-40"""
    page = a_page()
    for place in ("insurance", "files"):
        chooser = page.one("input", id=f"file-{place}")
        assert chooser["aria-describedby"] == f"slot-{place}-limits"
        assert chooser["accept"] == ".pdf,.png"
        assert page.one("label", for_=f"file-{place}")
        assert page.html.index(f'id="slot-{place}-limits"') < page.html.index(f'id="file-{place}"')
    assert "Insurance PDF or <PNG>, at most 5 MB. more & more, at most 9 MB." in page.text
    assert "at most 5 MB each. more & more, at most 9 MB each. 5 files at most." in page.text


def test_without_script_every_step_is_a_form() -> None:
    page = a_page(a_file("insurance"), a_file("", "a.png"))
    sending = [each for each in page.all("form", action=FILES) if each["method"] == "post"]
    assert [each["enctype"] for each in sending] == ["multipart/form-data"] * 2
    assert [each["value"] for each in page.all("input", name="slot")] == ["insurance", ""]
    assert page.one("input", name="replaces")["value"] == "id-insurance-policy"
    assert ["multiple" in each for each in page.all("input", type="file")] == [False, True]
    removing = [each["action"] for each in page.all("form") if "data-remove" in each]
    assert removing == [f"{FILES}/id-insurance-policy/remove", f"{FILES}/id--a.png/remove"]
    assert page.one("form", action="/sessions/1/tasks/papers")["method"] == "post"


def test_the_fields_before_the_file_come_first_in_the_body() -> None:
    """A streamed form is read in its order: the place must be known before the first byte."""
    page = a_page(a_file("insurance"))
    names = [each["name"] for each in page.all("input") if "name" in each]
    assert names == ["slot", "replaces", "file", "slot", "file"]


@pytest.mark.parametrize(
    ("files", "least", "said"),
    [
        ((), 0, "Still missing: Insurance."),
        ((a_file("insurance", state="infected"),), 0, "Still missing: Insurance."),
        ((a_file("insurance", state="unscannable"),), 0, "Still missing: Insurance."),
        ((a_file("insurance"),), 2, "Files so far: 1 of at least 2."),
        ((a_file("insurance"), a_file("", state="infected")), 2, "Files so far: 1 of at least 2."),
        ((a_file("insurance", state="checking"),), 1, "Everything that is needed is here."),
        ((a_file("insurance"),), 0, "Everything that is needed is here."),
    ],
)
def test_the_page_says_what_is_missing(
    files: Sequence[Mapping[str, Any]], least: int, said: str
) -> None:
    """PS-40: a file that is no good does not count."""
    assert said in a_page(*files, least=least).text


def test_a_state_is_said_in_words() -> None:
    said = {
        "ready": "Uploaded",
        "checking": "Being checked",
        "infected": "A virus was found",
        "unscannable": "too large for our virus scanner",
    }
    assert set(said) == set(UploadState)
    for state, words in said.items():
        assert words in a_page(a_file("", state=state)).text
        assert words in a_page().words[state]


def test_a_refusal_stands_at_its_place_and_at_the_top() -> None:
    page = a_page(errors={"insurance": "“x.pdf” has 6 MB.", "files": "Too many."})
    assert page.text.count("“x.pdf” has 6 MB.") == 2
    assert page.text.count("Too many.") == 2
    links = [each["href"] for each in page.all("a") if str(each["href"]).startswith("#slot-")]
    assert links == ["#slot-insurance", "#slot-files"]
    chooser = page.one("input", id="file-insurance")
    assert chooser["aria-invalid"] == "true"
    assert chooser["aria-describedby"] == "slot-insurance-limits slot-insurance-error"


@pytest.mark.parametrize("errors", [{}, {"insurance": "Too large.", "files": "Too many."}])
def test_every_reference_leads_somewhere(errors: dict[str, str]) -> None:
    page = a_page(a_file("insurance"), errors=errors)
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(set(ids)) == len(ids)
    named = ("for", "aria-describedby", "aria-labelledby")
    for _, attributes in page.elements:
        for name in named:
            assert set((attributes.get(name) or "").split()) <= set(ids)


@pytest.mark.parametrize("locale", available())
def test_the_policy_allows_all_of_it(locale: str) -> None:
    """`default-src 'none'`: no script, style or handler in the page itself, whatever is sent."""
    page = a_page(
        a_file("insurance", HOSTILE),
        errors={"files": HOSTILE},
        titles=[("insurance", HOSTILE, True), ("", "", False)],
        locale=locale,
    )
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag not in {"style", "img"}
    for script in page.all("script"):
        assert script.get("src") or script["type"] == "application/json"
    assert HOSTILE in page.text
    assert page.one("section", id="slot-insurance")["data-title"] == HOSTILE


def used_words() -> set[str]:
    scripts = "".join(each.read_text() for each in STATIC.glob("upload*.js"))
    called = re.findall(r"\bwords\(([^,)]*)", scripts)
    return {word for call in called for word in re.findall(r'"(\w+)"', call)}


def test_the_script_has_all_its_words_and_no_others() -> None:
    given = set(a_page().words) - {"kinds", *UploadState}
    assert given == used_words()


@pytest.mark.parametrize("locale", available())
def test_a_translation_keeps_what_the_script_fills_in(locale: str) -> None:
    for key, text in a_page().words.items():
        translated = a_page(locale=locale).words[key]
        assert set(re.findall(r"\{\w+\}", translated)) == set(re.findall(r"\{\w+\}", text)), key


def test_the_script_gets_the_limits_as_they_are() -> None:
    page = a_page(least=2)
    upload = page.one("div", id="upload")
    limits = ("data-files", "data-task", "data-least-files")
    assert [upload[each] for each in limits] == [FILES, "/sessions/1/tasks/papers", "2"]
    by_ending = {"pdf": 5_000_000, "png": 5_000_000, "mp4": 9_000_000}
    assert json.loads(str(upload["data-bytes"])) == by_ending
    # Named places are kept free: what is left is for further files.
    assert [each["data-most"] for each in page.all("section")] == ["1", "5"]
    assert page.words["kinds"] == "PDF or <PNG> & more"
