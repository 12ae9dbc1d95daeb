"""Whatever a field takes is written into it, however small the field is: nobody signs in vain."""

import sys
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.pdf_filled import filled
from domain.agreement_answers import LONGEST_TEXT, LONGEST_TYPED
from domain.agreement_draft import LEAST_SIDE
from domain.agreement_field import FieldKind, Mark
from domain.paper import SMALLEST_SIDE
from tests.unit.test_pdf_filled import Box, assert_inside, blank, field, ink, words

WIDEST = "\u0bf5"
"""Twice as wide as its size, in the font that has it."""
PRINTABLE = "".join(each for each in map(chr, range(sys.maxunicode + 1)) if each.isprintable())
LETTERS = st.sampled_from(PRINTABLE) | st.sampled_from(f"W {WIDEST}‱上שم")
FEW = settings(
    max_examples=settings().max_examples // 3,
    suppress_health_check=[HealthCheck.too_slow],
)
SIDES = st.floats(LEAST_SIDE, 1) | st.floats(LEAST_SIDE, 0.05)


def answer_of(kind: FieldKind, text: str) -> str | Mark:
    return Mark(typed=text) if kind is FieldKind.SIGNATURE else text


@FEW
@given(
    st.sampled_from([FieldKind.TEXT, FieldKind.SIGNATURE]),
    st.text(LETTERS, min_size=1, max_size=LONGEST_TYPED),
    SIDES,
    SIDES,
    st.sampled_from([(595, 842), (SMALLEST_SIDE, SMALLEST_SIDE), (2000, 300)]),
)
@example(FieldKind.TEXT, "W", 0.02, 0.03, (595, 842))
@example(FieldKind.TEXT, WIDEST, LEAST_SIDE, LEAST_SIDE, (SMALLEST_SIDE, SMALLEST_SIDE))
@example(FieldKind.SIGNATURE, WIDEST * LONGEST_TYPED, 0.04, 0.03, (595, 842))
@example(FieldKind.SIGNATURE, "W" * LONGEST_TYPED, LEAST_SIDE, LEAST_SIDE, (36, 36))
def test_any_text_is_filled_into_any_field(
    kind: FieldKind, text: str, width: float, height: float, size: tuple[float, float]
) -> None:
    """One letter in a narrow field: all had signed, and it could not be sealed nor cancelled."""
    place = (0.0, 0.0, width, height)
    filled(blank(size=size), [field(kind, place)], {"f": answer_of(kind, text)})


@pytest.mark.parametrize(
    "place", [(0.3, 0.4, 0.02, 0.03), (0.3, 0.4, 0.04, 0.03), (0.5, 0.5, LEAST_SIDE, LEAST_SIDE)]
)
@pytest.mark.parametrize("kind", [FieldKind.TEXT, FieldKind.SIGNATURE])
@pytest.mark.parametrize("text", ["W", WIDEST, "上", "שلوم", "WW WW", "x" * 12])
def test_a_small_field_shows_all_of_it_and_nothing_beside_it(
    text: str, kind: FieldKind, place: Box
) -> None:
    out = filled(blank(), [field(kind, place)], {"f": answer_of(kind, text)})
    assert sorted(words(out).replace(" ", "")) == sorted(text.replace(" ", ""))
    assert_inside(ink(out), place)


@pytest.mark.parametrize("text", [WIDEST, "\U0001f9fe", "W", "上", "அ", "క"])
@pytest.mark.parametrize("place", [(0, 0, LEAST_SIDE, LEAST_SIDE), (0, 0, LEAST_SIDE, 1)])
def test_the_longest_text_is_filled_in_seconds(text: str, place: Box) -> None:
    since = time.process_time()
    out = filled(blank(), [field(FieldKind.TEXT, place)], {"f": text * LONGEST_TEXT})
    assert time.process_time() - since < 10
    shown = "[U+1F9FE]" if text == "\U0001f9fe" else text
    assert words(out).replace(" ", "") == shown * LONGEST_TEXT
