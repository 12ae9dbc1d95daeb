"""What a signer enters into an agreement's fields: what fits, and what is said of the rest."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.agreement_field import MARKS, AgreementField, FieldKind

LONGEST_TEXT = 500
LONGEST_TYPED = 80
MOST_STROKES = 300
MOST_POINTS = 5_000
TALLEST = 2.0

_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
"""The Hangul fillers: letters by their category that show nothing (UAX 44, default ignorable)."""

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Answers:
    """The values that fit, by field, and for each other field why its value does not."""

    values: dict[str, Any]
    errors: dict[str, str]


def read_answers(
    fields: Iterable[AgreementField], posted: Mapping[str, Any], _: Translate, *, whole: bool
) -> Answers:
    """The answers in `posted`; what is missing is a fault only where they must be `whole`."""
    found = Answers({}, {})
    for each in fields:
        value = posted.get(each.key)
        if _is_empty(each, value):
            if whole and each.required:
                found.errors[each.key] = _missing(each, _)
        elif fault := _fault(each, value, _):
            found.errors[each.key] = fault
        else:
            found.values[each.key] = value
    return found


def _is_empty(field: AgreementField, value: Any) -> bool:
    if field.kind in MARKS:
        return not isinstance(value, Mapping) or not (
            value.get("strokes") or str(value.get("typed", "")).strip()
        )
    return value in {None, "", False} if not isinstance(value, list | dict) else False


def _missing(field: AgreementField, _: Translate) -> str:
    texts = {
        FieldKind.TEXT: _("Fill in “%(label)s”."),
        FieldKind.DATE: _("Enter a date for “%(label)s”."),
        FieldKind.CHECKBOX: _("Tick “%(label)s”."),
        FieldKind.INITIALS: _("Put your initials at “%(label)s”."),
        FieldKind.SIGNATURE: _("Sign at “%(label)s”."),
    }
    return texts[field.kind] % {"label": field.label}


def _fault(field: AgreementField, value: Any, _: Translate) -> str:
    return _FAULTS[field.kind](field, value, _)


def _text_fault(field: AgreementField, value: Any, _: Translate) -> str:
    if isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable():
        return ""
    text = _("“%(label)s” takes one line of at most %(most)s characters.")
    return text % {"label": field.label, "most": LONGEST_TEXT}


def _date_fault(field: AgreementField, value: Any, _: Translate) -> str:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return _("“%(label)s” takes a date, such as 2026-05-31.") % {"label": field.label}
    return ""


def _checkbox_fault(field: AgreementField, value: Any, _: Translate) -> str:
    if value is True:
        return ""
    return _("“%(label)s” is either ticked or not.") % {"label": field.label}


def _mark_fault(field: AgreementField, value: Any, _: Translate) -> str:
    typed = value.get("typed", "")
    named = {"label": field.label}
    if not isinstance(typed, str) or len(typed) > LONGEST_TYPED or not typed.isprintable():
        text = _("The name typed at “%(label)s” may have at most %(most)s characters.")
        return text % {**named, "most": LONGEST_TYPED}
    if typed.strip() and not any(map(_is_shown, typed)):
        return _("The name typed at “%(label)s” needs a letter or a digit.") % named
    if not is_drawing(value):
        return _("What was drawn at “%(label)s” could not be read. Please sign again.") % named
    return ""


def _is_shown(character: str) -> bool:
    """A letter or digit of any script, and not one of those that are blank."""
    return unicodedata.category(character)[0] in "LN" and character not in _BLANK_LETTERS


def is_drawing(value: Mapping[str, Any]) -> bool:
    """Whether what a mark says of its strokes, if it has any, can be drawn."""
    is_tall = _is_number(value.get("ratio", 0.4), 0.05, TALLEST)
    return is_tall and _are_strokes(value.get("strokes", []))


def _are_strokes(strokes: Any) -> bool:
    if not isinstance(strokes, list) or len(strokes) > MOST_STROKES:
        return False
    if not all(isinstance(each, list) and each for each in strokes):
        return False
    points = [point for each in strokes for point in each]
    return len(points) <= MOST_POINTS and all(map(_is_point, points))


def _is_point(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return _is_number(value[0], -0.05, 1.05) and _is_number(value[1], -0.05, TALLEST)


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


_FAULTS: Mapping[FieldKind, Callable[[AgreementField, Any, Translate], str]] = {
    FieldKind.TEXT: _text_fault,
    FieldKind.DATE: _date_fault,
    FieldKind.CHECKBOX: _checkbox_fault,
    FieldKind.INITIALS: _mark_fault,
    FieldKind.SIGNATURE: _mark_fault,
}
