"""What counts for a workspace, a template or a public session, and which level says so (N16)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from commands.public_session_terms import terms_of
from commands.setting import own_settings
from commands.work import Work
from domain.definition import DefinitionKind, DefinitionStatus
from domain.errors import NotFound
from domain.session_template import SessionTemplate
from domain.setting import Setting, SettingLevel
from domain.setting_level import Effective, SetOn, effective, set_by_installation, usable_on
from store.definition import DefinitionRow, latest_definition, latest_definitions
from store.public_session import session_by_id
from store.setting_level import count_overriding

WORKSPACE, TEMPLATE = SettingLevel.WORKSPACE, SettingLevel.TEMPLATE


@dataclass(frozen=True, slots=True)
class Levels:
    """What the levels above set, what the one that is asked for sets, what a session keeps."""

    above: SetOn
    own: SetOn = field(default_factory=dict)
    kept: Mapping[str, Effective] = field(default_factory=dict)

    def effective(self, setting: Setting) -> Effective:
        """What counts here."""
        return self.kept.get(setting.name) or effective(setting, {**self.above, **self.own})

    def inherited(self, setting: Setting) -> Any:
        """What the levels above say."""
        return effective(setting, self.above).value


async def levels_of_workspace(work: Work, workspace_id: UUID) -> Levels:
    """What counts in a workspace."""
    above = {SettingLevel.INSTALLATION: set_by_installation(work.settings)}
    return Levels(above, {WORKSPACE: await own_settings(work, workspace_id)})


async def levels_of_template(work: Work, workspace_id: UUID, key: str) -> Levels:
    """What a session would be issued with from the version that is issued; raises `NotFound`."""
    kind, published = DefinitionKind.TEMPLATE, DefinitionStatus.PUBLISHED
    row = await latest_definition(work.db, workspace_id, kind, key, published)
    row = row or await latest_definition(work.db, workspace_id, kind, key)
    if row is None:
        raise NotFound("session template")
    workspace = await levels_of_workspace(work, workspace_id)
    return Levels({**workspace.above, **workspace.own}, {TEMPLATE: _set_by(row)})


async def levels_of_session(work: Work, workspace_id: UUID, session_id: UUID) -> Levels:
    """What a session was issued with, above it the workspace as it is now; raises `NotFound`."""
    session = await session_by_id(work.db, session_id, workspace_id)
    if session is None:
        raise NotFound("public session")
    workspace = await levels_of_workspace(work, workspace_id)
    return Levels({**workspace.above, **workspace.own}, kept=terms_of(work, session))


def _set_by(row: DefinitionRow) -> dict[str, Any]:
    return usable_on(TEMPLATE, SessionTemplate.of(row.body).settings)


@dataclass(frozen=True, slots=True)
class Overridden:
    """Where a workspace's value does not count: values by template, and how many open sessions."""

    templates: Mapping[str, Any]
    sessions: int


async def overridden_in(work: Work, workspace_id: UUID) -> dict[str, Overridden]:
    """Which templates and open public sessions have values of their own, by setting."""
    templates = await set_by_templates(work, workspace_id)
    sessions = await count_overriding(work.db, workspace_id, work.at)
    return {
        name: Overridden(
            {key: values[name] for key, values in templates.items() if name in values}, number
        )
        for name, number in sessions.items()
    }


async def set_by_templates(work: Work, workspace_id: UUID) -> dict[str, dict[str, Any]]:
    """What each template that can be issued sets, by key: its published version, or its draft."""
    kind, found = DefinitionKind.TEMPLATE, dict[str, dict[str, Any]]()
    for status in (DefinitionStatus.DRAFT, DefinitionStatus.PUBLISHED):
        rows = await latest_definitions(work.db, workspace_id, kind, status)
        found |= {each.key: _set_by(each) for each in rows}
    return found
