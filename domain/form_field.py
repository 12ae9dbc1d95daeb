"""One field of a form: the ten kinds there are, and what each may hold.

A field is written as a JSON Schema 2020-12 property; `x-ui` says what JSON Schema cannot (widget,
labels, dates' bounds, prefill). `domain/form_faults.py` refuses every other way to write one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

TEXT_MOST = 500
LONG_TEXT_MOST = 10_000
NUMBER_MOST = 10**15
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
PHONE = re.compile(r"\+[1-9]\d{6,14}")
PHONE_NOISE = re.compile(r"\(0\)|[\s().\-\u2010-\u2015/]")
COUNTRY = re.compile(r"[A-Z]{2}")


class FieldKind(StrEnum):
    """What a field asks for."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    YES_NO = "yes_no"


WIDGETS = {
    "long_text": FieldKind.LONG_TEXT,
    "phone": FieldKind.PHONE,
    "country": FieldKind.COUNTRY,
}
FORMATS = {"date": FieldKind.DATE, "email": FieldKind.EMAIL}
TYPES = {
    "number": FieldKind.NUMBER,
    "integer": FieldKind.NUMBER,
    "boolean": FieldKind.YES_NO,
    "array": FieldKind.CHOICES,
}
TYPE_OF = {
    FieldKind.NUMBER: "number",
    FieldKind.YES_NO: "boolean",
    FieldKind.CHOICES: "array",
}
# Mail addresses may be international (RFC 6531), so the wider of JSON Schema's two formats.
FORMAT_OF = {FieldKind.DATE: "date", FieldKind.EMAIL: "idn-email"}
LONGEST_OF = {
    FieldKind.TEXT: TEXT_MOST,
    FieldKind.LONG_TEXT: LONG_TEXT_MOST // 2,
    FieldKind.EMAIL: 254,  # RFC 5321 4.5.3.1.3
}


def kind_of(spec: Mapping[str, Any]) -> FieldKind | None:
    """The kind of a property, or None if its type, format or widget is none of ours."""
    named = spec.get("type")
    if named == "string":
        return _text_kind(spec)
    return TYPES.get(named) if isinstance(named, str) else None


def _text_kind(spec: Mapping[str, Any]) -> FieldKind | None:
    widget, form = hints_of(spec).get("widget"), spec.get("format")
    if widget is not None:
        return WIDGETS.get(widget) if isinstance(widget, str) else None
    if form is not None:
        return FORMATS.get(form) if isinstance(form, str) else None
    return FieldKind.CHOICE if "enum" in spec else FieldKind.TEXT


def hints_of(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `x-ui` of a schema or property; empty if there is none or it is no object."""
    hints = spec.get("x-ui")
    return hints if isinstance(hints, Mapping) else {}


def options_of(spec: Mapping[str, Any]) -> Any:
    """The values of a choice, from the property or from its items, of whatever type they are."""
    items = spec.get("items")
    return items.get("enum") if isinstance(items, Mapping) else spec.get("enum")


def day_of(text: Any) -> date | None:
    """The day that an ISO date (2026-12-31) names, or None."""
    if not isinstance(text, str) or not ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def dialled(text: str) -> str | None:
    """A phone number in E.164 (`+442079460018`), or None if it has no country code or is none."""
    digits = PHONE_NOISE.sub("", text)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    return digits if PHONE.fullmatch(digits) and digits.isascii() else None


class Option(NamedTuple):
    """One value of a choice and how it is called."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field; a limit that its kind does not have, or that was not stated, is None."""

    key: str
    kind: FieldKind
    label: str
    help: str = ""
    required: bool = False
    integer: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    pattern_message: str = ""
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: float | None = None
    earliest: date | None = None
    latest: date | None = None
    options: tuple[Option, ...] = ()
    min_items: int | None = None
    max_items: int | None = None
    default: Any = None
    prefill: str = ""
    write_back: bool = False
    autocomplete: str = ""

    @classmethod
    def of(cls, key: str, spec: Mapping[str, Any], *, required: bool) -> "Field":
        """The value of a property that has no faults and refers to nothing."""
        hints = hints_of(spec)
        kind = kind_of(spec) or FieldKind.TEXT
        return cls(
            key=key,
            kind=kind,
            label=spec["title"],
            help=spec.get("description", ""),
            required=required,
            integer=spec["type"] == "integer",
            min_length=spec.get("minLength"),
            max_length=spec.get("maxLength", LONGEST_OF.get(kind)),
            pattern=spec.get("pattern"),
            pattern_message=hints.get("pattern_message", ""),
            minimum=spec.get("minimum"),
            maximum=spec.get("maximum"),
            multiple_of=spec.get("multipleOf"),
            earliest=day_of(hints.get("min")),
            latest=day_of(hints.get("max")),
            options=_options(spec),
            min_items=spec.get("minItems"),
            max_items=spec.get("maxItems"),
            default=spec.get("default"),
            prefill=hints.get("prefill", ""),
            write_back=hints.get("write_back", False),
            autocomplete=hints.get("autocomplete", ""),
        )

    @property
    def values(self) -> tuple[str, ...]:
        """The values of its options."""
        return tuple(each.value for each in self.options)

    def json_schema(self) -> dict[str, Any]:
        """The property as a validator needs it: no references, no hints, every limit stated."""
        is_number = self.kind is FieldKind.NUMBER
        facets = {
            "type": "integer" if self.integer else TYPE_OF.get(self.kind, "string"),
            "format": FORMAT_OF.get(self.kind),
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": self.pattern,
            "minimum": -NUMBER_MOST if is_number and self.minimum is None else self.minimum,
            "maximum": NUMBER_MOST if is_number and self.maximum is None else self.maximum,
            "multipleOf": self.multiple_of,
            "enum": list(self.values) if self.kind is FieldKind.CHOICE else None,
            "items": {"enum": list(self.values)} if self.kind is FieldKind.CHOICES else None,
            "uniqueItems": True if self.kind is FieldKind.CHOICES else None,
            "minItems": self.min_items,
            "maxItems": self.max_items,
        }
        return {name: value for name, value in facets.items() if value is not None}

    def holds(self, value: Any) -> bool:
        """Whether a value is of the field's type, so that the page can show it; limits aside."""
        match self.kind:
            case FieldKind.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool)
            case FieldKind.YES_NO:
                return isinstance(value, bool)
            case FieldKind.CHOICES:
                return isinstance(value, list) and all(each in self.values for each in value)
            case FieldKind.CHOICE:
                return value in self.values
            case FieldKind.DATE:
                return day_of(value) is not None
            case _:
                return isinstance(value, str)

    def admits(self, value: Any) -> bool:
        """Whether a value is of the field's type and within its limits; patterns and mail aside."""
        if not self.holds(value):
            return False
        if self.kind is FieldKind.NUMBER:
            return within(self.minimum, value, self.maximum)
        if self.kind is FieldKind.DATE:
            return within(self.earliest, day_of(value), self.latest)
        if self.kind is FieldKind.CHOICES:
            return len(set(value)) == len(value) and within(
                self.min_items, len(value), self.max_items
            )
        return self._admits_text(value)

    def _admits_text(self, value: Any) -> bool:
        if self.kind is FieldKind.PHONE:
            return PHONE.fullmatch(value) is not None
        if self.kind is FieldKind.COUNTRY:
            return COUNTRY.fullmatch(value) is not None
        if self.kind in LONGEST_OF:
            return within(self.min_length, len(value), self.max_length)
        return True


def within(low: Any, value: Any, high: Any) -> bool:
    """Whether a value lies between two bounds, either of which may be absent."""
    return (low is None or low <= value) and (high is None or value <= high)


def _options(spec: Mapping[str, Any]) -> tuple[Option, ...]:
    labels = hints_of(spec).get("labels", {})
    return tuple(Option(value, labels.get(value, value)) for value in options_of(spec) or ())
