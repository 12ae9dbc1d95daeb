"""Forms: what a party is asked, in sections, and how it meets what is known of the party.

A form is `{"title": text, "schema": JSON Schema 2020-12 subset with x-ui hints}`:

| field           | written as                                                                     |
|-----------------|--------------------------------------------------------------------------------|
| text            | string, with minLength, maxLength, pattern, x-ui.pattern_message (in words)    |
| long text       | string, x-ui.widget `long_text`                                                |
| number          | number or integer, with minimum, maximum, multipleOf                           |
| date            | string, format `date`, with x-ui.min and x-ui.max as ISO dates                 |
| choice          | string with enum, x-ui.labels {value: label}                                   |
| multiple choice | array, items a string with enum, with minItems, maxItems, x-ui.labels          |
| email           | string, format `email`                                                         |
| phone           | string, x-ui.widget `phone`, kept as E.164                                     |
| country         | string, x-ui.widget `country`, kept as ISO 3166 alpha-2                        |
| yes/no          | boolean                                                                        |

`title` is the label, `description` the help; `x-ui.sections` gives the order. A property may have
`x-ui.prefill` (`party.name`, `party.email`, `party.attributes.<key>`), `x-ui.write_back` and
`x-ui.autocomplete`, and may be a `$ref` to one of the form's own `$defs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.form_faults import faults_of
from domain.form_field import Field, hints_of
from domain.form_reference import resolved

__all__ = ["Field", "Form", "Section", "faults_of"]

ATTRIBUTES = "party.attributes."


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together; a form without sections has one without a title."""

    title: str
    help: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One version of a form; `schema` is the definition's own, as it was saved."""

    title: str
    help: str
    sections: tuple[Section, ...]
    schema: Mapping[str, Any]

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "Form":
        """The value of a definition that has no faults."""
        schema = definition["schema"]
        required = schema.get("required", ())
        fields = {
            key: Field.of(key, resolved(spec, schema), required=key in required)
            for key, spec in schema["properties"].items()
        }
        whole = ({"title": "", "fields": tuple(fields)},)
        sections = tuple(
            Section(
                each["title"], each.get("help", ""), tuple(fields[key] for key in each["fields"])
            )
            for each in hints_of(schema).get("sections", whole)
        )
        return cls(definition["title"], schema.get("description", ""), sections, schema)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every field in the order of the page."""
        return tuple(field for section in self.sections for field in section.fields)

    @property
    def keys(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(each.key for each in self.fields)

    def prefilled(self, party: Mapping[str, Any]) -> dict[str, Any]:
        """The values a page opens with: what is known of the party, else the field's default.

        `party` is `{"name", "email", "attributes": {…}}`; what does not fit a field is left out.
        """
        known = ((each, _known(each, party)) for each in self.fields)
        return {field.key: value for field, value in known if field.holds(value)}

    def written_back(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What accepted values change of the party: path → value; None where one was cleared."""
        return {each.prefill: values.get(each.key) for each in self.fields if each.write_back}


def _known(field: Field, party: Mapping[str, Any]) -> Any:
    if field.prefill.startswith(ATTRIBUTES):
        attributes = party.get("attributes") or {}
        value = attributes.get(field.prefill.removeprefix(ATTRIBUTES))
    else:
        value = party.get(field.prefill.removeprefix("party."))
    return field.default if value is None or value == "" else value
