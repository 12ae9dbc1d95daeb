"""Tells open editors who may write, and on which version, within the poll's interval (EX-22)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.console_agreements import PATH
from api.context import Begin
from api.member_call import quiet_call
from api.open_pages import News, news_of, open_pages_of
from commands.agreement import members_agreement
from commands.work import Work
from domain.permission import Permission
from store.editing_gate import Editing, editing_gates_of

router = APIRouter(include_in_schema=False)


async def editing_gate(work: Work, agreements: list[UUID]) -> Mapping[UUID, Editing]:
    """Who may write on each of these agreements."""
    return await editing_gates_of(work.db, agreements)


@dataclass(frozen=True, slots=True)
class Listener:
    """The agreement that an editor listens about, and what there is to tell it at once."""

    agreement_id: UUID
    news: News


async def listener_of(
    request: Request, workspace: str, agreement_id: UUID, begin: Begin
) -> Listener:
    """A member who may edit it; listening is no activity.

    Raises `SignedOut`, `PermissionDenied` or `NotFound`.
    """
    async with quiet_call(request, workspace, begin) as call:
        call.needs(Permission.AGREEMENTS_MANAGE)
        whole = await members_agreement(call.work, agreement_id, call.workspace_id)
        news = await editing_gate(call.work, [whole.row.id])
    return Listener(agreement_id, news.get(agreement_id))


Listening = Annotated[Listener, Depends(listener_of)]


@router.get(  # the listener's own dependency reads workspace and agreement
    f"/console/{{workspace}}{PATH}/{{agreement_id}}/events",
    response_class=EventSourceResponse,
)
async def get_events(
    request: Request, listener: Listening, begin: Begin
) -> AsyncIterator[ServerSentEvent]:
    """The fence and the version, whenever one of them changes."""
    with open_pages_of(request.app.state).opened(editing_gate, listener.agreement_id) as page:
        page.tell(listener.news)
        async for event in news_of(page, begin):
            yield event
