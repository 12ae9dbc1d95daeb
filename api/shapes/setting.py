"""Settings as the API shows them: what counts, where that comes from, who may change it (N16)."""

from typing import Self

from pydantic import Field

from adapters.settings import variable_of
from api.shapes.field import Shown
from commands.setting_level import Levels, Overridden
from domain.setting import Setting, SettingLevel, SettingScope
from domain.setting_effect import Effect, ModeLock, SettingChange, mode_locks
from domain.setting_level import Origin
from domain.setting_value import plain_value
from domain.sign_in import SignInMode

Value = bool | int | float | str | None
OF_INSTALLATION = "It is set by whoever runs the installation"


class ModeLockShape(Shown):
    """A way to sign in for which a setting is fixed, and why (EE-12)."""

    mode: SignInMode
    value: bool
    reason: str

    @classmethod
    def of(cls, lock: ModeLock) -> Self:
        """The shape of a lock."""
        return cls.showing(lock)


class OverriddenShape(Shown):
    """Templates and open public sessions that have values of their own."""

    templates: dict[str, Value] = Field(description="The values of templates, by key")
    sessions: int = Field(description="Open sessions with a value of their own or their template's")


class SettingShape(Shown):
    """One setting: what it means, its limits, and what counts here. Lengths of time are seconds."""

    name: str
    variable: str
    unit: str
    meaning: str
    default: Value
    minimum: Value
    maximum: Value
    accessible: Value = Field(description="The least value that WCAG allows, where it asks for one")
    choices: list[str]
    value: Value
    inherited: Value = Field(
        description="What the levels above say: the installation, or for a template or a session "
        "the workspace as it is now"
    )
    secret: bool
    origin: Origin
    scope: SettingScope
    levels: list[SettingLevel] = Field(
        description="Where it may be set; each counts before those named earlier"
    )
    overridden: OverriddenShape | None = Field(
        description="Where the workspace's value does not count; null where it is not asked for, "
        "or nobody else may set it"
    )
    locked: str | None = Field(description="Why the workspace cannot change it; null: it can")
    locked_modes: list[ModeLockShape] = Field(
        description="Ways to sign in for which it is fixed, whatever is set here (EE-12)"
    )


class SettingChangeShape(Shown):
    """What a change would do to what began before; what is not named stays as it was stated."""

    name: str
    before: Value
    after: Value
    effects: dict[Effect, int]

    @classmethod
    def of(cls, change: SettingChange) -> Self:
        """The shape of a change."""
        return cls.showing(change)


def setting_shape(
    setting: Setting, levels: Levels, overridden: Overridden | None = None
) -> SettingShape:
    """One setting as it counts on a level; the values of secret ones stay out (PS-44)."""
    here, hidden = levels.effective(setting), setting.secret
    return SettingShape(
        name=setting.name,
        variable=variable_of(setting.attribute),
        unit=setting.unit,
        meaning=setting.meaning,
        default=None if hidden else plain_value(setting.default),
        minimum=plain_value(setting.minimum),
        maximum=plain_value(setting.maximum),
        accessible=plain_value(setting.accessible),
        choices=list(setting.choices),
        value=None if hidden else here.value,
        inherited=None if hidden else levels.inherited(setting),
        secret=hidden,
        origin=here.origin,
        scope=setting.scope,
        levels=list(setting.levels),
        overridden=OverriddenShape.showing(overridden) if overridden else None,
        locked=None if setting.scope is SettingScope.WORKSPACE else OF_INSTALLATION,
        locked_modes=[ModeLockShape.of(each) for each in mode_locks(setting.name)],
    )
