"""`/api/v1/settings`: the catalogue with what this installation has set."""

from dataclasses import fields
from datetime import timedelta
from typing import Any, Literal

from fastapi import APIRouter

from adapters.settings import variable_of
from api.call import ApiCall
from api.errors import refusals
from api.shapes.field import Page, Shown
from domain.setting import Setting
from domain.settings import CATALOGUE, Settings

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])

Value = bool | int | float | str | None


class SettingShape(Shown):
    """One setting: what it means, its limits, and its value here. Lengths of time are seconds."""

    name: str
    variable: str
    unit: str
    meaning: str
    default: Value
    minimum: Value
    maximum: Value
    value: Value
    secret: bool
    origin: Literal["default", "environment"]


@router.get("", responses=refusals())
async def list_settings(call: ApiCall) -> Page[SettingShape]:
    """Every setting with its effective value; the values of secret ones stay out (PS-44)."""
    return Page(items=shapes_of(call.work.settings))


def shapes_of(settings: Settings) -> list[SettingShape]:
    """The shape of each setting, in the catalogue's order."""
    names = [each.name for each in fields(Settings)]
    return [
        _shape(setting, name, getattr(settings, name))
        for setting, name in zip(CATALOGUE, names, strict=True)
    ]


def _shape(setting: Setting, name: str, value: Any) -> SettingShape:
    hidden = setting.secret
    return SettingShape(
        name=setting.name,
        variable=variable_of(name),
        unit=setting.unit,
        meaning=setting.meaning,
        default=None if hidden else _plain(setting.default),
        minimum=_plain(setting.minimum),
        maximum=_plain(setting.maximum),
        value=None if hidden else _plain(value),
        secret=hidden,
        origin="default" if value == setting.default else "environment",
    )


def _plain(value: Any) -> Value:
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    plain: Value = value
    return plain
