"""Settings as the API shows them: what counts, where that comes from, who may change it (N16)."""

from typing import Any, Literal, Self

from pydantic import Field

from adapters.settings import variable_of
from api.shapes.field import Shown
from commands.setting import plain_value
from domain.setting import Setting, SettingScope
from domain.setting_effect import Effect, ModeLock, SettingChange, mode_locks
from domain.settings import Settings
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
    inherited: Value = Field(description="What counts where the workspace sets nothing")
    secret: bool
    origin: Literal["default", "environment", "workspace"]
    scope: SettingScope
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


def setting_shape(setting: Setting, installation: Settings, own: dict[str, Any]) -> SettingShape:
    """One setting of a workspace that set `own`; the values of secret ones stay out (PS-44)."""
    inherited = getattr(installation, setting.attribute)
    origin = "default" if inherited == setting.default else "environment"
    value = plain_value(inherited)
    hidden = setting.secret
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
        value=None if hidden else own.get(setting.name, value),
        inherited=None if hidden else value,
        secret=hidden,
        origin="workspace" if setting.name in own else origin,
        scope=setting.scope,
        locked=None if setting.scope is SettingScope.WORKSPACE else OF_INSTALLATION,
        locked_modes=[ModeLockShape.of(each) for each in mode_locks(setting.name)],
    )
