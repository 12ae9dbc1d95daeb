"""References inside a form: a property may be one of the form's own `$defs`, and nothing else.

A reference that leaves the document would make the server fetch what an administrator typed (SSRF),
so none is ever followed further than one step inside it.
"""

from collections.abc import Mapping
from typing import Any

from domain.form_field import hints_of

LOCAL = "#/$defs/"
REFERENCES = frozenset(
    {"$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"}
)
# What may stand beside a reference and then counts instead of what is referred to.
BESIDE = frozenset({"$ref", "title", "description", "default", "x-ui"})


def definitions_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema's `$defs`; empty if there are none or they are no object."""
    found = schema.get("$defs")
    return found if isinstance(found, Mapping) else {}


def referred(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The definition a property's `$ref` names, or None if it is not one of the form's own."""
    target = spec["$ref"]
    if not isinstance(target, str) or not target.startswith(LOCAL):
        return None
    name = target.removeprefix(LOCAL).replace("~1", "/").replace("~0", "~")
    found = definitions_of(schema).get(name)
    return found if isinstance(found, Mapping) else None


def resolved(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A property without reference: what it refers to, with what stands beside it on top."""
    if "$ref" not in spec:
        return spec
    base = referred(spec, schema) or {}
    hints = {**hints_of(base), **hints_of(spec)}
    beside = {name: value for name, value in spec.items() if name != "$ref"}
    return {**base, **beside, **({"x-ui": hints} if hints else {})}
