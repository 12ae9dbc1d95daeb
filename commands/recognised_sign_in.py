"""Signs in whom another system has recognised: an identity provider, or a reverse proxy (EE-3)."""

from dataclasses import dataclass
from uuid import UUID

from commands.login import LoginOutcome, log_attempt
from commands.member_session import Begun, Browser
from commands.sign_in import active_member, begin_or_ask
from commands.work import Work
from domain.member_errors import SessionLimitReached, SignInRefused, SomebodyElseSignedIn
from domain.sign_in import SignInMode


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whom another system has recognised, or None for nobody of here; in which way and browser."""

    workspace_id: UUID
    member_id: UUID | None
    mode: SignInMode
    browser: Browser


async def sign_in_recognised(
    work: Work, wanted: Recognised
) -> Begun | SignInRefused | SessionLimitReached | SomebodyElseSignedIn:
    """Begins the session of somebody who proved elsewhere who it is; refused unless it is active.

    Wrong passwords do not lock this way in: there is nothing here to guess, and a stranger could
    keep a member out. A refusal is returned and not raised, for it is in the report (EE-17).
    """
    workspace_id, known = wanted.workspace_id, wanted.member_id
    member = await active_member(work, workspace_id, known) if known else None
    if member is None:
        failed = LoginOutcome.FAILED
        log_attempt(work, workspace_id, None, failed, wanted.browser, wanted.mode)
        return SignInRefused()
    return await begin_or_ask(work, member, wanted.mode, wanted.browser)
