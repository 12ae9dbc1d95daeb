"""Says what a change of settings would do, before it is saved (N16, SH-20)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from commands.member_link import LinkKind
from commands.member_session_terms import concurrency_of
from commands.setting import own_settings, refuse_faulty, with_own
from commands.setting_level import set_by_templates
from commands.work import Work
from domain.concurrency import Admission
from domain.setting_effect import EFFECTS, Effect, SettingChange
from domain.setting_value import plain_value
from domain.settings import BY_NAME, Settings
from domain.sign_in import SignInMode
from store import setting_effect as counts
from store.setting_level import count_open, count_overriding
from store.trusted_device import count_devices


@dataclass(frozen=True, slots=True)
class _Change:
    """A workspace with the settings that count now and would count afterwards; one is asked for."""

    work: Work
    workspace_id: UUID
    before: Settings
    after: Settings
    name: str = ""


async def preview_settings(
    work: Work, workspace_id: UUID, values: Mapping[str, Any]
) -> list[SettingChange]:
    """What each value would change; one that changes nothing is left out.

    Values are read as `change_settings` reads them, all of them together. Raises `SettingRefused`.
    """
    refuse_faulty(values)
    own = await own_settings(work, workspace_id)
    wanted = {name: value for name, value in {**own, **values}.items() if value is not None}
    change = _Change(
        work, workspace_id, with_own(work.settings, own), with_own(work.settings, wanted)
    )
    found = [await _change_of(replace(change, name=name)) for name in values]
    return [each for each in found if each.before != each.after]


async def _change_of(change: _Change) -> SettingChange:
    name, attribute = change.name, BY_NAME[change.name].attribute
    before, after = (
        plain_value(getattr(each, attribute)) for each in (change.before, change.after)
    )
    effects = EFFECTS.get(name, ())
    return SettingChange(
        name, before, after, {each: await COUNTS[each](change) for each in effects}
    )


async def _kept(change: _Change) -> int:
    return await counts.count_sessions(change.work.db, change.workspace_id, change.work.at)


async def _unchecked(change: _Change) -> int:
    return await counts.count_sessions(
        change.work.db, change.workspace_id, change.work.at, unchecked=True
    )


async def _admissions(change: _Change) -> list[Admission[int]]:
    """What the next sign-in of each member with a session would mean."""
    policy = concurrency_of(change.after, SignInMode.PASSWORD)
    if policy is None:
        return []
    living = await counts.checked_sessions_of_each(
        change.work.db, change.workspace_id, change.work.at
    )
    return [policy.admitting(range(each)) for each in living]


async def _displaced(change: _Change) -> int:
    return sum(len(each.displaced) for each in await _admissions(change))


async def _refused(change: _Change) -> int:
    return sum(each.is_refused for each in await _admissions(change))


async def _invitations(change: _Change) -> int:
    return await counts.count_open_links(
        change.work.db, change.workspace_id, [LinkKind.INVITATION], change.work.at
    )


async def _links(change: _Change) -> int:
    kinds = [each for each in LinkKind if each is not LinkKind.INVITATION]
    return await counts.count_open_links(change.work.db, change.workspace_id, kinds, change.work.at)


async def _tokens(change: _Change) -> int:
    return await counts.count_tokens(change.work.db, change.workspace_id, change.work.at)


async def _devices(change: _Change) -> int:
    return await count_devices(change.work.db, change.workspace_id, change.work.at)


async def _locks(change: _Change) -> int:
    return await counts.count_locked(
        change.work.db, change.workspace_id, change.work.at, change.before.login_lock
    )


async def _templates(change: _Change) -> int:
    found = await set_by_templates(change.work, change.workspace_id)
    return sum(change.name in each for each in found.values())


async def _public_sessions(change: _Change) -> int:
    return await count_open(change.work.db, change.workspace_id, change.work.at)


async def _overriding(change: _Change) -> int:
    found = await count_overriding(change.work.db, change.workspace_id, change.work.at)
    return found[change.name]


COUNTS: Mapping[Effect, Callable[[_Change], Awaitable[int]]] = {
    Effect.SESSIONS_KEPT: _kept,
    Effect.SESSIONS_UNCHECKED: _unchecked,
    Effect.SESSIONS_DISPLACED: _displaced,
    Effect.SIGN_INS_REFUSED: _refused,
    Effect.INVITATIONS_KEPT: _invitations,
    Effect.LINKS_KEPT: _links,
    Effect.TOKENS_KEPT: _tokens,
    Effect.DEVICES_KEPT: _devices,
    Effect.LOCKS_MOVED: _locks,
    Effect.TEMPLATES_OVERRIDING: _templates,
    Effect.PUBLIC_SESSIONS_KEPT: _public_sessions,
    Effect.PUBLIC_SESSIONS_OVERRIDING: _overriding,
}
