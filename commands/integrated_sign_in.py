"""Signs in whoever a trusted reverse proxy says is there, without asking (EE-3, EE-12).

The browser's secret is bound to that person: with another one behind the proxy it opens nothing.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from commands.member import address_digest
from commands.member_session import Begun, Browser, end_sessions_in, vouched_in
from commands.recognised_sign_in import Recognised, sign_in_recognised
from commands.work import Work
from domain.member_errors import SessionLimitReached, SignInRefused, SomebodyElseSignedIn
from domain.member_session import MemberSessionEnd
from domain.sign_in import SignInMode
from store.member import member_by_address


@dataclass(frozen=True, slots=True)
class Vouched:
    """The address that the proxy gave, and the browser with whatever secret it has."""

    workspace_id: UUID
    email: str
    browser: Browser


async def sign_in_vouched(
    work: Work, wanted: Vouched
) -> Begun | SignInRefused | SessionLimitReached | SomebodyElseSignedIn:
    """Begins a session of the member with this address, in place of what ended before.

    Sessions that the browser has from when somebody else was behind the proxy end, unasked: that
    person has left. A refusal is returned, for it is in the report (EE-17).
    """
    member = await member_by_address(
        work.db, wanted.workspace_id, address_digest(work, wanted.email)
    )
    browser = await _own(work, wanted.browser)
    member_id = member.id if member else None
    return await sign_in_recognised(
        work, Recognised(wanted.workspace_id, member_id, SignInMode.INTEGRATED, browser)
    )


async def _own(work: Work, browser: Browser) -> Browser:
    """The browser without a secret that somebody else behind the proxy left in it."""
    if vouched_in(browser.secret) in {"", browser.vouched}:
        return browser
    await end_sessions_in(work, browser.secret, MemberSessionEnd.DIFFERENT_USER)
    return replace(browser, secret="")
