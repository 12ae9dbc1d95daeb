"""What a public session is given when it is issued, and keeps until its end (SH-20, N16).

Each setting that a session may have of its own is settled then: the session's before the
template's, that before the workspace's and the installation's. What any of them sets afterwards is
for sessions that are issued afterwards, so that nothing which was stated to a party moves.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from commands.setting import own_settings, with_own
from commands.work import Work
from domain.binding import IdlePolicy
from domain.code import CodePolicy, MailAllowance
from domain.member_errors import SettingRefused
from domain.setting import SettingLevel
from domain.setting_level import (
    Effective,
    Origin,
    effective,
    faults_on,
    set_by_installation,
    usable_on,
)
from domain.settings import BY_NAME, CATALOGUE, Settings
from store.public_session import PublicSessionRow

OF_SESSIONS = tuple(each for each in CATALOGUE if SettingLevel.SESSION in each.levels)
AT = "/settings"


def refuse_faulty(given: Mapping[str, Any]) -> None:
    """Raises `SettingRefused` naming every fault of what one session is to have."""
    faults = faults_on(SettingLevel.SESSION, given, AT)
    if faults:
        raise SettingRefused(faults)


async def settle_terms(
    work: Work, workspace_id: UUID, of_template: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """What a session that is issued now keeps: each value with its origin, by name."""
    set_on = {
        SettingLevel.INSTALLATION: set_by_installation(work.settings),
        SettingLevel.WORKSPACE: await own_settings(work, workspace_id),
        SettingLevel.TEMPLATE: usable_on(SettingLevel.TEMPLATE, of_template),
        SettingLevel.SESSION: given,
    }
    settled = {each.name: effective(each, set_on) for each in OF_SESSIONS}
    return {name: {"value": it.value, "origin": it.origin} for name, it in settled.items()}


def terms_of(work: Work, session: PublicSessionRow) -> dict[str, Effective]:
    """What counts in a session, by name, as it was settled.

    One that a release before this issued, or that did not know a setting, follows the installation.
    """
    set_on = {SettingLevel.INSTALLATION: set_by_installation(work.settings)}
    kept = _kept(session)
    return {each.name: kept.get(each.name) or effective(each, set_on) for each in OF_SESSIONS}


def own_terms(session: PublicSessionRow) -> dict[str, Any]:
    """What was given to this very session, as far as it can be given to another one today."""
    own = {name: it.value for name, it in _kept(session).items() if it.origin is Origin.SESSION}
    return usable_on(SettingLevel.SESSION, own)


def _kept(session: PublicSessionRow) -> dict[str, Effective]:
    return {
        name: Effective(kept["value"], Origin(kept["origin"]))
        for name, kept in session.settings.items()
        if name in BY_NAME
    }


def settings_in(work: Work, session: PublicSessionRow) -> Settings:
    """The settings as they count in a session."""
    return with_own(work.settings, {name: it.value for name, it in _kept(session).items()})


def idle_policy(settings: Settings) -> IdlePolicy:
    """How long a party's browser may be silent."""
    return IdlePolicy(settings.binding_idle, settings.binding_grace)


def code_policy(settings: Settings) -> CodePolicy:
    """The limits of codes."""
    return CodePolicy(
        settings.code_life,
        settings.code_tries_per_browser,
        settings.code_tries_per_code,
        settings.code_failures_per_party,
    )


def mail_allowance(settings: Settings) -> MailAllowance:
    """The limits of mails to one address."""
    return MailAllowance(
        settings.code_mail_interval, settings.code_mails_per_hour, settings.code_mails_per_day
    )
