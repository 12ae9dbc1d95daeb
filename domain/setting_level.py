"""The levels on which a setting may be set, and which of them counts (N16).

The nearest one does: a session's own value before its template's, that before the workspace's,
that before the installation's, that before the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.fault import Fault
from domain.setting import Setting, SettingLevel
from domain.setting_value import fault_of, plain_value
from domain.settings import BY_NAME, CATALOGUE, Settings

SetOn = Mapping[SettingLevel, Mapping[str, Any]]
"""What each level sets: plain values by name."""


class Origin(StrEnum):
    """Where a value comes from: a level that set it, or nobody did."""

    DEFAULT = "default"
    INSTALLATION = "installation"
    WORKSPACE = "workspace"
    TEMPLATE = "template"
    SESSION = "session"


OVERRIDING = (Origin.TEMPLATE, Origin.SESSION)
"""Where a public session has a value from that no workspace changes."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A plain value that counts, and where it comes from."""

    value: Any
    origin: Origin


def effective(setting: Setting, set_on: SetOn) -> Effective:
    """What counts of a setting, given what each level sets; one it may not be set on is passed."""
    for level in reversed(setting.levels):
        values = set_on.get(level, {})
        if setting.name in values:
            return Effective(values[setting.name], Origin(level.value))
    return Effective(plain_value(setting.default), Origin.DEFAULT)


def set_by_installation(settings: Settings) -> dict[str, Any]:
    """What an installation set, by name: whatever is not the default."""
    stated = {each: getattr(settings, each.attribute) for each in CATALOGUE}
    return {
        each.name: plain_value(value) for each, value in stated.items() if value != each.default
    }


NOT_SET_ON: Mapping[SettingLevel, str] = {
    SettingLevel.WORKSPACE: "is set by whoever runs the installation",
    SettingLevel.TEMPLATE: "is not set by a template",
    SettingLevel.SESSION: "is not set for one session",
}


def faults_on(level: SettingLevel, values: Mapping[str, Any], at: str = "") -> tuple[Fault, ...]:
    """Every fault of what a level wants to set, each at its name below `at`."""
    found = ((name, _fault_on(level, name, value)) for name, value in values.items())
    return tuple(Fault(f"{at}/{name}", fault) for name, fault in found if fault)


def _fault_on(level: SettingLevel, name: str, value: Any) -> str | None:
    setting = BY_NAME.get(name)
    if setting is None:
        return "is not a setting"
    if level not in setting.levels:
        return NOT_SET_ON[level]
    if value is None and level is SettingLevel.WORKSPACE:
        # It goes back to the installation's.
        return None
    return fault_of(setting, value)


def usable_on(level: SettingLevel, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a level once set, as far as it is within today's limits."""
    return {name: value for name, value in values.items() if not _fault_on(level, name, value)}
