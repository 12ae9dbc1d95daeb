"""Signing in because a trusted reverse proxy says who is there: nobody is asked (EE-3)."""

from dataclasses import replace

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.console_next import address_asked
from api.context import transactions_in
from api.member_call import (
    browser_of,
    given_secret,
    keep_device,
    keep_member,
    member_secret,
    vouched_digest,
)
from api.vouched import vouched_by_proxy
from commands.integrated_sign_in import Vouched, sign_in_vouched
from commands.member_session import Begun, SignedIn, look_for_member, vouched_in
from commands.work import Transactions
from commands.workspace import find_workspace
from domain.member_errors import SessionLimitReached, SignInRefused, SomebodyElseSignedIn

SAME_AGAIN = 307


async def sign_in_by_proxy(
    request: Request, workspace: str, begin: Transactions
) -> Begun | SignInRefused | SessionLimitReached | SomebodyElseSignedIn | None:
    """What came of the proxy's word; the session that the member has here already, if it has one.

    None where no proxy says who is there.
    """
    address, browser = vouched_by_proxy(request), browser_of(request)
    if not address:
        return None
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await look_for_member(work, row.id, browser.secret)
        if isinstance(found, SignedIn) and _is_of(request, found):
            return Begun(found.session, browser.secret)
        browser = replace(browser, secret=given_secret(request))
        return await sign_in_vouched(work, Vouched(row.id, address, browser))


def _is_of(request: Request, found: SignedIn) -> bool:
    return found.member.email_digest == vouched_digest(request)


async def same_again(request: Request, workspace: str) -> Response | None:
    """The way to a form's address once more, with a new session for the one that is over.

    Only for the person who had that one: what somebody else typed is not sent in this one's name.
    """
    secret = member_secret(request)
    if not vouched_in(secret):
        return None
    begun = await sign_in_by_proxy(request, workspace, transactions_in(request))
    if not isinstance(begun, Begun):
        return None
    answer = RedirectResponse(address_asked(request), SAME_AGAIN)
    keep_member(request, answer, begun.secret)
    keep_device(request, answer)
    return answer
