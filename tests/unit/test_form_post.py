"""What a browser posts becomes JSON values; what cannot be read stays as it was typed."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from adapters.form_check import check
from api.form_post import values_from
from domain.form import Form

PROPERTIES: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "title": "T"},
    "long": {"type": "string", "title": "L", "x-ui": {"widget": "long_text"}},
    "number": {"type": "number", "title": "N"},
    "integer": {"type": "integer", "title": "I"},
    "choices": {"type": "array", "title": "C", "items": {"type": "string", "enum": ["a", "b"]}},
    "yes": {"type": "boolean", "title": "Y"},
    "phone": {"type": "string", "title": "P", "x-ui": {"widget": "phone"}},
    "country": {"type": "string", "title": "C", "x-ui": {"widget": "country"}},
    "day": {"type": "string", "title": "D", "format": "date"},
}
FORM = Form.of({"title": "F", "schema": {"type": "object", "properties": PROPERTIES}})


def read(*posted: tuple[str, str]) -> dict[str, Any]:
    return values_from(FORM, posted)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("12", 12),
        (" 12.50 ", 12.5),
        ("12,5", 12.5),
        ("0,500", 0.5),
        ("-3", -3),
        ("\u22123,5", -3.5),
        ("+7", 7),
        ("1 234,5", 1234.5),
        ("1\u202f234\u00a0567", 1234567),
        ("1'234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1,234.50", 1234.5),
        ("1.234.567", 1234567),
        ("1,234,567", 1234567),
        ("1,234,567.8", 1234567.8),
        ("1.234", 1.234),
        ("1,234", "1,234"),
        ("1,23,456", "1,23,456"),
        ("1.2.3", "1.2.3"),
        ("1.234,567.8", "1.234,567.8"),
        ("twelve", "twelve"),
        ("€ 12", "€ 12"),
        ("1e9", "1e9"),
        ("nan", "nan"),
        ("١٢", "١٢"),
        ("9" * 31, "9" * 31),
    ],
)
def test_numbers_are_read_as_people_write_them_and_never_guessed(typed: str, expected: Any) -> None:
    values = read(("number", typed))

    assert values == {"number": expected}
    assert type(values["number"]) is type(expected)
    assert bool(check(FORM.schema, values, str)) is isinstance(expected, str)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("1,234", 1234), ("1.234", 1234), ("12,0", 12), ("12.5", 12.5), ("0", 0)],
)
def test_where_only_a_whole_number_may_stand_a_group_is_a_group(typed: str, expected: Any) -> None:
    values = read(("integer", typed))

    assert values == {"integer": expected}
    assert type(values["integer"]) is type(expected)


@pytest.mark.parametrize("name", [*PROPERTIES])
@pytest.mark.parametrize("blank", ["", "  ", "\r\n"])
def test_an_empty_answer_is_absent(name: str, blank: str) -> None:
    assert read((name, blank)) == {}


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        ("text", "  Anna  ", "Anna"),
        ("text", "one\r\ntwo", "one two"),
        ("long", " one\r\n\r\ntwo\rthree \n", "one\n\ntwo\nthree"),
        ("yes", "yes", True),
        ("yes", "no", False),
        ("yes", "on", "on"),
        ("phone", "+44 20 7946-0018", "+442079460018"),
        ("phone", "020 7946 0018", "020 7946 0018"),
        ("country", "pt", "PT"),
        ("day", "2025-01-31", "2025-01-31"),
    ],
)
def test_each_kind_is_read_in_its_own_way(name: str, typed: str, expected: Any) -> None:
    values = read((name, typed))

    assert values == {name: expected}
    assert type(values[name]) is type(expected)


def test_boxes_are_a_list_and_of_anything_else_the_last_counts() -> None:
    posted = (("choices", "a"), ("text", "one"), ("choices", "b"), ("text", "two"))

    assert read(*posted) == {"choices": ["a", "b"], "text": "two"}


def test_the_pages_own_names_are_left_out_and_unknown_ones_are_refused_later() -> None:
    values = read(("_fence", "3"), ("role", "admin"), ("text", "x"))

    assert values == {"role": "admin", "text": "x"}
    assert set(check(FORM.schema, values, str)) == {"role"}


def test_a_whole_post_is_accepted() -> None:
    answers = [("text", "ž"), ("number", "1,5"), ("choices", "a"), ("yes", "no"), ("country", "")]
    values = values_from(FORM, parse_qsl(urlencode(answers), keep_blank_values=True))

    assert values == {"text": "ž", "number": 1.5, "choices": ["a"], "yes": False}
    assert check(FORM.schema, values, str) == {}


def test_nul_stays_and_is_refused_by_the_check() -> None:
    values = read(("text", "a\x00b"))

    assert "text" in check(FORM.schema, values, str)
