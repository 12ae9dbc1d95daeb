from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agreement_answers import (
    LONGEST_TEXT,
    LONGEST_TYPED,
    MOST_POINTS,
    MOST_STROKES,
    read_answers,
)
from domain.agreement_field import AgreementField, FieldKind


def field(kind: FieldKind, *, required: bool = True) -> AgreementField:
    return AgreementField("it", kind, 1, "It", 1, 0.1, 0.1, 0.2, 0.1, required)


def fault(kind: FieldKind, value: Any, *, required: bool = True, whole: bool = True) -> str:
    found = read_answers([field(kind, required=required)], {"it": value}, str, whole=whole)
    assert ("it" in found.values) + ("it" in found.errors) <= 1
    return found.errors.get("it", "")


POINT = [0.5, 0.5]
NAMES = ("Zoë", "Zoe\u0308", "علي", "नितिन", "李小龍", "김철수", "สมชาย", "אברהם", "Ⅳ", "٣", "𞤀𞤣")
BLANK = (
    "\u0301", "\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\ufe0f", "-", "\u0301 \u3164.",
)  # fmt: skip
"""Typed, and nothing or hardly anything to be seen: accents, fillers, an empty braille cell."""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.TEXT, "CEO"),
        (FieldKind.TEXT, "é" * LONGEST_TEXT),
        (FieldKind.DATE, "2026-05-31"),
        (FieldKind.CHECKBOX, True),
        (FieldKind.SIGNATURE, {"typed": "Anna Ω"}),
        (FieldKind.SIGNATURE, {"typed": "x" * LONGEST_TYPED}),
        *((FieldKind.SIGNATURE, {"typed": name}) for name in NAMES),
        (FieldKind.INITIALS, {"strokes": [[POINT, [1.05, 2]]], "ratio": 2}),
        (FieldKind.INITIALS, {"strokes": [[POINT]] * MOST_STROKES}),
        (FieldKind.INITIALS, {"strokes": [[POINT] * MOST_POINTS]}),
    ],
)
def test_what_fits(kind: FieldKind, value: Any) -> None:
    found = read_answers([field(kind)], {"it": value}, str, whole=True)
    assert (found.values, found.errors) == ({"it": value}, {})


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (FieldKind.TEXT, "x" * (LONGEST_TEXT + 1), "500 characters"),
        (FieldKind.TEXT, "two\nlines", "one line"),
        (FieldKind.TEXT, 7, "one line"),
        (FieldKind.TEXT, ["x"], "one line"),
        (FieldKind.DATE, "31.5.2026", "takes a date"),
        (FieldKind.DATE, 20260531, "takes a date"),
        (FieldKind.CHECKBOX, "yes", "ticked or not"),
        (FieldKind.SIGNATURE, {"typed": "x" * (LONGEST_TYPED + 1)}, "at most 80"),
        (FieldKind.SIGNATURE, {"typed": "a\x00"}, "at most 80"),
        (FieldKind.SIGNATURE, {"typed": ["x"]}, "at most 80"),
        *((FieldKind.INITIALS, {"typed": each}, "a letter or a digit") for each in BLANK),
        (FieldKind.SIGNATURE, {"strokes": "x"}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": ["x"]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[POINT]] * (MOST_STROKES + 1)}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[POINT] * (MOST_POINTS + 1)]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[[0.5]]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [["x"]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[[2, 0.5]]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[[0.5, 9]]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[[True, 0.5]]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[[float("nan"), 0.5]]]}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[POINT]], "ratio": 0}, "could not be read"),
        (FieldKind.SIGNATURE, {"strokes": [[POINT]], "ratio": "x"}, "could not be read"),
    ],
)
def test_what_does_not_fit_is_named_with_its_limit(kind: FieldKind, value: Any, words: str) -> None:
    assert words in fault(kind, value)
    assert words in fault(kind, value, whole=False)


EMPTY: tuple[tuple[FieldKind, Any, str], ...] = (
    (FieldKind.TEXT, "", "Fill in"),
    (FieldKind.TEXT, None, "Fill in"),
    (FieldKind.DATE, "", "Enter a date"),
    (FieldKind.CHECKBOX, False, "Tick"),
    (FieldKind.INITIALS, {"typed": " "}, "initials"),
    (FieldKind.SIGNATURE, {}, "Sign at"),
    (FieldKind.SIGNATURE, "x", "Sign at"),
)


@pytest.mark.parametrize(("kind", "value", "words"), EMPTY)
def test_what_is_missing_is_a_fault_only_where_all_must_be_there(
    kind: FieldKind, value: Any, words: str
) -> None:
    assert words in fault(kind, value)
    assert fault(kind, value, required=False) == ""
    assert fault(kind, value, whole=False) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["typed", "strokes", "ratio", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.sampled_from(FieldKind), JSON, st.booleans())
def test_nothing_that_is_sent_breaks_it(kind: FieldKind, value: Any, whole: bool) -> None:
    fault(kind, value, whole=whole)
