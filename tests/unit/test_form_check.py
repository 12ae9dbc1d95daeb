"""Checking answers: one clear message a field, naming the limit and what was sent."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import form_check
from adapters.countries import codes, country_names
from adapters.form_check import check

TEXT = {"type": "string", "title": "T"}
CHOICES = {
    "type": "array",
    "title": "C",
    "items": {"type": "string", "enum": ["a", "b", "c"]},
    "minItems": 2,
    "maxItems": 2,
}
DAY = {**TEXT, "format": "date", "x-ui": {"min": "2025-01-01", "max": "2025-12-31"}}
PHONE = {**TEXT, "x-ui": {"widget": "phone"}}
COUNTRY = {**TEXT, "x-ui": {"widget": "country"}}
YES_NO = {"type": "boolean", "title": "Y"}


def number(**facets: Any) -> dict[str, Any]:
    return {"type": "number", "title": "N", **facets}


def schema_of(spec: Mapping[str, Any], **schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"field": spec}, **schema}


def message(spec: Mapping[str, Any], value: Any) -> str | None:
    found = check(schema_of(spec), {"field": value}, str)
    assert set(found) <= {"field"}
    return found.get("field")


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        ({**TEXT, "maxLength": 120}, "x" * 131, "At most 120 characters; this has 131."),
        (TEXT, "x" * 501, "At most 500 characters; this has 501."),
        ({**TEXT, "minLength": 3}, "ab", "At least 3 characters; this has 2."),
        ({**TEXT, "pattern": "^[0-9]+$"}, "a1", "“a1” does not have the form asked for."),
        (
            {**TEXT, "pattern": "^[0-9]+$", "x-ui": {"pattern_message": "Digits only."}},
            "a1",
            "Digits only.",
        ),
        (TEXT, 5, "Write a text here."),
        (TEXT, {"a": 1}, "Write a text here."),
        (
            TEXT,
            "a\x00b",
            "This contains characters that cannot be kept, such as control characters.",
        ),
        (
            TEXT,
            "\ud800",
            "This contains characters that cannot be kept, such as control characters.",
        ),
        (number(minimum=5), 4, "At least 5; this is 4."),
        (number(maximum=5.5), 6, "At most 5.5; this is 6."),
        (number(multipleOf=0.01), 0.005, "Only multiples of 0.01; this is 0.005."),
        (number(), 10**16, "At most 1000000000000000; this is 10000000000000000."),
        (number(), "twelve", "“twelve” is not a clear number; write it such as 1200 or 1200.50."),
        (number(), True, "“True” is not a clear number; write it such as 1200 or 1200.50."),
        (number(), float("nan"), "“” is not a clear number; write it such as 1200 or 1200.50."),
        (
            number(type="integer"),
            1.5,
            "“1.5” is not a whole number; write digits only, such as 1200.",
        ),
        (DAY, "2024-12-31", "Not before 2025-01-01; this is 2024-12-31."),
        (DAY, "2026-01-01", "Not after 2025-12-31; this is 2026-01-01."),
        (
            DAY,
            "2025-02-30",
            "“2025-02-30” is not a date; write year, month, day, such as 2026-12-31.",
        ),
        (
            {**TEXT, "format": "date"},
            "0000-01-01",
            "“0000-01-01” is not a date; write year, month, day, such as 2026-12-31.",
        ),
        ({**TEXT, "enum": ["a"]}, "b", "“b” is not one of the choices."),
        (CHOICES, ["a"], "Choose at least 2; you chose 1."),
        (CHOICES, ["a", "b", "c"], "Choose at most 2; you chose 3."),
        (CHOICES, ["a", "z"], "“z” is not one of the choices."),
        (CHOICES, ["a", "a"], "Choose each option only once."),
        (CHOICES, "a", "Choose from the list."),
        (CHOICES, [["a"], ["b"]], "Choose from the list."),
        (
            {**TEXT, "format": "email"},
            "anna@",
            "“anna@” is not a mail address; write it such as anna@example.com.",
        ),
        (
            {**TEXT, "format": "email"},
            "Anna <anna@example.com>",
            "“Anna <anna@example.com>” is not a mail address; write it such as anna@example.com.",
        ),
        (
            PHONE,
            "020 7946",
            "“020 7946” is not a phone number such as +44 20 7946 0018.",
        ),
        (COUNTRY, "XX", "“XX” is not a country of the list."),
        (YES_NO, "maybe", "Choose yes or no."),
        (TEXT | {"enum": ["a"]}, "x" * 50, f"“{'x' * 40}…” is not one of the choices."),
    ],
)
def test_a_refused_answer_says_the_limit_and_what_was_sent(
    spec: dict[str, Any], value: Any, expected: str
) -> None:
    assert message(spec, value) == expected


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({**TEXT, "maxLength": 3}, "🦊🦊🦊"),
        ({**TEXT, "x-ui": {"widget": "long_text"}}, "one\n\ttwo" * 500),
        ({**TEXT, "pattern": "^[0-9]+$"}, "123"),
        (number(multipleOf=0.01, minimum=0), 19.99),
        (number(multipleOf=0.01), 1234567.89),
        (number(minimum=5, maximum=5), 5),
        (number(type="integer"), -7),
        (DAY, "2025-01-01"),
        (DAY, "2025-12-31"),
        ({**TEXT, "enum": ["a"]}, "a"),
        (CHOICES, ["c", "a"]),
        ({**TEXT, "format": "email"}, "anna@example.com"),
        ({**TEXT, "format": "email"}, "jörg@bücher.example"),
        (PHONE, "+442079460018"),
        (COUNTRY, "PT"),
        (YES_NO, False),
        (TEXT, ""),
        (TEXT, None),
    ],
)
def test_an_answer_within_the_limits_is_accepted(spec: dict[str, Any], value: Any) -> None:
    assert message(spec, value) is None


@pytest.mark.parametrize("values", [{}, {"field": None}, {"field": ""}, {"field": " \n"}])
def test_a_needed_answer_may_not_be_blank(values: dict[str, Any]) -> None:
    schema = schema_of(TEXT, required=["field"])

    assert check(schema, values, str) == {"field": "This answer is needed."}


def test_an_empty_list_is_no_answer() -> None:
    schema = schema_of({**CHOICES, "minItems": 0}, required=["field"])

    assert check(schema, {"field": []}, str) == {"field": "This answer is needed."}


def test_no_is_an_answer_and_so_is_zero() -> None:
    properties = {"yes": YES_NO, "count": number()}
    schema = {"type": "object", "properties": properties, "required": ["yes", "count"]}

    assert check(schema, {"yes": False, "count": 0}, str) == {}


def test_what_a_form_does_not_ask_for_is_refused() -> None:
    values = {"field": "x", "role": "admin", "\ud800": "y"}

    assert check(schema_of(TEXT), values, str) == {
        "role": "This form does not ask for this.",
        "?": "This form does not ask for this.",
    }


def test_messages_come_in_the_order_of_the_page_and_in_its_language() -> None:
    sections = [{"title": "S", "fields": ["b", "a"]}]
    schema = {
        "type": "object",
        "properties": {"a": TEXT, "b": TEXT},
        "required": ["a", "b"],
        "x-ui": {"sections": sections},
    }

    found = check(schema, {}, lambda text: f"de:{text}")

    assert list(found.items()) == [
        ("b", "de:This answer is needed."),
        ("a", "de:This answer is needed."),
    ]


def test_a_form_is_compiled_once() -> None:
    schema = schema_of({**TEXT, "maxLength": 77})
    check(schema, {}, str)
    before = form_check._compiled.cache_info()
    check(schema_of({**TEXT, "maxLength": 77}), {}, str)
    after = form_check._compiled.cache_info()

    assert (after.hits - before.hits, after.misses - before.misses) == (1, 0)


def test_a_pattern_cannot_be_made_slow() -> None:
    spec = {**TEXT, "pattern": "^(a+)+$", "maxLength": 10_000}

    assert message(spec, "a" * 9_999 + "!") is not None


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({**TEXT, "pattern": "(a{1000}){1000}"}, "/schema/properties/field/pattern"),
        ({**TEXT, "pattern": "^[0-9]$", "default": "x"}, "/schema/properties/field/default"),
        ({**COUNTRY, "default": "XX"}, "/schema/properties/field/default"),
        ({**TEXT, "format": "email", "default": "x"}, "/schema/properties/field/default"),
    ],
)
def test_what_only_the_validator_can_tell_is_a_fault_too(
    spec: dict[str, Any], pointer: str
) -> None:
    faults = form_check.faults_of({"title": "F", "schema": schema_of(spec)})

    assert [each.pointer for each in faults] == [pointer]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SPECS: list[dict[str, Any]] = [
    TEXT,
    number(),
    DAY,
    CHOICES,
    PHONE,
    COUNTRY,
    YES_NO,
    {**TEXT, "format": "email"},
]


@given(spec=st.sampled_from(SPECS), value=JSON)
def test_any_json_gets_an_answer(spec: dict[str, Any], value: Any) -> None:
    found = message(spec, value)

    assert found is None or (found and found.isprintable())


@given(spec=st.sampled_from(SPECS), digits=st.integers(min_value=400, max_value=4000))
def test_enormous_numbers_get_an_answer(spec: dict[str, Any], digits: int) -> None:
    assert message(spec, 10**digits)


def test_countries_are_those_of_iso_3166_in_the_order_of_the_language() -> None:
    assert len(codes()) == 249
    assert all(re.fullmatch("[A-Z]{2}", each) for each in codes())
    german = [name for _, name in country_names("de-AT")]
    assert german[:3] == ["Afghanistan", "Ägypten", "Ålandinseln"]
    assert dict(country_names("no such language")) == dict(country_names("en"))
    assert {code for code, _ in country_names("pt")} == codes()
