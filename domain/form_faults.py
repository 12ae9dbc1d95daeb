"""What may be wrong with a form's definition; every fault is named at once."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from domain.definition import Reader
from domain.fault import Fault
from domain.form_field import FieldKind, hints_of, kind_of
from domain.form_field_faults import check_spec
from domain.form_reference import (
    BESIDE,
    REFERENCES,
    definitions_of,
    referred,
    resolved,
)
from domain.party import ATTRIBUTE

MOST_FIELDS = 200
MOST_SECTIONS = 50
LONGEST_TITLE = 200
LONGEST_HELP = 1000
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MEMBERS = frozenset(
    {
        "$schema",
        "$defs",
        "type",
        "description",
        "properties",
        "required",
        "additionalProperties",
        "x-ui",
    }
)
PREFILL = re.compile(r"party\.(name|email|attributes\.[a-z][a-z0-9_]{0,62})")


def faults_of(form: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Every fault of a form's definition, as JSON pointers into it; empty if it can be saved."""
    read = Reader()
    read.only(form, {"title", "schema"}, "")
    read.text(form, "title", "", longest=LONGEST_TITLE)
    schema = form.get("schema")
    if isinstance(schema, Mapping):
        _check_schema(read, schema, "/schema")
    else:
        read.fault("/schema", "must be an object")
    return tuple(read.faults)


def _check_schema(read: Reader, schema: Mapping[str, Any], at: str) -> None:
    only(read, schema, MEMBERS, at)
    if schema.get("$schema", DIALECT) != DIALECT:
        read.fault(f"{at}/$schema", f"must be {DIALECT}")
    if schema.get("type") != "object":
        read.fault(f"{at}/type", "must be 'object'")
    if schema.get("additionalProperties", False) is not False:
        read.fault(f"{at}/additionalProperties", "must be false: unknown answers are refused")
    read.text(schema, "description", at, optional=True, longest=LONGEST_HELP)
    _check_definitions(read, schema, f"{at}/$defs")
    keys = _check_properties(read, schema, f"{at}/properties")
    _check_required(read, schema, keys, f"{at}/required")
    _check_sections(read, schema, keys, f"{at}/x-ui")


def only(read: Reader, raw: Mapping[str, Any], allowed: Iterable[str], at: str) -> None:
    """Names every member that is not allowed; references with the reason (SSRF)."""
    read.only(raw, {*allowed, *REFERENCES}, at)
    for name in sorted(REFERENCES & set(raw) - set(allowed)):
        read.fault(f"{at}/{name}", "is refused: only a property may refer, and only to '#/$defs/…'")


def _check_definitions(read: Reader, schema: Mapping[str, Any], at: str) -> None:
    if not isinstance(schema.get("$defs", {}), Mapping):
        read.fault(at, "must be an object")
    for name, spec in definitions_of(schema).items():
        _check_object(read, spec, f"{at}/{escaped(name)}")


def _check_object(read: Reader, spec: Any, at: str) -> None:
    if not isinstance(spec, Mapping):
        read.fault(at, "must be an object")
        return
    check_spec(read, spec, at, only)


def _check_properties(read: Reader, schema: Mapping[str, Any], at: str) -> list[str]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        read.fault(at, "must be an object with at least one field")
        return []
    if len(properties) > MOST_FIELDS:
        read.fault(at, f"must be {MOST_FIELDS} fields at most, are {len(properties)}")
    for key, spec in properties.items():
        place = f"{at}/{escaped(str(key))}"
        if not isinstance(key, str) or not ATTRIBUTE.fullmatch(key):
            read.fault(place, "must be named in lower_snake_case, 63 characters at most")
        _check_property(read, spec, schema, place)
    return [str(key) for key in properties]


def _check_property(read: Reader, spec: Any, schema: Mapping[str, Any], at: str) -> None:
    if not isinstance(spec, Mapping) or "$ref" not in spec:
        _check_object(read, spec, at)
    elif _check_reference(read, spec, schema, at):
        # Its own faults are named where it is defined; here counts what stands beside the `$ref`.
        _check_object(read, resolved(spec, schema), at)
    if isinstance(spec, Mapping):
        _check_shown(read, resolved(spec, schema), schema, at)


def _check_reference(
    read: Reader, spec: Mapping[str, Any], schema: Mapping[str, Any], at: str
) -> bool:
    """Whether the reference names one of the form's own definitions, and that one has no faults."""
    read.only(spec, BESIDE, at)
    target = referred(spec, schema)
    if target is None:
        read.fault(f"{at}/$ref", f"must name one of this form's '#/$defs/…', got {spec['$ref']!r}")
        return False
    if not isinstance(spec.get("x-ui", {}), Mapping):
        read.fault(f"{at}/x-ui", "must be an object")
        return False
    alone = Reader()
    _check_object(alone, target, "")
    return not alone.faults


def _check_shown(read: Reader, spec: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> None:
    """What a field shows, and how it meets the party."""
    if spec.get("title") is None:
        read.fault(f"{at}/title", "is needed: it is the label of the field")
    hints = hints_of(spec)
    prefill = hints.get("prefill")
    if prefill is not None and not (isinstance(prefill, str) and PREFILL.fullmatch(prefill)):
        read.fault(
            f"{at}/x-ui/prefill", "must be party.name, party.email or party.attributes.<key>"
        )
    read.switch(hints, "write_back", f"{at}/x-ui")
    if hints.get("write_back") is True:
        _check_write_back(read, spec, schema, at)


def _check_write_back(
    read: Reader, spec: Mapping[str, Any], schema: Mapping[str, Any], at: str
) -> None:
    place, prefill = f"{at}/x-ui/write_back", hints_of(spec).get("prefill")
    if prefill is None:
        read.fault(place, "needs a prefill: it names what is written")
    if prefill == "party.email":
        read.fault(place, "must not change the mail address: it is what the party proves")
    if prefill == "party.name" and not _is_required_text(spec, schema, at):
        read.fault(
            place, "may change the party's name only from a required text, 200 characters long"
        )


def _is_required_text(spec: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> bool:
    required = schema.get("required")
    is_required = isinstance(required, list) and at.rpartition("/")[2] in required
    longest = spec.get("maxLength")
    is_short = isinstance(longest, int) and longest <= LONGEST_TITLE
    return is_required and is_short and kind_of(spec) is FieldKind.TEXT


def _check_required(read: Reader, schema: Mapping[str, Any], keys: list[str], at: str) -> None:
    required = read.texts(schema, "required", at.rpartition("/")[0], optional=True)
    read.unique(required, at)
    for index, key in enumerate(required):
        read.known(key, keys, f"{at}/{index}", "field")


def _check_sections(read: Reader, schema: Mapping[str, Any], keys: list[str], at: str) -> None:
    hints = schema.get("x-ui", {})
    if not isinstance(hints, Mapping):
        read.fault(at, "must be an object")
        return
    read.only(hints, {"sections"}, at)
    if "sections" not in hints:
        return
    sections = read.objects(hints, "sections", at, least=1, most=MOST_SECTIONS)
    places = [_check_section(read, each, f"{at}/sections/{n}") for n, each in enumerate(sections)]
    _check_cover(read, [each for place in places for each in place], keys, f"{at}/sections")


def _check_section(read: Reader, raw: Mapping[str, Any], at: str) -> list[tuple[str, str]]:
    read.only(raw, {"title", "help", "fields"}, at)
    read.text(raw, "title", at, longest=LONGEST_TITLE)
    read.text(raw, "help", at, optional=True, longest=LONGEST_HELP)
    fields = read.texts(raw, "fields", at, least=1)
    return [(key, f"{at}/fields/{index}") for index, key in enumerate(fields)]


def _check_cover(read: Reader, placed: list[tuple[str, str]], keys: list[str], at: str) -> None:
    seen: set[str] = set()
    for key, place in placed:
        read.known(key, keys, place, "field")
        if key in seen:
            read.fault(place, f"the field {key!r} is in a section already")
        seen.add(key)
    for key in keys:
        if key not in seen:
            read.fault(at, f"the field {key!r} is in no section")


def escaped(name: str) -> str:
    """A member's name inside a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
