"""What a session of a member is given when it begins: its lengths, and the limit it counts for."""

from datetime import timedelta

from domain.concurrency import ConcurrencyPolicy, Overflow
from domain.member_session import SessionTerms
from domain.settings import Settings
from domain.sign_in import SignInMode


def terms_of(settings: Settings, *, takes_tokens: bool) -> SessionTerms:
    """The lengths of a session that begins now; a program's lasts as its refresh tokens do."""
    if takes_tokens:
        return SessionTerms(settings.token_refresh, timedelta(), settings.token_refresh)
    absolute = settings.session_absolute_timeout if settings.session_limit_absolutely else None
    return SessionTerms(
        settings.session_idle_warning_after, settings.session_warning_grace, absolute
    )


def concurrency_of(settings: Settings, mode: SignInMode) -> ConcurrencyPolicy | None:
    """How many sessions a member may have at once by these settings; None: nobody counts."""
    if not settings.session_check_concurrency:
        return None
    return ConcurrencyPolicy.of(
        mode,
        allow_concurrent=settings.session_allow_concurrent,
        limit=settings.session_concurrent_limit,
        overflow=Overflow(settings.session_overflow),
    )
