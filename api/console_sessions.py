"""A member's own sessions: looked at, one ended, or all the others (SH-19)."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from api.browser import refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.ids import known_id
from api.member_call import ConsoleCall, MemberCall
from api.own_session import OwnSession, own_sessions
from commands.member_session import SessionTarget, end_sessions_of, kill_session
from domain.errors import NotFound
from domain.member_session import MemberSessionEnd
from domain.permission import Permission
from store.member import member_by_id
from store.member_session import sessions_shown

router = APIRouter(
    prefix="/console/{workspace}/account/sessions",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


async def _own(call: MemberCall) -> Sequence[OwnSession]:
    call.needs(Permission.ACCOUNT_OWN)
    rows = await sessions_shown(call.work.db, call.workspace_id, call.work.at, call.member.id)
    return own_sessions(rows, call.session.id)


def _back(call: MemberCall, done: str) -> Response:
    base = office_of(call.workspace).base
    return see_other(f"{base}/account/sessions?done={done}")


@router.get("", name="Sessions")
async def get_sessions(call: ConsoleCall) -> HTMLResponse:
    """The living ones and, for a while, those that were killed; this browser's is marked."""
    done = call.request.query_params.get("done", "")
    return member_page(call, "sessions.html", sessions=await _own(call), done=done)


@router.get("/end-others", name="Sessions")
async def get_end_others(call: ConsoleCall) -> HTMLResponse:
    """Asks whether to end all the others."""
    others = [each for each in await _own(call) if not (each.is_this or each.killed_at)]
    return member_page(call, "end_sessions.html", sessions=others, one=None)


@router.post("/end-others", name="Sessions")
async def post_end_others(call: ConsoleCall) -> Response:
    """Ends every session of the member but this browser's (ASVS 7.4.3, 7.5.2)."""
    call.needs(Permission.ACCOUNT_OWN)
    member = await member_by_id(call.work.db, call.workspace_id, call.member.id, lock=True)
    if member is not None:
        killed, mine = MemberSessionEnd.KILLED, call.session.id
        await end_sessions_of(call.work, member, killed, call.actor, but=mine)
    return _back(call, "others")


@router.get("/{session_id}/end", name="Sessions")
async def get_end(call: ConsoleCall, session_id: str) -> HTMLResponse:
    """Asks whether to end one."""
    wanted = known_id(session_id, "session")
    found = [each for each in await _own(call) if each.id == wanted and not each.killed_at]
    if not found or found[0].is_this:
        raise NotFound("session")
    return member_page(call, "end_sessions.html", sessions=found, one=found[0])


@router.post("/{session_id}/end", name="Sessions")
async def post_end(call: ConsoleCall, session_id: str) -> Response:
    """Ends one of one's own; of this browser's, logging out is the end."""
    call.needs(Permission.ACCOUNT_OWN)
    wanted = known_id(session_id, "session")
    if wanted == call.session.id:
        raise NotFound("session")
    target = SessionTarget(call.workspace_id, wanted, call.actor, owner=call.member.id)
    await kill_session(call.work, target)
    return _back(call, "one")
