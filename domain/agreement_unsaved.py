"""What a window has that is not saved: told apart from what is, and put upon it when asked (N8).

A body is a draft as a publisher writes it. Of fields each is looked at for itself, by its key, so
that two people who changed two fields lose nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIELDS = "fields"
WHOLE = ("title", "message", "consent", "ordered", "step_up", "time_bound_days", "signers")
"""The members that are looked at as one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two bodies differ; a value is None where there is none.

    `key` is a member's name, or `field-` and a field's key.
    """

    key: str
    mine: Any
    theirs: Any

    @property
    def is_field(self) -> bool:
        """Whether the values are fields."""
        return self.key.startswith("field-")


def unsaved(base: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was changed since `base`: members, and fields by key, None for a removed one."""
    changed = {each: typed[each] for each in WHOLE if typed.get(each) != base.get(each)}
    before, after = _fields(base), _fields(typed)
    fields = {
        each: after.get(each) for each in _keys(after, before) if _differ(each, before, after)
    }
    return changed | ({FIELDS: fields} if fields else {})


def applied(body: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The body with these changes upon it."""
    fields = _fields(body) | changes.get(FIELDS, {})
    kept = [each for each in fields.values() if each is not None]
    whole = {name: value for name, value in changes.items() if name in WHOLE}
    return {**body, **whole, FIELDS: kept}


def differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Everything in which two bodies differ, side by side."""
    whole = [
        Difference(each, mine.get(each), theirs.get(each))
        for each in WHOLE
        if mine.get(each) != theirs.get(each)
    ]
    ours, others = _fields(mine), _fields(theirs)
    fields = [
        Difference(f"field-{each}", ours.get(each), others.get(each))
        for each in _keys(ours, others)
        if _differ(each, ours, others)
    ]
    return (*whole, *fields)


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    return {each["key"]: _plain(each) for each in body.get(FIELDS, [])}


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    """A field without what says nothing: an empty value is none."""
    return {name: value for name, value in one.items() if (name, value) != ("value", "")}


def _keys(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    return [*first, *(each for each in second if each not in first)]


def _differ(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get(key) != other.get(key))
