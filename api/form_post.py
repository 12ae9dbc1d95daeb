"""Turns the post of an HTML form into the JSON values that are checked and kept.

What cannot be read stays as it was typed, so that the check says so and the page shows it again.
Names that begin with `_` belong to the page itself (`_fence`, `_csrf`), never to a form.
"""

import re
from collections.abc import Sequence
from typing import Any

from domain.document import newlines_unified
from domain.form import Field, Form
from domain.form_field import FieldKind, dialled

YES_NO = {"yes": True, "no": False}
SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’_]")
PLAIN = re.compile(r"-?\d+(\.\d+)?")
GROUPED = re.compile(r"-?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*")
GROUPED_WITH_DECIMALS = re.compile(r"(-?[1-9]\d{0,2}(?:([.,])\d{3})+)(?!\2)[.,](\d+)")
DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
MOST_DIGITS = 30


def values_from(form: Form, posted: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The answers by field key; a field without an answer is absent, an unknown name is kept.

    `posted` are the pairs in the order of the body, as `parse_qsl` or starlette's `multi_items`
    give them.
    """
    sent: dict[str, list[str]] = {}
    for name, value in posted:
        if not name.startswith("_"):
            sent.setdefault(name, []).append(value)
    fields = {each.key: each for each in form.fields}
    read = {
        name: _value(fields[name], values) if name in fields else values[-1]
        for name, values in sent.items()
    }
    return {name: value for name, value in read.items() if value not in ("", [])}


def _value(field: Field, values: Sequence[str]) -> Any:
    if field.kind is FieldKind.CHOICES:
        return [each.strip() for each in values if each.strip()]
    return _single(field, newlines_unified(values[-1]).strip())


def _single(field: Field, text: str) -> Any:
    match field.kind:
        case FieldKind.NUMBER:
            return _number(text, integer=field.integer)
        case FieldKind.YES_NO:
            return YES_NO.get(text, text)
        case FieldKind.PHONE:
            return dialled(text) or text
        case FieldKind.COUNTRY:
            return text.upper()
        case FieldKind.LONG_TEXT:
            return text
        case _:
            return text.replace("\n", " ")


def _number(text: str, *, integer: bool) -> int | float | str:
    """The number that was typed, or the text itself where it is none or could be two.

    `1.234,50`, `1,234.50`, `1 234,5` and `12,5` can only be read in one way. `1,234` can be read
    in two, and a factor of a thousand is not guessed, except where only a whole number may stand.
    """
    compact = SPACES.sub("", text).replace("\u2212", "-").removeprefix("+")
    if not compact.isascii() or len(compact) > MOST_DIGITS:
        return text
    plain = _plain(compact, integer=integer)
    if not PLAIN.fullmatch(plain):
        return text
    if "." not in plain:
        return int(plain)
    number = float(plain)
    return int(number) if integer and number.is_integer() else number


def _plain(compact: str, *, integer: bool) -> str:
    """The number with a decimal point and nothing else, if it can only be read so."""
    if found := GROUPED_WITH_DECIMALS.fullmatch(compact):
        return f"{found[1].replace(found[2], '')}.{found[3]}"
    if found := GROUPED.fullmatch(compact):
        is_clear = integer or compact.count(found[1]) > 1
        return compact.replace(found[1], "") if is_clear else compact
    return compact.replace(",", ".") if DECIMAL_COMMA.fullmatch(compact) else compact
