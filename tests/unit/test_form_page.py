"""A form as a page: labelled, explained, usable without script, and safe."""

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from typing_extensions import override

from adapters import countries, languages
from adapters.form_check import check
from domain.form import Form

ROOT = Path(__file__).parents[2]
VOID = {"input", "br", "hr"}
PAGE = (
    '{% from "forms.html" import form_fields with context %}'
    "<form>{{ form_fields(form, values, errors) }}</form>"
)


class Node:
    def __init__(
        self, tag: str, attributes: Mapping[str, str | None], parent: "Node | None"
    ) -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Node] = []
        self.text = ""

    def __getitem__(self, name: str) -> str | None:
        return self.attributes[name]

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def all(self, tag: str = "", **attributes: str) -> list["Node"]:
        found = [each for child in self.children for each in (child, *child.all())]
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            each
            for each in found
            if tag in {"", each.tag} and all(each.get(n) == v for n, v in wanted.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> "Node":
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def words(self) -> str:
        return " ".join(" ".join([self.text, *(each.words for each in self.children)]).split())


class Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Node("root", {}, None)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {attrs}"
        node = Node(tag, dict(attrs), self.here)
        self.here.children.append(node)
        self.here = self.here if tag in VOID else node

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    @override
    def handle_data(self, data: str) -> None:
        self.here.text += data


@pytest.fixture(scope="module")
def pages() -> Environment:
    env = Environment(
        loader=FileSystemLoader(ROOT / "api/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    languages.for_jinja(env)
    countries.for_jinja(env)
    return env


Show = Any


@pytest.fixture
def show(pages: Environment) -> Show:
    def shown(
        form: Form | Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        errors: Mapping[str, str] | None = None,
        locale: str = "en",
    ) -> Node:
        parsed = form if isinstance(form, Form) else form_of(form)
        html = pages.from_string(PAGE).render(
            form=parsed, values=values or {}, errors=errors or {}, locale=locale
        )
        tree = Tree()
        tree.feed(html)
        assert tree.here is tree.root
        return tree.root

    return shown


def form_of(properties: Mapping[str, Any], **schema: Any) -> Form:
    full = {"type": "object", "properties": properties, **schema}
    return Form.of({"title": "F", "schema": full})


def forms_of_the_pack() -> dict[str, Form]:
    folder = ROOT / "examples/procurement/forms"
    return {each.stem: Form.of(yaml.safe_load(each.read_text())) for each in folder.glob("*.yaml")}


@pytest.mark.parametrize("key", sorted(forms_of_the_pack()))
@pytest.mark.parametrize("locale", ["en", "de"])
def test_every_field_of_the_pack_can_be_found_and_understood(
    key: str, locale: str, show: Show
) -> None:
    form = forms_of_the_pack()[key]
    errors = check(form.schema, {}, str)
    page = show(form, errors=errors, locale=locale)
    ids = [each["id"] for each in page.all() if each.get("id")]

    assert len(ids) == len(set(ids))
    assert [each.words for each in page.all("legend") if each.parent.get("class") == "section"] == [
        each.title for each in form.sections
    ]
    for field in form.fields:
        first = page.one(id=f"field-{field.key}")
        assert first["name"] == field.key
        group = first.get("type") in {"radio", "checkbox"}
        named = (
            first.parent.parent if group else page.one("label", for_=f"field-{field.key}").parent
        )
        assert field.label in named.words
        described = (first.parent.parent if group else first).get("aria-describedby") or ""
        assert set(described.split()) <= set(ids)
        assert (f"field-{field.key}-error" in described) is (field.key in errors)


@pytest.mark.parametrize("key", sorted(forms_of_the_pack()))
def test_nothing_needs_style_or_script(key: str, show: Show) -> None:
    page = show(forms_of_the_pack()[key])

    assert not page.all("script")
    assert not page.all("style")
    for each in page.all():
        assert "style" not in each.attributes
        assert not [name for name in each.attributes if name.startswith("on")]


FIELD = {"type": "string", "title": "T"}


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        (
            {**FIELD, "minLength": 2, "maxLength": 9, "x-ui": {"autocomplete": "name"}},
            "Anna",
            {
                "type": "text",
                "value": "Anna",
                "minlength": "2",
                "maxlength": "9",
                "autocomplete": "name",
            },
        ),
        (
            {"type": "number", "title": "N", "minimum": 0},
            1.5,
            {"inputmode": "decimal", "value": "1.5"},
        ),
        (
            {"type": "integer", "title": "N", "minimum": 1},
            "x",
            {"inputmode": "numeric", "value": "x"},
        ),
        ({"type": "integer", "title": "N"}, -1, {"type": "text", "value": "-1"}),
        (
            {**FIELD, "format": "date", "x-ui": {"min": "2025-01-01", "max": "2025-12-31"}},
            "2025-05-05",
            {"type": "date", "min": "2025-01-01", "max": "2025-12-31", "value": "2025-05-05"},
        ),
        ({**FIELD, "format": "email"}, "a@b", {"type": "email", "autocomplete": "email"}),
        (
            {**FIELD, "x-ui": {"widget": "phone"}},
            "+44 20",
            {"type": "tel", "autocomplete": "tel", "value": "+44 20"},
        ),
    ],
)
def test_an_input_suits_its_kind(
    spec: dict[str, Any], value: Any, expected: dict[str, str], show: Show
) -> None:
    control = show({"field": spec}, {"field": value}).one("input")

    assert {name: control.get(name) for name in expected} == expected


def test_a_minus_sign_can_be_typed_where_it_may_stand(show: Show) -> None:
    control = show({"field": {"type": "number", "title": "N", "minimum": -5}}).one("input")

    assert "inputmode" not in control.attributes


def test_needed_and_optional_fields_say_so(show: Show) -> None:
    page = show(form_of({"a": FIELD, "b": FIELD}, required=["a"]))

    assert "required" in page.one(id="field-a").attributes
    assert "required" not in page.one(id="field-b").attributes
    assert page.one("label", for_="field-a").words == "T"
    assert page.one("label", for_="field-b").words == "T (optional)"


def test_an_error_is_shown_at_its_field_and_in_the_summary(show: Show) -> None:
    properties = {"a": FIELD, "b": {**FIELD, "description": "Help."}}
    page = show(properties, {"b": "xx"}, {"b": "At most 1 character.", "zz": "Not asked for."})
    control = page.one(id="field-b")

    assert control["aria-invalid"] == "true"
    assert control["aria-describedby"] == "field-b-help field-b-error"
    assert control["value"] == "xx"
    assert page.one(id="field-b-error")["role"] == "alert"
    assert page.one(id="field-b-error").words == "At most 1 character."
    assert "aria-invalid" not in page.one(id="field-a").attributes
    summary = page.one(class_="error-summary")
    assert summary.one("a")["href"] == "#field-b"
    assert [each.words for each in summary.all("li")] == [
        "T: At most 1 character.",
        "zz: Not asked for.",
    ]
    assert summary.one("h2").words == "2 answers need another look"


def test_without_errors_there_is_no_summary(show: Show) -> None:
    assert not show({"a": FIELD}).all(class_="error-summary")


def test_few_choices_are_radios_and_many_a_list(show: Show) -> None:
    few = {**FIELD, "enum": ["a", "b"], "x-ui": {"labels": {"a": "Apple"}}}
    many = {**FIELD, "enum": list("abcdef")}
    page = show(form_of({"few": few, "many": many}, required=["few"]), {"few": "b", "many": "c"})
    radios = page.all("input", type="radio")

    assert [(each["value"], "checked" in each.attributes) for each in radios] == [
        ("a", False),
        ("b", True),
    ]
    assert [each["id"] for each in radios] == ["field-few", "field-few-2"]
    assert [each.parent.words for each in radios] == ["Apple", "b"]
    assert all("required" in each.attributes for each in radios)
    assert page.one("fieldset").one("legend").words == "T"
    chosen = [each["value"] for each in page.all("option") if "selected" in each.attributes]
    assert chosen == ["c"]
    assert page.all("option")[0].words == "No answer"


@pytest.mark.parametrize(
    ("value", "chosen"), [(True, ["yes"]), (False, ["no"]), (None, [""]), ("maybe", [])]
)
def test_an_optional_yes_or_no_can_be_taken_back(value: Any, chosen: list[str], show: Show) -> None:
    values = {} if value is None else {"a": value}
    page = show({"a": {"type": "boolean", "title": "Y"}}, values)

    radios = page.all("input", type="radio")
    assert [each["value"] for each in radios] == ["yes", "no", ""]
    assert [each["value"] for each in radios if "checked" in each.attributes] == chosen


def test_several_choices_are_boxes_with_their_limits_in_words(show: Show) -> None:
    spec = {
        "type": "array",
        "title": "C",
        "items": {"type": "string", "enum": ["a", "b", "c"]},
        "minItems": 1,
        "maxItems": 2,
    }
    page = show({"field": spec}, {"field": ["a", "c"]}, {"field": "Choose at most 2."})
    boxes = page.all("input", type="checkbox")

    assert [each["value"] for each in boxes if "checked" in each.attributes] == ["a", "c"]
    assert page.one(id="field-field-help").words == "Choose 1 to 2."
    assert page.one("fieldset")["aria-describedby"] == "field-field-help field-field-error"
    assert all(each["aria-invalid"] == "true" for each in boxes)


def test_countries_are_named_in_the_language_of_the_page(show: Show) -> None:
    spec = {"field": {**FIELD, "x-ui": {"widget": "country"}}}
    page = show(spec, {"field": "DE"}, locale="de")

    (chosen,) = [each for each in page.all("option") if "selected" in each.attributes]
    assert chosen.words == "Deutschland"
    assert page.one("select")["autocomplete"] == "country"
    assert len(page.all("option")) == 250


EVIL = """"'><script>alert(1)</script>{{ 7 * 7 }}"""


def test_nothing_that_was_typed_or_defined_becomes_markup(show: Show) -> None:
    properties = {
        "a": {**FIELD, "title": EVIL, "description": EVIL},
        "b": {**FIELD, "x-ui": {"widget": "long_text"}},
        "c": {**FIELD, "enum": [EVIL], "x-ui": {"labels": {EVIL: EVIL}}},
    }
    sections = [{"title": EVIL, "help": EVIL, "fields": ["a", "b", "c"]}]
    form = form_of(properties, description=EVIL, **{"x-ui": {"sections": sections}})
    page = show(form, dict.fromkeys("abc", EVIL), {"a": EVIL, EVIL: EVIL})

    assert not page.all("script")
    assert page.one(id="field-a")["value"] == EVIL
    assert page.one("textarea").text.removeprefix("\n") == EVIL
    assert "49" not in page.words


def test_a_long_text_keeps_its_first_line_break(show: Show) -> None:
    spec = {"field": {**FIELD, "x-ui": {"widget": "long_text"}}}

    assert show(spec, {"field": "\none"}).one("textarea").text == "\n\none"
    assert show(spec).one("textarea").text == "\n"
