"""Settings as they count for one workspace: the catalogue, the environment, then its own (N16)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.fault import Fault
from domain.member_errors import SettingRefused
from domain.setting import Setting, SettingScope
from domain.settings import CATALOGUE, Settings
from store.workspace_setting import (
    WorkspaceSettingRow,
    lock_settings,
    settings_of_workspace,
)

LONGEST_TEXT = 200
BY_NAME: Mapping[str, Setting] = {each.name: each for each in CATALOGUE}


async def effective_settings(work: Work, workspace_id: UUID) -> Settings:
    """What counts in a workspace; what it set is within today's limits, or is left out."""
    return with_own(work.settings, await own_settings(work, workspace_id))


async def own_settings(work: Work, workspace_id: UUID) -> dict[str, Any]:
    """What a workspace set, by name, as far as it can be used today."""
    rows = await settings_of_workspace(work.db, workspace_id)
    return {each.name: each.value for each in rows if _refusal(each.name, each.value) is None}


def with_own(settings: Settings, own: Mapping[str, Any]) -> Settings:
    """The settings of the installation with those of a workspace in their place."""
    usable = {BY_NAME[name].attribute: _value(BY_NAME[name], own[name]) for name in own}
    return replace(settings, **usable)


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """What a workspace wants: values by name, lengths of time in seconds; None: as before it."""

    workspace_id: UUID
    values: Mapping[str, Any]
    actor: Actor


async def change_settings(work: Work, wanted: ChangeSettings) -> None:
    """Sets a workspace's own settings, all or none; raises `SettingRefused` naming every fault.

    They count for what begins from now on: what was stated before stays as stated (SH-20).
    """
    refuse_faulty(wanted.values)
    await lock_settings(work.db, wanted.workspace_id)
    rows = await settings_of_workspace(work.db, wanted.workspace_id)
    before = {each.name: each for each in rows}
    for name, value in wanted.values.items():
        await _set(work, wanted, before.get(name), name, value)


def refuse_faulty(values: Mapping[str, Any]) -> None:
    """Raises `SettingRefused` naming every fault of what a workspace wants to set."""
    faults = [each for name, value in values.items() if (each := _refusal(name, value))]
    if faults:
        raise SettingRefused(tuple(faults))


async def _set(
    work: Work, wanted: ChangeSettings, row: WorkspaceSettingRow | None, name: str, value: Any
) -> None:
    old = row.value if row else None
    if old == value:
        return
    if row is None:
        row = WorkspaceSettingRow(workspace_id=wanted.workspace_id, name=name, changed_at=work.at)
        work.db.add(row)
    if value is None:
        await work.db.delete(row)
    else:
        row.value, row.changed_at = value, work.at
    details = {"before": old, "after": value}
    work.audit_subject(
        AuditEvent.SETTING_CHANGED, wanted.workspace_id, f"setting:{name}", wanted.actor, details
    )


def _refusal(name: str, value: Any) -> Fault | None:
    setting = BY_NAME.get(name)
    if setting is None:
        return Fault(f"/{name}", "is not a setting")
    if setting.scope is not SettingScope.WORKSPACE:
        return Fault(f"/{name}", "is set by whoever runs the installation")
    fault = None if value is None else _fault(setting, value)
    return Fault(f"/{name}", fault) if fault else None


def _fault(setting: Setting, value: Any) -> str | None:
    if setting.unit == "switch":
        return None if isinstance(value, bool) else "must be on or off"
    if setting.unit == "text":
        return _text_fault(setting, value)
    # A switch is an int to Python, and to nobody else.
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    low, high = plain_value(setting.minimum), plain_value(setting.maximum)
    if low is not None and not low <= value <= high:
        return f"must be from {low} to {high} {setting.unit}"
    return None


def _text_fault(setting: Setting, value: Any) -> str | None:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_TEXT:
        return f"must be a text of 1 to {LONGEST_TEXT} characters"
    if setting.choices and value not in setting.choices:
        return f"must be one of {', '.join(setting.choices)}"
    return None


def plain_value(value: Any) -> Any:
    """A value as it is written outside: lengths of time are seconds."""
    if not isinstance(value, timedelta):
        return value
    seconds = value.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _value(setting: Setting, value: Any) -> Any:
    return timedelta(seconds=value) if setting.unit == "seconds" else value
