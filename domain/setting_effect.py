"""What changing a setting does to what began before it, so that it can be told first (N16, SH-20).

What was stated stays as stated; so most effects say how much of that there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.sign_in import MODES, SignInMode

CONCURRENCY = "session.allow_concurrent"


class Effect(StrEnum):
    """What is counted.

    Sessions that keep the terms they began with; sessions that their members' next sign-ins end,
    and members whose next sign-in is refused; sessions that were not checked and stay (EE-19);
    open links, tokens and trusted browsers that keep their end; locked sign-ins that open at
    another time. Templates that have a value of their own, which counts for what they issue; open
    public sessions, which keep what they were issued with, and those of them that had it from
    their template or were given it.
    """

    SESSIONS_KEPT = "sessions_kept"
    SESSIONS_DISPLACED = "sessions_displaced"
    SIGN_INS_REFUSED = "sign_ins_refused"
    SESSIONS_UNCHECKED = "sessions_unchecked"
    INVITATIONS_KEPT = "invitations_kept"
    LINKS_KEPT = "links_kept"
    TOKENS_KEPT = "tokens_kept"
    DEVICES_KEPT = "devices_kept"
    LOCKS_MOVED = "locks_moved"
    TEMPLATES_OVERRIDING = "templates_overriding"
    PUBLIC_SESSIONS_KEPT = "public_sessions_kept"
    PUBLIC_SESSIONS_OVERRIDING = "public_sessions_overriding"


_TERMS = (Effect.SESSIONS_KEPT,)
_LIMITS = (Effect.SESSIONS_DISPLACED, Effect.SIGN_INS_REFUSED, Effect.SESSIONS_UNCHECKED)
_OF_SESSIONS = (
    Effect.TEMPLATES_OVERRIDING,
    Effect.PUBLIC_SESSIONS_KEPT,
    Effect.PUBLIC_SESSIONS_OVERRIDING,
)
EFFECTS: Mapping[str, tuple[Effect, ...]] = {
    "session.idle_warning_after": _TERMS,
    "session.warning_grace": _TERMS,
    "session.limit_absolutely": _TERMS,
    "session.absolute_timeout": _TERMS,
    CONCURRENCY: _LIMITS,
    "session.concurrent_limit": _LIMITS,
    "session.overflow": _LIMITS,
    "session.check_concurrency": _LIMITS,
    "login.lock": (Effect.LOCKS_MOVED,),
    "login.second_factor": _TERMS,
    "token.access": (Effect.TOKENS_KEPT,),
    "token.refresh": (Effect.TOKENS_KEPT,),
    "token.trusted_device": (Effect.DEVICES_KEPT,),
    "link.invitation": (Effect.INVITATIONS_KEPT,),
    "link.account": (Effect.LINKS_KEPT,),
    "code.life": _OF_SESSIONS,
    "code.mail_interval": _OF_SESSIONS,
    "code.mails_per_hour": _OF_SESSIONS,
    "code.mails_per_day": _OF_SESSIONS,
    "binding.idle": _OF_SESSIONS,
    "binding.grace": _OF_SESSIONS,
    "template.reminders": _OF_SESSIONS,
}
"""What each setting has to do with; one that is not here counts from now on and touches nothing."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting before and after, and how much of what it touches there is."""

    name: str
    before: Any
    after: Any
    effects: Mapping[Effect, int]


@dataclass(frozen=True, slots=True)
class ModeLock:
    """What a setting is for everybody who signs in in this way, and why (C17, EE-12)."""

    mode: SignInMode
    value: bool
    reason: str


def mode_locks(setting: str) -> tuple[ModeLock, ...]:
    """The ways to sign in for which a setting cannot be changed."""
    if setting != CONCURRENCY:
        return ()
    locked = {mode: each.concurrency_locked for mode, each in MODES.items()}
    return tuple(ModeLock(mode, True, reason) for mode, reason in locked.items() if reason)
