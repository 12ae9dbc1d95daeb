"""Settings as they count for one workspace: the catalogue, the environment, then its own (N16)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.member_errors import SettingRefused
from domain.setting import SettingLevel
from domain.setting_level import faults_on, usable_on
from domain.setting_value import read_value
from domain.settings import BY_NAME, Settings
from store.workspace_setting import (
    WorkspaceSettingRow,
    lock_settings,
    settings_of_workspace,
)


async def effective_settings(work: Work, workspace_id: UUID) -> Settings:
    """What counts in a workspace; what it set is within today's limits, or is left out."""
    return with_own(work.settings, await own_settings(work, workspace_id))


async def exit_url(work: Work, workspace_id: UUID) -> str:
    """Where the company wants whoever cancels or loses a window; "" for a page of ours (EX-18)."""
    return (await effective_settings(work, workspace_id)).exit_url


async def own_settings(work: Work, workspace_id: UUID) -> dict[str, Any]:
    """What a workspace set, by name, as far as it can be used today."""
    rows = await settings_of_workspace(work.db, workspace_id)
    return usable_on(SettingLevel.WORKSPACE, {each.name: each.value for each in rows})


def with_own(settings: Settings, own: Mapping[str, Any]) -> Settings:
    """The settings of the installation with those of a workspace, or a session, in their place."""
    usable = {BY_NAME[name].attribute: read_value(BY_NAME[name], own[name]) for name in own}
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
    faults = faults_on(SettingLevel.WORKSPACE, values)
    if faults:
        raise SettingRefused(faults)


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
