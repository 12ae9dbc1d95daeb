"""Tells the open pages of a room that its session, its browser's place or a window has ended.

PS-30; and EX-13, EX-19, EX-22 for what is being signed in it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.browser import visitor_of
from api.context import Begin
from api.open_pages import Gate, News, Signings, news_of, open_pages_of
from commands.public_session_terms import idle_policy
from commands.room import enter
from commands.signing import window_policy
from commands.work import Work
from domain.task import TaskKind
from store.binding import sessions_of
from store.gate import Idle, Shut, gates_of
from store.signing_gate import end_words, signings_of

router = APIRouter(include_in_schema=False)


async def room_gate(work: Work, bindings: list[UUID]) -> Mapping[UUID, Shut | Idle]:
    """What there is to tell each of these browsers."""
    return await gates_of(work.db, bindings, work.at, idle_policy(work.settings))


async def signing_room_gate(work: Work, bindings: list[UUID]) -> Mapping[UUID, News]:
    """As `room_gate`, for browsers in rooms where something is signed: its windows too (EX-22)."""
    gates = await room_gate(work, bindings)
    gates = await _named_ends(work, gates)
    signings = await signings_of(work.db, bindings, work.at, window_policy(work))
    told: dict[UUID, News] = dict(gates)
    for binding, windows in signings.items():
        gate = gates.get(binding)
        if not isinstance(gate, Shut):
            told[binding] = Signings(gate, windows)
    return told


async def _named_ends(work: Work, gates: Mapping[UUID, Shut | Idle]) -> Mapping[UUID, Shut | Idle]:
    """Who was asked for a document that was cancelled hears that word, as on the page (EX-23)."""
    shut = {each: gate.reason for each, gate in gates.items() if isinstance(gate, Shut)}
    if not shut:
        return gates
    sessions = await sessions_of(work.db, list(shut))
    words = await end_words(work.db, {whose: shut[each] for each, whose in sessions.items()})
    return {**gates, **{each: Shut(words[whose]) for each, whose in sessions.items()}}


@dataclass(frozen=True, slots=True)
class Listener:
    """The browser that listens, which gate it listens at, and what there is to tell it at once."""

    binding_id: UUID
    gate: Gate
    news: News


async def listener_of(request: Request, session_id: str, begin: Begin) -> Listener:
    """The browser behind the cookie; raises `NotFound` for a stranger, before anything is streamed.

    Listening is not activity: a page left open goes idle.
    """
    async with begin.work() as work:
        room = await enter(work, visitor_of(request, session_id))
        signs = any(each.kind == TaskKind.SIGNATURE for each in room.tasks)
        gate: Gate = signing_room_gate if signs else room_gate
        binding_id = room.binding.id
        return Listener(binding_id, gate, (await gate(work, [binding_id])).get(binding_id))


Listening = Annotated[Listener, Depends(listener_of)]


@router.get(  # the listener's own dependency reads the id
    "/sessions/{session_id}/events",  # noqa: FAST003
    response_class=EventSourceResponse,
)
async def get_events(
    request: Request, listener: Listening, begin: Begin
) -> AsyncIterator[ServerSentEvent]:
    """What becomes of the session and of this browser's place in it."""
    with open_pages_of(request.app.state).opened(listener.gate, listener.binding_id) as page:
        page.tell(listener.news)
        async for event in news_of(page, begin):
            yield event
