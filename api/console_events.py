"""Tells a member's open pages that the session ended or will; keeps it when somebody says so.

Every tab of a browser shows the same warning with the server's countdown (SH-1 to SH-3, EE-7).
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.browser import is_script, refuse_cross_site, see_other
from api.console_pages import office_of
from api.context import Begin
from api.ended_hint import ended_of
from api.member_call import member_secret
from api.open_pages import News, news_of, open_pages_of
from commands.member_session import SignedIn, look_for_member, stay_connected
from commands.work import Work
from commands.workspace import find_workspace
from domain.member_errors import SignedOut
from domain.member_session import MemberSessionEnd
from store.gate import Gone, Idle, Shut
from store.member_gate import member_gates_of

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)

NOBODY = UUID(int=0)


async def member_gate(work: Work, sessions: list[UUID]) -> Mapping[UUID, Shut | Idle | Gone]:
    """What there is to tell each of these sessions."""
    return await member_gates_of(work.db, sessions, work.at)


@dataclass(frozen=True, slots=True)
class Listener:
    """The session of the browser that listens, and what there is to tell it at once."""

    session_id: UUID
    news: News


async def listener_of(request: Request, workspace: str, begin: Begin, member: str = "") -> Listener:
    """The browser behind the cookie; `member` is whom the listening page was made for.

    Listening is not activity, and looking ends nothing: the page that follows says why it ended.
    """
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await look_for_member(work, row.id, member_secret(request))
        if isinstance(found, SignedOut):
            return Listener(NOBODY, Shut(found.reason or ended_of(request, row.key)))
        if str(found.member.id) != member:
            return Listener(NOBODY, Shut(MemberSessionEnd.DIFFERENT_USER))
        news = await member_gate(work, [found.session.id])
        return Listener(found.session.id, news.get(found.session.id))


Listening = Annotated[Listener, Depends(listener_of)]


@router.get(  # the listener's own dependency reads the workspace
    "/console/{workspace}/events",  # noqa: FAST003
    response_class=EventSourceResponse,
)
async def get_events(
    request: Request, listener: Listening, begin: Begin
) -> AsyncIterator[ServerSentEvent]:
    """What becomes of this browser's session."""
    with open_pages_of(request.app.state).opened(member_gate, listener.session_id) as page:
        page.tell(listener.news)
        async for event in news_of(page, begin):
            yield event


@router.post("/console/{workspace}/stay")
async def post_stay(request: Request, workspace: str, begin: Begin) -> Response:
    """The person stays connected, in every tab (SH-2, SX-3); raises `SignedOut` if it is too late.

    What ended is committed before that is said.
    """
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await stay_connected(work, row.id, member_secret(request))
    if not isinstance(found, SignedIn):
        raise found
    return Response(status_code=204) if is_script(request) else see_other(office_of(row).base)
