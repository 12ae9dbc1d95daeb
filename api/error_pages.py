"""Every refusal as a page: what happened, truly, and the way back.

Where the link or the cookie says
which session it was, the page is that session's, in the party's language; a stranger's page is the
same for everybody.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.answers import Answers
from api.browser import settings_of, visitor_of
from api.console_errors import is_of_console, member_page_for_error
from api.context import transactions_in
from api.errors import problem_of, status_of
from api.link import link_in
from api.party_pages import door_occasion, language_of, page, page_of, steps_of
from api.room import room_address, room_values
from api.signature_page import signers_exit
from api.task_page import Place
from api.task_pages import typed_answers
from commands.door import Door, open_door
from commands.mail import link_of
from commands.room import Room, enter
from commands.work import Work
from domain.agreement_errors import AgreementClosed, SignerHasTurn, WindowLost
from domain.errors import (
    BindingLost,
    DomainError,
    Erased,
    NoContactAddress,
    SessionEnded,
    TaskLocked,
    VerificationLocked,
)
from domain.public_session import EndReason
from store.database import is_away
from store.public_session import PublicSessionRow, value_of
from store.signing_gate import end_words

log = structlog.get_logger()

DOOR = "/s/"
RETRY_AFTER = "5"
UNAVAILABLE = 503
OF_A_SESSION = (
    SessionEnded,
    Erased,
    BindingLost,
    TaskLocked,
    VerificationLocked,
    NoContactAddress,
    WindowLost,
    AgreementClosed,
    SignerHasTurn,
)
"""The refusals whose page is the session's own."""
ERASED = "erased"
"""The word for what was erased, whatever its end was before."""
PAGE = "document"
PLAIN = frozenset({400, 403, 404, 405, 413, 415, 500, 503})


async def answer_parts(request: Request) -> None:
    """Notes that a page's script, image or sheet asks, which is told of a refusal as a problem.

    A page for people would be read as what it asked for (Fetch Metadata).
    """
    request.state.wants_problems = request.headers.get("sec-fetch-dest", PAGE) != PAGE


async def page_for_error(request: Request, error: Exception) -> Response:
    """The page for whatever a party's or member's route raised; never raises itself."""
    if getattr(request.state, "wants_problems", False):
        return problem_of(error, request.app.state.clock())
    if is_of_console(request):
        return await member_page_for_error(request, error)
    try:
        if isinstance(error, OF_A_SESSION):
            return await _page_of_session(request, error)
    except Exception as second:
        if not isinstance(second, DomainError) and not is_away(second):
            log.exception("error_page_failed", kind=_kind_of(request))
        return _plain(request, second)
    return _plain(request, error)


def _kind_of(request: Request) -> str:
    """ "link" at the door, "room" elsewhere; the path itself holds the link and is never logged."""
    return "link" if request.url.path.startswith(DOOR) else "room"


def _plain(request: Request, error: Exception) -> HTMLResponse:
    """A page that is about no session: the same for everybody who is told this."""
    status = status_of(error)
    answer = page(
        "error.html",
        language_of(request),
        status,
        what=status if status in PLAIN else 500,
        kind=_kind_of(request),
        limit=settings_of(request).room_body_bytes,
    )
    if status == UNAVAILABLE:
        answer.headers["retry-after"] = RETRY_AFTER
    for name, value in (getattr(error, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer


async def _page_of_session(request: Request, error: Exception) -> Response:
    async with transactions_in(request).work() as work:
        if _kind_of(request) == "link":
            link = link_in(request.path_params.get("token", ""))
            return await _door_page(request, work, await open_door(work, link), error, link)
        visitor = visitor_of(request, request.path_params.get("session_id", ""))
        return await _room_page(request, work, await enter(work, visitor), error)


async def _door_page(
    request: Request, work: Work, door: Door, error: Exception, link: str
) -> HTMLResponse:
    occasion = door_occasion(request, door, work.at)
    if isinstance(error, SessionEnded):
        steps = steps_of(value_of(door.session, door.tasks), door.tasks)
        values = _ended_values(door.session, error.end_reason) | {"receipt": ""}
        values["reason"] = await _reason(work, door.session, values["reason"])
        return page_of(occasion, "ended.html", status_of(error), steps=steps, typed=(), **values)
    name = "locked.html" if isinstance(error, VerificationLocked) else "no_address.html"
    return page_of(occasion, name, status_of(error), link=link)


async def _room_page(request: Request, work: Work, room: Room, error: Exception) -> HTMLResponse:
    shown = await room_values(request, work, room)
    typed = await _typed(request, work, room, shown["occasion"].locale)
    if isinstance(error, SessionEnded | Erased):
        ended = ERASED if isinstance(error, Erased) else error.end_reason
        # The browser that finished comes to its own good end: that is no error.
        done = ended == EndReason.COMPLETED and request.method == "GET"
        values = _ended_values(room.session, ended) | {"receipt": _receipt_address(room)}
        values["reason"] = await _reason(work, room.session, values["reason"])
        status = 200 if done else status_of(error)
        return page_of(name="ended.html", status=status, typed=typed, **shown, **values)
    if isinstance(error, BindingLost):
        return page_of(
            name="lost.html",
            status=status_of(error),
            reason=error.reason,
            link=link_of(work, room.session),
            typed=typed,
            **shown,
        )
    if isinstance(error, WindowLost | AgreementClosed | SignerHasTurn):
        return await _window_page(request, work, room, error)
    before = error.before if isinstance(error, TaskLocked) else ""
    first = room.task(before)
    return page_of(name="task_locked.html", status=status_of(error), before=first, **shown)


async def _window_page(
    request: Request, work: Work, room: Room, error: WindowLost | AgreementClosed | SignerHasTurn
) -> HTMLResponse:
    """A window that may not act any more, or a document with nothing left to do on it."""
    shown = await room_values(request, work, room)
    place = Place(work, room, room.task(request.path_params["key"]))
    return page_of(
        name="window_lost.html" if isinstance(error, WindowLost) else "agreement_closed.html",
        status=status_of(error),
        error=error,
        link=link_of(work, room.session),
        exit_url=await signers_exit(place),
        kept=getattr(request.state, "kept", False),
        task=place.task,
        **shown,
    )


async def _reason(work: Work, session: PublicSessionRow, reason: str) -> str:
    return (await end_words(work.db, {session.id: reason}))[session.id]


def _ended_values(session: PublicSessionRow, reason: str) -> dict[str, Any]:
    """How a session ended, without the rationale, which stays inside (PS-30, PS-31)."""
    return {
        "reason": ERASED if session.erased_at else reason,
        "ended_at": session.ended_at or session.expires_at,
        "message": session.message if reason == EndReason.REVOKED else "",
    }


def _receipt_address(room: Room) -> str:
    """Where the browser that completed the session finds its receipt; "" for any other."""
    mine = room.session.binding_id == room.binding.id and room.session.erased_at is None
    completed = room.session.end_reason == EndReason.COMPLETED
    return f"{room_address(room)}/receipt" if mine and completed else ""


async def _typed(request: Request, work: Work, room: Room, locale: str) -> Answers:
    """What was typed into a form that came too late; shown to be copied, kept nowhere."""
    posted: Sequence[tuple[str, str]] = getattr(request.state, "posted", ())
    key = request.path_params.get("key")
    if not posted or key is None:
        return ()
    return await typed_answers(Place(work, room, room.task(key)), posted, locale)
