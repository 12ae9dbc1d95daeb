"""Logging out ends this browser's session in this workspace and no other (EX-3, EE-8, SX-14)."""

from fastapi import APIRouter, Depends, Request, Response

from api.browser import refuse_cross_site, see_other
from api.console_next import sign_in_address
from api.console_pages import office_of
from api.context import Begin
from api.ended_hint import keep_ended
from api.member_call import forget_member, member_secret
from commands.member import actor_here
from commands.member_session import (
    SignedIn,
    is_signed_in_anywhere,
    log_out,
    recognise_member,
)
from commands.work import Work
from commands.workspace import find_workspace
from domain.member_session import MemberSessionEnd
from store.workspace import WorkspaceRow

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)

CLEARED = '"cache"'
"""What was shown goes (ASVS 14.3.1); cookies and storage stay, for they are parties' too."""


@router.post("/console/{workspace}/sign-out")
async def post_sign_out(request: Request, workspace: str, begin: Begin) -> Response:
    """Ends the session, if there still is one; twice is once."""
    secret = member_secret(request)
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        reason = await _leave(work, row, secret)
        is_used = await is_signed_in_anywhere(work, secret)
    answer = see_other(sign_in_address(office_of(row).base))
    if not is_used:
        # Workspaces in one browser share the cookie: it goes with the last of them (EE-5).
        forget_member(request, answer)
    keep_ended(request, answer, row.key, reason)
    answer.headers["clear-site-data"] = CLEARED
    return answer


async def _leave(work: Work, row: WorkspaceRow, secret: str) -> str:
    """Why the session is over: logged out now, or what ended it before."""
    found = await recognise_member(work, row.id, secret, acting=False)
    if not isinstance(found, SignedIn):
        return found.reason
    await log_out(work, found, actor_here(found))
    return MemberSessionEnd.LOGGED_OUT
