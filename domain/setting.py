"""What one setting is: its unit, default and limits, and how a field of `Settings` says so."""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final


class SettingScope(StrEnum):
    """Who may set it: whoever runs the installation, or the administrators of a workspace too."""

    INSTALLATION = "installation"
    WORKSPACE = "workspace"


class SettingLevel(StrEnum):
    """Where it may be set; each level counts before the ones above it (N16).

    A template is a session template's version, a session a public session.
    """

    INSTALLATION = "installation"
    WORKSPACE = "workspace"
    TEMPLATE = "template"
    SESSION = "session"


SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
OF_WORKSPACE: Final[dict[str, Any]] = {
    "levels": (SettingLevel.INSTALLATION, SettingLevel.WORKSPACE),
}
OF_SESSION: Final[dict[str, Any]] = {"levels": tuple(SettingLevel)}


@dataclass(frozen=True, slots=True)
class Setting:
    """What one setting means, as shown to an administrator.

    `accessible` is the least value that WCAG allows, where it asks for one; `choices` are the only
    values of a text that has some; `levels` are in order, the installation's first.
    """

    name: str
    attribute: str
    unit: str
    default: Any
    minimum: Any
    maximum: Any
    meaning: str
    secret: bool
    levels: tuple[SettingLevel, ...]
    accessible: Any
    choices: tuple[str, ...]

    @property
    def scope(self) -> SettingScope:
        """Who may set it."""
        of_workspace = SettingLevel.WORKSPACE in self.levels
        return SettingScope.WORKSPACE if of_workspace else SettingScope.INSTALLATION


def setting(
    default: Any,
    unit: str,
    meaning: str,
    *,
    low: Any = None,
    high: Any = None,
    **more: Any,
) -> Any:
    """A field of `Settings`; `more` is what only some settings say."""
    metadata = {"unit": unit, "meaning": meaning, "low": low, "high": high, **more}
    return field(default=default, metadata=metadata)


def length(default: timedelta, low: timedelta, high: timedelta, meaning: str, **more: Any) -> Any:
    """A length of time."""
    return setting(default, "seconds", meaning, low=low, high=high, **more)


def count(default: int, low: int, high: int, meaning: str, **more: Any) -> Any:
    """A number of things."""
    return setting(default, "count", meaning, low=low, high=high, **more)


def text(default: str, meaning: str, **more: Any) -> Any:
    """A text."""
    return setting(default, "text", meaning, **more)


def address(default: str, meaning: str, **more: Any) -> Any:
    """A URL that people are led to; empty for none."""
    return setting(default, "address", meaning, **more)


def switch(*, default: bool, meaning: str, **more: Any) -> Any:
    """Something that is on or off."""
    return setting(default, "switch", meaning, **more)


def described(catalogue: type[Any]) -> tuple[Setting, ...]:
    """What each field of a catalogue says of its setting, in their order."""
    return tuple(
        Setting(
            name=each.name.replace("_", ".", 1),
            attribute=each.name,
            unit=each.metadata["unit"],
            default=each.default,
            minimum=each.metadata["low"],
            maximum=each.metadata["high"],
            meaning=each.metadata["meaning"],
            secret=each.metadata.get("secret", False),
            levels=each.metadata.get("levels", (SettingLevel.INSTALLATION,)),
            accessible=each.metadata.get("accessible"),
            choices=each.metadata.get("choices", ()),
        )
        for each in fields(catalogue)
    )
