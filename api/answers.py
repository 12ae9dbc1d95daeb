"""Answers of a form in words: labels instead of keys, dates and countries as they are read."""

from collections.abc import Callable, Mapping
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from adapters.countries import country_names
from adapters.languages import translations_for
from domain.form import Field, Form
from domain.form_field import FieldKind, day_of

Answers = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""(title of a section, ((label, answer), …)), answers that were not given left out."""


def answers_of(form: Form, values: Mapping[str, Any], locale: str) -> Answers:
    """What was answered, in the order of the form."""
    sections = (
        (
            section.title,
            tuple(
                (field.label, _in_words(field, values[field.key], locale))
                for field in section.fields
                if field.key in values
            ),
        )
        for section in form.sections
    )
    return tuple((title, answers) for title, answers in sections if answers)


def _in_words(field: Field, value: Any, locale: str) -> str:
    """One answer; what does not fit its field reads as it was typed."""
    if not field.holds(value):
        return str(value)
    say = WORDS.get(field.kind)
    return say(field, value, locale) if say else str(value)


def _option(field: Field, value: Any, _locale: str) -> str:
    return {each.value: each.label for each in field.options}[value]


def _options(field: Field, value: Any, locale: str) -> str:
    return "\n".join(_option(field, each, locale) for each in value)


def _yes_no(_field: Field, value: Any, locale: str) -> str:
    translate = translations_for(locale).gettext
    return translate("Yes") if value else translate("No")


def _day(_field: Field, value: Any, locale: str) -> str:
    # The day first, as in every other date of the pages; Babel's plain English is American.
    return str(format_date(day_of(value), "long", locale="en_GB" if locale == "en" else locale))


def _number(_field: Field, value: Any, locale: str) -> str:
    return str(format_decimal(value, locale=locale, decimal_quantization=False))


def _country(_field: Field, value: Any, locale: str) -> str:
    return str(dict(country_names(locale)).get(value, value))


WORDS: dict[FieldKind, Callable[[Field, Any, str], str]] = {
    FieldKind.CHOICE: _option,
    FieldKind.CHOICES: _options,
    FieldKind.YES_NO: _yes_no,
    FieldKind.DATE: _day,
    FieldKind.NUMBER: _number,
    FieldKind.COUNTRY: _country,
}
