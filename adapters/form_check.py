"""Checks what was answered against a form, one clear message a field, in the reader's language.

JSON Schema decides what it can (`jsonschema-rs`, linear-time patterns, nothing fetched); bounds of
dates, phone numbers and countries are decided here.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema_rs import (
    Draft202012Validator,
    EmailOptions,
    RegexOptions,
    ValidationError,
)

from adapters.countries import codes
from adapters.form_messages import Translate, beyond, broken, unreadable, wrong_type
from domain.document import NOT_TEXT
from domain.fault import Fault
from domain.form import Field, Form
from domain.form import faults_of as domain_faults_of
from domain.form_field import FieldKind

COMPILED_FORMS = 128
EMAIL = EmailOptions(require_tld=True, allow_domain_literal=False, allow_display_text=False)


@dataclass(frozen=True, slots=True)
class CompiledForm:
    """A form with the validator of each of its fields."""

    form: Form
    validators: Mapping[str, Draft202012Validator]


def check(
    schema: Mapping[str, Any], values: Mapping[str, Any], translate: Translate
) -> dict[str, str]:
    """What is wrong with the answers: field key → message; empty if they can be accepted.

    `schema` is the form definition's, without faults; `values` are JSON values by field key, absent
    where nothing was answered; `translate` is gettext. Fields are named in the order of the page,
    then what the form does not ask for.
    """
    # Unsorted on purpose: the order of fields without sections is the order of the page.
    compiled = _compiled(json.dumps(schema, separators=(",", ":")))
    return dict(_messages(compiled, values, translate))


def faults_of(form: Mapping[str, Any]) -> tuple[Fault, ...]:
    """`domain.form.faults_of`, and what only the validator can tell: patterns and defaults."""
    return domain_faults_of(form) or tuple(_validator_faults(form))


def _validator_faults(definition: Mapping[str, Any]) -> Iterator[Fault]:
    for field in Form.of(definition).fields:
        at = f"/schema/properties/{field.key}"
        try:
            validator = _validator(field)
        except ValidationError:
            # The field itself has no faults, so this is a pattern beyond the engine's size limit.
            yield Fault(f"{at}/pattern", "is not a regular expression that can be checked quickly")
            continue
        if field.default is None:
            continue
        if message := _message(field, validator, field.default, str):
            yield Fault(f"{at}/default", message)


@lru_cache(maxsize=COMPILED_FORMS)
def _compiled(schema: str) -> CompiledForm:
    form = Form.of({"title": "", "schema": json.loads(schema)})
    return CompiledForm(form, {each.key: _validator(each) for each in form.fields})


def _validator(field: Field) -> Draft202012Validator:
    return Draft202012Validator(
        field.json_schema(),
        validate_formats=True,
        offline=True,  # a reference must never make the server fetch anything
        pattern_options=RegexOptions(),  # the engine without back-tracking
        email_options=EMAIL,
    )


def _messages(
    compiled: CompiledForm, values: Mapping[str, Any], _: Translate
) -> Iterator[tuple[str, str]]:
    for field in compiled.form.fields:
        value = values.get(field.key)
        if _is_blank(value):
            message = _("This answer is needed.") if field.required else None
        else:
            message = _message(field, compiled.validators[field.key], value, _)
        if message:
            yield field.key, message
    for key in sorted(set(values) - set(compiled.validators)):
        yield key.encode("utf-8", "replace").decode(), _("This form does not ask for this.")


def _is_blank(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _message(field: Field, validator: Draft202012Validator, value: Any, _: Translate) -> str | None:
    """The first thing wrong with one answer, or None."""
    if not _is_plain(value):
        return wrong_type(field, "", _)
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(each, str) and NOT_TEXT.search(each) for each in texts):
        return unreadable(_)
    error = next(validator.iter_errors(value), None)
    if error is not None:
        return broken(field, error.kind.name, value, _)
    return beyond(field, value, _) if not _is_within(field, value) else None


def _is_plain(value: Any) -> bool:
    """Whether it is one of the shapes a field can have at all."""
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int)


def _is_within(field: Field, value: Any) -> bool:
    """What JSON Schema cannot say: bounds of dates, dialling codes, countries that there are."""
    if field.kind is FieldKind.COUNTRY:
        return value in codes()
    return field.admits(value)
