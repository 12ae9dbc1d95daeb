"""The login report's lines: every attempt at signing in, good or bad (EE-15, EE-17)."""

from enum import StrEnum
from uuid import UUID

from commands.member_session import Browser
from commands.work import Work
from domain.sign_in import SignInMode
from store.access import LoginRow


class LoginOutcome(StrEnum):
    """What an attempt at signing in came to, as the login report says it (EE-15, EE-17)."""

    SIGNED_IN = "signed_in"
    FAILED = "failed"
    LOCKED = "locked"
    LIMIT_REACHED = "limit_reached"
    FACTOR_ASKED = "factor_asked"


def log_attempt(
    work: Work,
    workspace_id: UUID,
    member_id: UUID | None,
    outcome: LoginOutcome,
    browser: Browser,
    mode: SignInMode,
) -> None:
    """Writes an attempt down for the login report, good or bad (EE-17)."""
    row = LoginRow(
        workspace_id=workspace_id, member_id=member_id, mode=mode, outcome=outcome, at=work.at
    )
    row.browser = browser.name
    work.db.add(row)
