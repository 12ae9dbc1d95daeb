"""The party's room: the task list, each task, leaving and declining (PS-27, PS-31, SX-9).

A refusal is raised here and shown by `api/error_pages.py`, which knows the way back for each.
"""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.languages import translations_for
from api.browser import (
    PostedPairs,
    TaskPairs,
    field_of,
    forget_binding,
    is_script,
    refuse_cross_site,
    refuse_large_form,
    see_other,
    visitor_of,
)
from api.context import Begin
from api.errors import status_of
from api.party_pages import Occasion, language_of, occasion_of, page_of, steps_of
from api.signature_post import window_of_page
from api.signing_keep import keeping
from api.task_page import Place
from api.task_pages import shown_task, values_posted
from commands.capture import Posted
from commands.mail import link_of
from commands.room import (
    CompleteTask,
    Room,
    Visitor,
    complete_in,
    decline_room,
    enter_to_act,
    note_active,
    party_of,
    quit_room,
)
from commands.work import Transactions, Work
from domain.agreement_errors import (
    AgreementStale,
    ChangesUnconfirmed,
    StepUpNeeded,
    WindowHeld,
)
from domain.errors import AnswersRefused, DomainError, SessionEnded, TaskDone
from domain.public_session import EndReason
from domain.task import TaskKind
from store.party import PartyRow
from store.workspace import workspace_by_id

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)

LONGEST_REASON = 1000


@router.get("/sessions/{session_id}")
async def get_room(request: Request, session_id: str, begin: Begin) -> Response:
    """The task list: what is done, what comes next, for whom and until when."""
    async with begin.work() as work:
        room = await enter_to_act(work, visitor_of(request, session_id))
        shown = await room_values(request, work, room)
    return page_of(name="room.html", **shown)


async def room_values(request: Request, work: Work, room: Room) -> dict[str, Any]:
    """What every page of a room is given."""
    party = await party_of(work, room)
    return {
        "occasion": await _occasion(request, work, room, party),
        "room": room_address(room),
        "steps": steps_of(room.value, room.tasks),
        "next_step": room.value.next_task.key if room.value.next_task else None,
    }


async def _occasion(request: Request, work: Work, room: Room, party: PartyRow) -> Occasion:
    workspace = await workspace_by_id(work.db, room.session.workspace_id)
    return occasion_of(request, room.session, party, workspace, work.at)


def room_address(room: Room) -> str:
    """The path of a room."""
    return f"/sessions/{room.session.id}"


@router.get("/sessions/{session_id}/tasks/{key}")
async def get_task(request: Request, session_id: str, key: str, begin: Begin) -> Response:
    """One task: open to be done, done to be read again."""
    async with begin.work() as work:
        room = await enter_to_act(work, visitor_of(request, session_id))
        return await task_page(request, work, room, key)


async def task_page(
    request: Request,
    work: Work,
    room: Room,
    key: str,
    refused: DomainError | None = None,
) -> HTMLResponse:
    """The page of one task, with what was refused of what was sent for it."""
    answers = refused if isinstance(refused, AnswersRefused) else None
    task = room.task(key)
    refusal = room.value.refuses_task(key)
    if refusal and not isinstance(refusal, TaskDone):
        raise refusal
    common = await room_values(request, work, room)
    # Whoever is asked about another window has none yet, whatever its form said.
    window = "" if isinstance(refused, WindowHeld) else window_of_page(request)
    place = Place(work, room, task, window)
    shown = await shown_task(place, common["occasion"].locale, answers)
    return page_of(
        name=f"tasks/{'done' if refusal else task.kind}.html",
        status=status_of(refused) if refused else 200,
        key=key,
        errors=answers.errors if answers else {},
        refused=refused,
        refusal=type(refused).__name__ if refused else "",
        **common,
        **shown,
    )


SHOWN_AGAIN = (AnswersRefused, AgreementStale, ChangesUnconfirmed, StepUpNeeded)
"""What is still to be done on the task's own page, whose answers stay on it."""


@router.post("/sessions/{session_id}/tasks/{key}")
async def post_task(
    request: Request, session_id: str, key: str, posted: TaskPairs, begin: Begin
) -> Response:
    """Completes one task, and leads to the next; the last one leads to the room that says so."""
    visitor = visitor_of(request, session_id)
    try:
        async with keeping(request, begin, visitor, key, posted):
            room = await _complete(request, visitor, key, posted, begin)
    except SHOWN_AGAIN as refused:
        async with begin.work() as work:
            room = await enter_to_act(work, visitor)
            return await task_page(request, work, room, key, refused)
    except TaskDone:
        # A double click, a second submit or the back button: what was captured stands (SX-5).
        return _to(f"/sessions/{visitor.session_id}")
    except SessionEnded as ended:
        if ended.end_reason != EndReason.COMPLETED:
            raise
        return _to(f"/sessions/{visitor.session_id}")
    following = room.value.next_task
    at = room_address(room)
    return _to(f"{at}/tasks/{following.key}" if following else at)


async def _complete(
    request: Request,
    visitor: Visitor,
    key: str,
    posted: list[tuple[str, str]],
    begin: Transactions,
) -> Room:
    async with begin.work() as work:
        room = await enter_to_act(work, visitor, lock=True)
        party = await party_of(work, room)
        locale = language_of(request, party.locale)
        task = room.task(key)
        if task.kind != TaskKind.SIGNATURE:
            refuse_large_form(request)
        values = await values_posted(Place(work, room, task), posted)
        what = Posted(values, locale, translations_for(locale).gettext)
        return await complete_in(work, room, CompleteTask(key, what))


def _to(path: str) -> Response:
    return see_other(path)


@router.get("/sessions/{session_id}/decline")
async def get_decline(request: Request, session_id: str, begin: Begin) -> Response:
    """Asks whether to decline, and why."""
    return await _decline_page(request, visitor_of(request, session_id), begin)


async def _decline_page(
    request: Request,
    visitor: Visitor,
    begin: Transactions,
    *,
    problem: str = "",
    reason: str = "",
) -> HTMLResponse:
    async with begin.work() as work:
        room = await enter_to_act(work, visitor)
        shown = await room_values(request, work, room)
    return page_of(
        name="decline.html",
        status=422 if problem else 200,
        problem=problem,
        reason=reason,
        longest=LONGEST_REASON,
        **shown,
    )


@router.post("/sessions/{session_id}/decline")
async def post_decline(
    request: Request, session_id: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Declines with a reason; ends the session for good."""
    visitor = visitor_of(request, session_id)
    reason = field_of(posted, "reason").replace("\r\n", "\n").strip()
    problem = _problem_of(reason)
    if problem:
        return await _decline_page(request, visitor, begin, problem=problem, reason=reason)
    async with begin.work() as work:
        await decline_room(work, visitor, reason)
    return _to(f"/sessions/{visitor.session_id}")


def _problem_of(reason: str) -> str:
    if not reason:
        return "missing"
    if "\x00" in reason:
        return "unreadable"
    return "too_long" if len(reason) > LONGEST_REASON else ""


@router.post("/sessions/{session_id}/quit")
async def post_quit(request: Request, session_id: str, begin: Begin) -> Response:
    """Leaves this browser: its place ends and its cookie goes; what was done stays (SX-9)."""
    visitor = visitor_of(request, session_id)
    async with begin.work() as work:
        room = await quit_room(work, visitor)
        shown = await room_values(request, work, room)
        link = link_of(work, room.session)
        ended = room.value.end_at(work.at)
    answer = page_of(name="left.html", link=link, is_over=ended is not None, **shown)
    forget_binding(request, answer, visitor.session_id)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@router.post("/sessions/{session_id}/stay")
async def post_stay(request: Request, session_id: str, begin: Begin) -> Response:
    """The person is still here: counts as activity of the whole session (SX-3)."""
    async with begin.work() as work:
        room = await enter_to_act(work, visitor_of(request, session_id), lock=True)
        await note_active(work, room)
    return Response(status_code=204) if is_script(request) else _to(room_address(room))
