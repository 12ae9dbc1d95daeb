"""Forms: every fault is named at once, and a form meets what is known of its party."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapters import form_check
from domain import document, lifecycle, session_template
from domain.form import Form, faults_of
from domain.form_field import FieldKind, dialled

PACK = Path(__file__).parents[2] / "examples/procurement"
TEXT = {"type": "string", "title": "Text"}


def form(properties: Mapping[str, Any] | None = None, **schema: Any) -> dict[str, Any]:
    properties = {"name": TEXT} if properties is None else properties
    return {
        "title": "A form",
        "schema": {"type": "object", "properties": properties, **schema},
    }


def pointers(definition: Mapping[str, Any]) -> list[str]:
    return [each.pointer for each in faults_of(definition)]


def faults_in(spec: Any, **schema: Any) -> list[str]:
    """Pointers below the one field of a form."""
    prefix = "/schema/properties/field"
    found = pointers(form({"field": spec}, **schema))
    assert all(each.startswith(prefix) for each in found), found
    return [each.removeprefix(prefix) for each in found]


KINDS: dict[FieldKind, dict[str, Any]] = {
    FieldKind.TEXT: {
        "type": "string",
        "minLength": 1,
        "maxLength": 9,
        "pattern": r"^\p{L}+$",
        "x-ui": {"pattern_message": "Letters only.", "autocomplete": "name"},
    },
    FieldKind.LONG_TEXT: {"type": "string", "maxLength": 9000, "x-ui": {"widget": "long_text"}},
    FieldKind.NUMBER: {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.01},
    FieldKind.DATE: {
        "type": "string",
        "format": "date",
        "default": "2025-01-02",
        "x-ui": {"min": "2025-01-01", "max": "2025-12-31"},
    },
    FieldKind.CHOICE: {
        "type": "string",
        "enum": ["a", "b"],
        "default": "a",
        "x-ui": {"labels": {"a": "A"}},
    },
    FieldKind.CHOICES: {
        "type": "array",
        "items": {"type": "string", "enum": ["a", "b"]},
        "uniqueItems": True,
        "minItems": 1,
        "maxItems": 2,
        "default": ["b"],
    },
    FieldKind.EMAIL: {"type": "string", "format": "email"},
    FieldKind.PHONE: {"type": "string", "x-ui": {"widget": "phone"}, "default": "+351210000000"},
    FieldKind.COUNTRY: {"type": "string", "x-ui": {"widget": "country"}, "default": "PT"},
    FieldKind.YES_NO: {"type": "boolean", "default": False},
}


@pytest.mark.parametrize("kind", FieldKind)
def test_each_kind_is_written_in_one_way(kind: FieldKind) -> None:
    definition = form({"field": {"title": "Field", **KINDS[kind]}}, required=["field"])

    assert form_check.faults_of(definition) == ()
    (field,) = Form.of(definition).fields
    assert (field.kind, field.label, field.required) == (kind, "Field", True)
    assert field.default == KINDS[kind].get("default")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("text", [""]),
        ({"type": "string"}, ["/title"]),
        ({**TEXT, "title": "t" * 201}, ["/title"]),
        ({**TEXT, "description": "t" * 1001}, ["/description"]),
        ({**TEXT, "const": 1, "oneOf": []}, ["/const", "/oneOf"]),
        ({**TEXT, "type": "object"}, ["/type"]),
        ({**TEXT, "type": ["string", "null"]}, ["/type"]),
        ({**TEXT, "format": "uri"}, ["/format"]),
        ({**TEXT, "format": ["date"]}, ["/format"]),
        ({**TEXT, "x-ui": {"widget": "slider"}}, ["/x-ui/widget"]),
        ({**TEXT, "x-ui": {"widget": ["phone"]}}, ["/x-ui/widget"]),
        ({**TEXT, "x-ui": {"colour": "red"}}, ["/x-ui/colour"]),
        ({**TEXT, "x-ui": "phone"}, ["/x-ui"]),
        ({**TEXT, "x-ui": {"autocomplete": "cc-number"}}, ["/x-ui/autocomplete"]),
        ({**TEXT, "minLength": 5, "maxLength": 4}, ["/minLength"]),
        ({**TEXT, "minLength": 501}, ["/minLength"]),
        ({**TEXT, "minLength": -1, "maxLength": 10_001}, ["/minLength", "/maxLength"]),
        ({**TEXT, "maxLength": True}, ["/maxLength"]),
        ({**TEXT, "minimum": 1}, ["/minimum"]),
        ({**TEXT, "pattern": "("}, ["/pattern"]),
        ({**TEXT, "pattern": "a" * 201}, ["/pattern"]),
        ({**TEXT, "pattern": 1}, ["/pattern"]),
        ({**TEXT, "pattern": r"(a)\1"}, ["/pattern"]),
        ({**TEXT, "pattern": "^(?=a)"}, ["/pattern"]),
        ({**TEXT, "pattern": "a{99999999999}"}, ["/pattern"]),
        ({**TEXT, "default": 1}, ["/default"]),
        ({**TEXT, "maxLength": 2, "default": "abc"}, ["/default"]),
        ({"title": "N", "type": "number", "minimum": 2, "maximum": 1}, ["/minimum"]),
        ({"title": "N", "type": "number", "minimum": "1"}, ["/minimum"]),
        ({"title": "N", "type": "integer", "minimum": 0.5}, ["/minimum"]),
        ({"title": "N", "type": "number", "maximum": 10**16}, ["/maximum"]),
        ({"title": "N", "type": "number", "multipleOf": 0}, ["/multipleOf"]),
        ({"title": "N", "type": "number", "multipleOf": 5e-324}, ["/multipleOf"]),
        (
            {"title": "N", "type": "integer", "multipleOf": 10, "minimum": 11, "maximum": 19},
            ["/multipleOf"],
        ),
        ({"title": "N", "type": "number", "maximum": 5, "default": 6}, ["/default"]),
        ({"title": "N", "type": "number", "default": True}, ["/default"]),
        (
            {**TEXT, "format": "date", "x-ui": {"min": "2025-02-30", "max": "20250101"}},
            ["/x-ui/min", "/x-ui/max"],
        ),
        (
            {**TEXT, "format": "date", "x-ui": {"min": "2025-02-02", "max": "2025-02-01"}},
            ["/x-ui/min"],
        ),
        (
            {**TEXT, "format": "date", "default": "2024-01-01", "x-ui": {"min": "2025-01-01"}},
            ["/default"],
        ),
        ({**TEXT, "enum": ["a", "b", "a"]}, ["/enum/2"]),
        ({**TEXT, "enum": []}, ["/enum"]),
        ({**TEXT, "enum": ["a ", 1]}, ["/enum/0", "/enum/1"]),
        ({**TEXT, "enum": ["a"], "x-ui": {"labels": {"b": "B"}}}, ["/x-ui/labels/b"]),
        ({**TEXT, "enum": ["a"], "x-ui": {"labels": {"a": ""}}}, ["/x-ui/labels/a"]),
        ({**TEXT, "enum": ["a"], "x-ui": {"labels": ["a"]}}, ["/x-ui/labels"]),
        ({**TEXT, "enum": ["a"], "default": "b"}, ["/default"]),
        ({"title": "C", "type": "array"}, ["/items"]),
        (
            {
                "title": "C",
                "type": "array",
                "items": {"type": "string", "enum": ["a"], "maxLength": 3},
                "uniqueItems": False,
                "minItems": 2,
            },
            ["/items/maxLength", "/uniqueItems", "/minItems"],
        ),
        (
            {
                "title": "C",
                "type": "array",
                "items": {"type": "string", "enum": ["a", "b"]},
                "minItems": 2,
                "maxItems": 1,
            },
            ["/minItems"],
        ),
        (
            {
                "title": "C",
                "type": "array",
                "items": {"type": "string", "enum": ["a", "b"]},
                "default": ["a", "a"],
            },
            ["/default"],
        ),
        ({**TEXT, "x-ui": {"widget": "phone"}, "default": "020 7946"}, ["/default"]),
        ({**TEXT, "x-ui": {"widget": "country"}, "default": "pt"}, ["/default"]),
        ({**TEXT, "x-ui": {"widget": "phone"}, "format": "email"}, ["/format"]),
        ({**TEXT, "x-ui": {"prefill": "party.id"}}, ["/x-ui/prefill"]),
        ({**TEXT, "x-ui": {"prefill": "party.attributes.A"}}, ["/x-ui/prefill"]),
        ({**TEXT, "x-ui": {"write_back": True}}, ["/x-ui/write_back"]),
        (
            {**TEXT, "x-ui": {"prefill": "party.attributes.a", "write_back": 1}},
            ["/x-ui/write_back"],
        ),
        ({**TEXT, "x-ui": {"prefill": "party.email", "write_back": True}}, ["/x-ui/write_back"]),
        ({**TEXT, "x-ui": {"prefill": "party.name", "write_back": True}}, ["/x-ui/write_back"]),
    ],
)
def test_a_faulty_field_is_named_where_it_is_faulty(spec: Any, expected: list[str]) -> None:
    assert faults_in(spec) == expected


def test_the_name_may_be_written_back_from_a_required_text_of_its_length() -> None:
    hints = {"prefill": "party.name", "write_back": True}
    spec = {**TEXT, "maxLength": 200, "x-ui": hints}

    assert faults_in(spec, required=["field"]) == []
    assert faults_in(spec) == ["/x-ui/write_back"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/schema.json",
        "https://json-schema.org/draft/2020-12/schema",
        "other.json#/a",
        "#/properties/name",
        "#/$defs/missing",
        "#anchor",
        "there",
        7,
    ],
)
def test_a_reference_that_is_not_one_of_the_forms_own_definitions_is_refused(target: Any) -> None:
    definition = form({"name": {"$ref": target, "title": "N"}}, **{"$defs": {"there": TEXT}})

    assert pointers(definition) == ["/schema/properties/name/$ref"]


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor"])
def test_references_are_refused_everywhere_else(keyword: str) -> None:
    reference = {keyword: "http://127.0.0.1:9/schema.json"}
    definition = form({"name": TEXT}, **{"$defs": {"there": {**TEXT, **reference}}}, **reference)

    assert pointers(definition) == [f"/schema/{keyword}", f"/schema/$defs/there/{keyword}"]
    assert all("refused" in each.message for each in faults_of(definition))


def test_a_field_may_be_one_of_the_forms_own_definitions() -> None:
    phone = {"type": "string", "title": "Phone", "x-ui": {"widget": "phone"}}
    reference = {"$ref": "#/$defs/a~1b", "title": "Mobile", "x-ui": {"autocomplete": "tel"}}
    definition = form({"mobile": reference}, **{"$defs": {"a/b": phone}})

    assert faults_of(definition) == ()
    (field,) = Form.of(definition).fields
    assert (field.kind, field.label, field.autocomplete) == (FieldKind.PHONE, "Mobile", "tel")


def test_what_stands_beside_a_reference_is_checked_too() -> None:
    definition = form(
        {
            "one": {"$ref": "#/$defs/n", "title": "One", "default": "three"},
            "two": {"$ref": "#/$defs/n", "title": "Two", "minimum": 3},
            "four": {"$ref": "#/$defs/n", "title": "Four", "x-ui": 4},
            "five": {"$ref": "#/$defs/n"},
        },
        **{"$defs": {"n": {"type": "number"}}},
    )

    assert pointers(definition) == [
        "/schema/properties/one/default",
        "/schema/properties/two/minimum",
        "/schema/properties/four/x-ui",
        "/schema/properties/five/title",
    ]


def test_the_faults_of_the_whole_are_named_together() -> None:
    definition = {
        "title": "t" * 201,
        "colour": "red",
        "schema": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "array",
            "additionalProperties": True,
            "$defs": {"d": 1},
            "properties": {"Name": TEXT, "b": {**TEXT, "maxLength": 0}},
            "required": ["b", "b", "c"],
            "allOf": [],
            "x-ui": {
                "theme": "dark",
                "sections": [
                    {"title": "", "fields": ["b", "ghost"]},
                    {"title": "Two", "fields": ["b"], "colour": "red"},
                    {"title": "Three", "fields": []},
                ],
            },
        },
    }

    assert pointers(definition) == [
        "/colour",
        "/title",
        "/schema/allOf",
        "/schema/$schema",
        "/schema/type",
        "/schema/additionalProperties",
        "/schema/$defs/d",
        "/schema/properties/Name",
        "/schema/properties/b/maxLength",
        "/schema/required/1",
        "/schema/required/2",
        "/schema/x-ui/theme",
        "/schema/x-ui/sections/0/title",
        "/schema/x-ui/sections/1/colour",
        "/schema/x-ui/sections/2/fields",
        "/schema/x-ui/sections/0/fields/1",
        "/schema/x-ui/sections/1/fields/0",
        "/schema/x-ui/sections",
    ]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({}, ["/title", "/schema"]),
        ({"title": "T", "schema": True}, ["/schema"]),
        (form({}), ["/schema/properties"]),
        (form(None, **{"$defs": []}), ["/schema/$defs"]),
        (form(None, **{"x-ui": []}), ["/schema/x-ui"]),
        (
            form(None, **{"x-ui": {"sections": 1}}),
            ["/schema/x-ui/sections", "/schema/x-ui/sections"],
        ),
        (form({f"f{n}": TEXT for n in range(201)}), ["/schema/properties"]),
        (form({f"f{n}": TEXT for n in range(200)}), []),
    ],
)
def test_shapes_of_a_form(definition: dict[str, Any], expected: list[str]) -> None:
    assert pointers(definition) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYWORDS = st.sampled_from(
    [
        "type",
        "title",
        "enum",
        "items",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "multipleOf",
        "maxItems",
        "default",
        "x-ui",
        "$ref",
    ]
)


@given(spec=st.dictionaries(KEYWORDS, JSON | st.sampled_from(["string", "array", "number"])))
def test_nothing_an_author_writes_breaks_the_check(spec: dict[str, Any]) -> None:
    definition = form({"field": spec}, **{"x-ui": spec.get("x-ui", {}), "$defs": spec})

    if not form_check.faults_of(definition):
        assert Form.of(definition).fields


def test_sections_order_the_fields() -> None:
    sections = [
        {"title": "Two", "fields": ["b", "a"]},
        {"title": "One", "help": "Hm.", "fields": ["c"]},
    ]
    definition = form(dict.fromkeys("abc", TEXT), **{"x-ui": {"sections": sections}})

    parsed = Form.of(definition)

    assert faults_of(definition) == ()
    assert [each.key for each in parsed.fields] == ["b", "a", "c"]
    assert [(each.title, each.help) for each in parsed.sections] == [("Two", ""), ("One", "Hm.")]
    assert parsed.keys == {"a", "b", "c"}
    assert parsed.schema == definition["schema"]


PARTY_FORM = form(
    {
        "name": {**TEXT, "maxLength": 200, "x-ui": {"prefill": "party.name", "write_back": True}},
        "email": {
            "type": "string",
            "title": "E",
            "format": "email",
            "x-ui": {"prefill": "party.email"},
        },
        "staff": {
            "type": "integer",
            "title": "S",
            "default": 1,
            "x-ui": {"prefill": "party.attributes.staff", "write_back": True},
        },
        "country": {
            "type": "string",
            "title": "C",
            "x-ui": {
                "widget": "country",
                "prefill": "party.attributes.country",
                "write_back": True,
            },
        },
        "note": TEXT,
    },
    required=["name"],
)


def test_a_form_opens_with_what_is_known_of_the_party() -> None:
    attributes = {"staff": 12, "country": "PT", "note": "not asked for"}
    party = {"name": "Acme", "email": "a@acme.example", "attributes": attributes}

    assert Form.of(PARTY_FORM).prefilled(party) == {
        "name": "Acme",
        "email": "a@acme.example",
        "staff": 12,
        "country": "PT",
    }


def test_what_does_not_fit_a_field_is_left_out_and_defaults_fill_the_gaps() -> None:
    parsed = Form.of(PARTY_FORM)

    assert parsed.prefilled({"name": "", "attributes": None}) == {"staff": 1}
    assert parsed.prefilled({"attributes": {"staff": "many", "country": 7}}) == {}


def test_only_marked_answers_go_back_to_the_party() -> None:
    values = {"name": "Acme SA", "email": "x@acme.example", "staff": 13, "note": "n"}

    assert Form.of(PARTY_FORM).written_back(values) == {
        "party.name": "Acme SA",
        "party.attributes.staff": 13,
        "party.attributes.country": None,
    }


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("+44 (0)20 7946-0018", "+442079460018"),
        ("00351 21.000.00.00", "+351210000000"),
        ("+49/30\u201112345", "+493012345"),
        ("020 7946 0018", None),
        ("+0 123 456 789", None),
        ("+123", None),
        ("+1234567890123456", None),
        ("+44 20 7946 ext 3", None),
        ("+٤٤٢٠٧٩٤٦٠٠١٨", None),
    ],
)
def test_phone_numbers_are_kept_as_they_are_dialled_abroad(
    typed: str, expected: str | None
) -> None:
    assert dialled(typed) == expected


def pack(folder: str) -> dict[str, Any]:
    return {
        each.stem: yaml.safe_load(each.read_text(encoding="utf-8"))
        for each in sorted((PACK / folder).glob("*.yaml"))
    }


def test_every_definition_of_the_procurement_pack_is_without_fault() -> None:
    """PS-14 to PS-17, as far as forms, documents and manual issue carry them."""
    forms, templates = pack("forms"), pack("session_templates")
    for key, each in forms.items():
        assert form_check.faults_of(each) == (), key
        assert 8 <= len(Form.of(each).fields) <= 14, key
    texts = {
        each.stem: each.read_text(encoding="utf-8") for each in (PACK / "documents").glob("*.md")
    }
    for key, text in texts.items():
        _, header, markdown = text.split("---", 2)
        assert document.faults_of({**yaml.safe_load(header), "markdown": markdown}) == (), key
    referable = session_template.Referable(forms, texts)
    for key, each in templates.items():
        assert each["key"] == key
        assert session_template.faults_of(each, referable) == (), key
    values = {key: session_template.SessionTemplate.of(each) for key, each in templates.items()}
    known = lifecycle.Known(
        {key: each.trigger for key, each in values.items()},
        {key: each.scope.party_kinds for key, each in values.items()},
    )
    for kind, each in pack("lifecycles").items():
        assert each["kind"] == kind
        assert lifecycle.faults_of(each, known) == (), kind


def test_the_pack_has_the_templates_of_the_worked_example() -> None:
    days = {key: each["time_bound_days"] for key, each in pack("session_templates").items()}

    assert days == {
        "vendor-intake": 14,  # PS-14
        "vendor-due-diligence": 21,  # PS-15
        "supplier-agreement": 14,
        "buyer-intake": 14,  # PS-16
        "annual-vendor-refresh": 30,  # PS-17
    }


def test_completing_moves_vendors_and_buyers_on() -> None:
    """PS-19: the states a scope expects are those in which the lifecycle issues the template."""
    templates = pack("session_templates")
    for kind, raw in pack("lifecycles").items():
        cycle = lifecycle.Lifecycle.of(raw)
        for state in cycle.states:
            for issued in state.issues:
                assert templates[issued]["scope"]["states"] == [state.key]
                moved = cycle.on_completion(issued)
                if issued == "supplier-agreement":
                    assert moved is None, "a contract is signed by whoever is active already"
                    continue
                assert moved is not None, kind
                assert cycle.passing(moved, state.key).target != state.key
