"""What may be wrong with one field: its kind, its limits, its options, its pattern, its default."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.definition import Reader
from domain.form_field import (
    FORMATS,
    LONG_TEXT_MOST,
    LONGEST_OF,
    NUMBER_MOST,
    TYPES,
    WIDGETS,
    Field,
    FieldKind,
    day_of,
    hints_of,
    kind_of,
    options_of,
)
from domain.form_pattern import pattern_fault

MOST_OPTIONS = 300
LONGEST_OPTION = 200
LONGEST_HELP = 1000
LONGEST_TITLE = 200
ROUNDING = 1e-9
LEAST_STEP = 1e-9
"""Numbers up to 10^15 divided by less are none that can be counted with."""
AUTOCOMPLETE = frozenset(
    {
        "name",
        "given-name",
        "additional-name",
        "family-name",
        "honorific-prefix",
        "nickname",
        "email",
        "tel",
        "organization",
        "organization-title",
        "street-address",
        "address-line1",
        "address-line2",
        "address-line3",
        "address-level1",
        "address-level2",
        "postal-code",
        "country",
        "country-name",
        "bday",
        "sex",
        "url",
        "language",
        "off",
    }
)
EVERY_KIND = frozenset({"type", "title", "description", "default", "x-ui"})
EVERY_HINT = frozenset({"prefill", "write_back", "autocomplete"})
KEYWORDS = {
    FieldKind.TEXT: "minLength maxLength pattern",
    FieldKind.LONG_TEXT: "minLength maxLength",
    FieldKind.NUMBER: "minimum maximum multipleOf",
    FieldKind.DATE: "format",
    FieldKind.CHOICE: "enum",
    FieldKind.CHOICES: "items uniqueItems minItems maxItems",
    FieldKind.EMAIL: "format minLength maxLength",
    FieldKind.PHONE: "",
    FieldKind.COUNTRY: "",
    FieldKind.YES_NO: "",
}
HINTS = {
    FieldKind.TEXT: "pattern_message",
    FieldKind.LONG_TEXT: "widget",
    FieldKind.DATE: "min max",
    FieldKind.CHOICE: "labels",
    FieldKind.CHOICES: "labels",
    FieldKind.PHONE: "widget",
    FieldKind.COUNTRY: "widget",
}
# Checks the members of an object; the reader of the whole form knows what to say of references.
Only = Callable[[Reader, Mapping[str, Any], Iterable[str], str], None]


def check_spec(read: Reader, spec: Mapping[str, Any], at: str, only: Only) -> None:
    """Names every fault of a property or definition that refers to nothing."""
    before = len(read.faults)
    read.text(spec, "title", at, optional=True, longest=LONGEST_TITLE)
    read.text(spec, "description", at, optional=True, longest=LONGEST_HELP)
    if not isinstance(spec.get("x-ui", {}), Mapping):
        read.fault(f"{at}/x-ui", "must be an object")
    kind = kind_of(spec)
    if kind is None:
        _name_unknown_kind(read, spec, at)
        return
    only(read, spec, EVERY_KIND | set(KEYWORDS[kind].split()), at)
    only(read, hints_of(spec), EVERY_HINT | set(HINTS.get(kind, "").split()), f"{at}/x-ui")
    _check_autocomplete(read, spec, f"{at}/x-ui/autocomplete")
    if kind in CHECKS:
        CHECKS[kind](read, spec, at)
    if len(read.faults) == before:
        _check_default(read, spec, f"{at}/default")


def _name_unknown_kind(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    """Says which of type, widget and format is none of ours."""
    hints = hints_of(spec)
    read.one_of(spec, "type", ["string", *TYPES], at)
    if spec.get("type") == "string" and "widget" in hints:
        read.one_of(hints, "widget", list(WIDGETS), f"{at}/x-ui")
    elif spec.get("type") == "string":
        read.one_of(spec, "format", list(FORMATS), at)


def _check_autocomplete(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    token = hints_of(spec).get("autocomplete", "off")
    if not isinstance(token, str) or token not in AUTOCOMPLETE:
        read.fault(at, f"must be an autofill token of HTML, such as 'organization', got {token!r}")


def _check_text(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    longest = {"maxLength": LONGEST_OF[kind_of(spec) or FieldKind.TEXT], **spec}
    _check_counts(read, longest, ("minLength", "maxLength"), LONG_TEXT_MOST, at)
    if reason := pattern_fault(spec.get("pattern", "")):
        read.fault(f"{at}/pattern", reason)
    read.text(hints_of(spec), "pattern_message", f"{at}/x-ui", optional=True)


def _check_counts(
    read: Reader, spec: Mapping[str, Any], names: tuple[str, str], most: int, at: str
) -> None:
    least, greatest = names
    low = read.number({least: 0, **spec}, least, at, low=0, high=most)
    high = read.number({greatest: most, **spec}, greatest, at, low=1, high=most)
    if low is not None and high is not None and low > high:
        read.fault(f"{at}/{least}", f"{low} is more than {greatest}, which is {high}")


def _check_number(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    names = [each for each in ("minimum", "maximum", "multipleOf") if each in spec]
    wrong = [each for each in names if not _is_number(spec[each], spec["type"])]
    for name in wrong:
        read.fault(f"{at}/{name}", f"must be {_number_words(spec['type'])}, got {spec[name]!r}")
    if wrong:
        return
    low, high = spec.get("minimum", -NUMBER_MOST), spec.get("maximum", NUMBER_MOST)
    if low > high:
        read.fault(f"{at}/minimum", f"{low} is more than maximum, which is {high}")
        return
    _check_step(read, spec, low, high, f"{at}/multipleOf")


def _check_step(read: Reader, spec: Mapping[str, Any], low: float, high: float, at: str) -> None:
    step = spec.get("multipleOf", 1 if spec["type"] == "integer" else None)
    if step is None:
        return
    if step < LEAST_STEP:
        read.fault(at, f"must be {LEAST_STEP:.9f} at least, got {step}")
    elif math.floor(high / step + ROUNDING) < math.ceil(low / step - ROUNDING):
        read.fault(at, f"there is no multiple of {step} from {low} to {high}")


def _is_number(value: Any, named: str) -> bool:
    types = int if named == "integer" else (int, float)
    return isinstance(value, types) and not isinstance(value, bool) and abs(value) <= NUMBER_MOST


def _number_words(named: str) -> str:
    return f"a {'whole ' if named == 'integer' else ''}number from -10^15 to 10^15"


def _check_date(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    hints = hints_of(spec)
    days = {name: day_of(hints[name]) for name in ("min", "max") if name in hints}
    for name, day in days.items():
        if day is None:
            read.fault(
                f"{at}/x-ui/{name}", f"must be a date such as 2026-12-31, got {hints[name]!r}"
            )
    low, high = days.get("min"), days.get("max")
    if low and high and low > high:
        read.fault(f"{at}/x-ui/min", f"{low} is after max, which is {high}")


def _check_choice(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    place = f"{at}/items/enum" if "items" in spec else f"{at}/enum"
    values = options_of(spec)
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_OPTIONS:
        read.fault(place, f"must be a list of 1 to {MOST_OPTIONS} options")
        return
    for index, value in enumerate(values):
        if not isinstance(value, str) or not _is_option(value):
            read.fault(f"{place}/{index}", "must be a text without space at its ends, 200 at most")
    read.unique([each for each in values if isinstance(each, str)], place)
    _check_labels(read, spec, values, f"{at}/x-ui/labels")


def _is_option(value: str) -> bool:
    return value == value.strip() and 1 <= len(value) <= LONGEST_OPTION


def _check_labels(read: Reader, spec: Mapping[str, Any], values: list[Any], at: str) -> None:
    labels = hints_of(spec).get("labels", {})
    if not isinstance(labels, Mapping):
        read.fault(at, "must be an object from value to label")
        return
    for value in labels:
        read.known(value, values, f"{at}/{value}", "option")
        read.text(labels, value, at, longest=LONGEST_OPTION)


def _check_choices(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    items = spec.get("items")
    if not isinstance(items, Mapping) or items.get("type") != "string":
        read.fault(f"{at}/items", 'must be {"type": "string", "enum": [options]}')
        return
    read.only(items, {"type", "enum"}, f"{at}/items")
    if spec.get("uniqueItems", True) is not True:
        read.fault(f"{at}/uniqueItems", "must be true: an option is chosen or not")
    _check_choice(read, spec, at)
    values = options_of(spec)
    most = len(values) if isinstance(values, list) and values else MOST_OPTIONS
    _check_counts(read, spec, ("minItems", "maxItems"), most, at)


def _check_default(read: Reader, spec: Mapping[str, Any], at: str) -> None:
    if "default" not in spec:
        return
    field = Field.of("field", {"title": "", **spec}, required=False)
    if not field.admits(spec["default"]):
        read.fault(at, f"is not an answer that this field accepts: {spec['default']!r}")


# Phone, country and yes/no have no limits of their own.
CHECKS = {
    FieldKind.TEXT: _check_text,
    FieldKind.LONG_TEXT: _check_text,
    FieldKind.EMAIL: _check_text,
    FieldKind.NUMBER: _check_number,
    FieldKind.DATE: _check_date,
    FieldKind.CHOICE: _check_choice,
    FieldKind.CHOICES: _check_choices,
}
