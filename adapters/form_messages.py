"""What a person reads when an answer is not accepted: the limit, and what was sent."""

from collections.abc import Callable
from typing import Any

from domain.form import Field
from domain.form_field import FieldKind, day_of

Translate = Callable[[str], str]
LONGEST_QUOTE = 40


def unreadable(_: Translate) -> str:
    """For control characters and broken Unicode."""
    return _("This contains characters that cannot be kept, such as control characters.")


def wrong_type(field: Field, value: Any, _: Translate) -> str:
    """For an answer that is not of the field's type, such as letters in a number."""
    sent = {"sent": _quoted(value)}
    match field.kind:
        case FieldKind.NUMBER if field.integer:
            return _("“%(sent)s” is not a whole number; write digits only, such as 1200.") % sent
        case FieldKind.NUMBER:
            return _("“%(sent)s” is not a clear number; write it such as 1200 or 1200.50.") % sent
        case FieldKind.YES_NO:
            return _("Choose yes or no.")
        case FieldKind.CHOICES:
            return _("Choose from the list.")
        case _:
            return _("Write a text here.")


def broken(field: Field, keyword: str, value: Any, _: Translate) -> str:
    """For an answer that breaks a rule of JSON Schema; `keyword` is that rule's."""
    match keyword:
        case "minLength" | "maxLength":
            return _length(field, keyword, len(value), _)
        case "minimum" | "maximum" | "multipleOf":
            return _size(field, keyword, value, _)
        case "minItems" | "maxItems" | "uniqueItems":
            return _count(field, keyword, len(value), _)
        case "enum":
            return _choice(field, value, _)
        case "pattern" | "format":
            return _shape(field, value, _)
        case _:
            return wrong_type(field, value, _)


def beyond(field: Field, value: Any, _: Translate) -> str:
    """For an answer that JSON Schema accepts and its kind does not."""
    sent = {"sent": _quoted(value)}
    match field.kind:
        case FieldKind.DATE:
            return _day(field, value, _) if day_of(value) else _shape(field, value, _)
        case FieldKind.PHONE:
            return _("“%(sent)s” is not a phone number such as +44 20 7946 0018.") % sent
        case _:
            return _("“%(sent)s” is not a country of the list.") % sent


def _length(field: Field, keyword: str, sent: int, _: Translate) -> str:
    if keyword == "minLength":
        limits = {"limit": field.min_length, "sent": sent}
        return _("At least %(limit)s characters; this has %(sent)s.") % limits
    limits = {"limit": field.max_length, "sent": sent}
    return _("At most %(limit)s characters; this has %(sent)s.") % limits


def _size(field: Field, keyword: str, sent: Any, _: Translate) -> str:
    limit = field.json_schema()[keyword]
    limits = {"limit": _figure(limit), "sent": _quoted(sent)}
    if keyword == "minimum":
        return _("At least %(limit)s; this is %(sent)s.") % limits
    if keyword == "maximum":
        return _("At most %(limit)s; this is %(sent)s.") % limits
    return _("Only multiples of %(limit)s; this is %(sent)s.") % limits


def _count(field: Field, keyword: str, sent: int, _: Translate) -> str:
    if keyword == "minItems":
        limits = {"limit": field.min_items, "sent": sent}
        return _("Choose at least %(limit)s; you chose %(sent)s.") % limits
    if keyword == "maxItems":
        limits = {"limit": field.max_items, "sent": sent}
        return _("Choose at most %(limit)s; you chose %(sent)s.") % limits
    return _("Choose each option only once.")


def _choice(field: Field, value: Any, _: Translate) -> str:
    chosen = value if isinstance(value, list) else [value]
    unknown = next(each for each in chosen if each not in field.values)
    return _("“%(sent)s” is not one of the choices.") % {"sent": _quoted(unknown)}


def _shape(field: Field, value: Any, _: Translate) -> str:
    sent = {"sent": _quoted(value)}
    if field.pattern:
        return field.pattern_message or _("“%(sent)s” does not have the form asked for.") % sent
    if field.kind is FieldKind.DATE:
        return _("“%(sent)s” is not a date; write year, month, day, such as 2026-12-31.") % sent
    return _("“%(sent)s” is not a mail address; write it such as anna@example.com.") % sent


def _day(field: Field, value: str, _: Translate) -> str:
    if field.earliest and value < field.earliest.isoformat():
        limits = {"limit": field.earliest.isoformat(), "sent": value}
        return _("Not before %(limit)s; this is %(sent)s.") % limits
    limits = {"limit": field.latest.isoformat() if field.latest else "", "sent": value}
    return _("Not after %(limit)s; this is %(sent)s.") % limits


def _figure(number: float) -> str:
    """A number as a person writes it: 5 rather than 5.0."""
    return str(int(number)) if float(number).is_integer() else str(number)


def _quoted(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
