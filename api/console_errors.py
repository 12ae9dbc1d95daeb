"""Every refusal as a member's page: what happened, truly, and the way on.

Whoever is not signed in comes to the sign-in with the way back; one whose form came too late is
told that nothing was done.
"""

from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.browser import SAFE_METHODS, see_other, settings_of
from api.console_integrated import same_again
from api.console_next import address_asked, safe_next, sign_in_address
from api.console_pages import Office, office_of, ways_of
from api.context import transactions_in
from api.ended_hint import ended_of, keep_ended
from api.errors import RETRY_AFTER_SECONDS, status_of
from api.member_call import keep_member, member_secret, page_name
from api.party_pages import language_of, page
from api.problem import UNAVAILABLE
from api.upload_words import size_in_words
from commands.delegation import leave_delegation
from commands.member import actor_here
from commands.member_session import SignedIn, look_for_member
from commands.workspace import find_workspace
from domain.errors import DomainError
from domain.member_errors import (
    ChannelDenied,
    DelegationOver,
    PermissionDenied,
    SignedOut,
)
from store.database import is_away

log = structlog.get_logger()

CONSOLE = "/console/"
FRAME = ("it", "me", "acting_for", "ways")
"""What the layout of every page is given."""
PLAIN = frozenset({400, 403, 404, 405, 410, 413, 415, 422, 500, 503})


def is_of_console(request: Request) -> bool:
    """Whether a request was for a members' page."""
    return request.url.path.startswith(CONSOLE)


async def member_page_for_error(request: Request, error: Exception) -> Response:
    """The page for whatever a member's route raised; never raises itself."""
    try:
        frame = await _frame(request)
        if isinstance(error, SignedOut) and "it" in frame:
            return await _signed_out(request, error, frame)
        if isinstance(error, DelegationOver):
            return await _as_oneself(request)
    except Exception as second:
        if not isinstance(second, DomainError) and not is_away(second):
            log.exception("error_page_failed", kind="console")
        frame = {"me": None}
    return _error_page(request, error, frame)


async def _frame(request: Request) -> dict[str, Any]:
    """The workspace and who is signed in, as far as the request says so."""
    async with transactions_in(request).work() as work:
        # By the path: an address that leads nowhere has no parameters.
        row = await find_workspace(work, request.url.path.split("/")[2])
        found = await look_for_member(work, row.id, member_secret(request))
    frame = {"it": office_of(row), "me": None, "key": row.key}
    if not isinstance(found, SignedIn):
        return frame
    known = {"me": found.member, "acting_for": found.acting_for, "ways": ways_of(found.session)}
    return frame | known


async def _signed_out(request: Request, error: SignedOut, frame: dict[str, Any]) -> Response:
    """The way to the sign-in and back; for a form, a page that says nothing was done (EX-7).

    A session that comes again by itself takes the form along (EE-3).
    """
    office: Office = frame["it"]
    following = safe_next(office.base, address_asked(request))
    address = sign_in_address(office.base, following)
    if request.method not in SAFE_METHODS and (again := await same_again(request, frame["key"])):
        return again
    if request.method in SAFE_METHODS:
        answer: Response = see_other(address)
    else:
        reason = error.reason or ended_of(request, frame["key"])
        answer = _rendered(request, error, frame, "signed_out.html", reason=reason, way=address)
    keep_ended(request, answer, frame["key"], error.reason)
    return answer


async def _as_oneself(request: Request) -> Response:
    """Acting for another is over: on as oneself, without being asked, and nothing was done (EE-14).

    Where another tab was faster, the browser has its new secret already.
    """
    secret = member_secret(request)
    async with transactions_in(request).work() as work:
        row = await find_workspace(work, request.url.path.split("/")[2])
        found = await look_for_member(work, row.id, secret)
        newer = ""
        if isinstance(found, SignedIn) and found.is_delegation_over:
            newer = await leave_delegation(work, found, secret, actor_here(found))
    answer = see_other(f"{office_of(row).base}/account/delegations?done=over")
    if newer:
        keep_member(request, answer, newer)
    return answer


def _error_page(request: Request, error: Exception, frame: dict[str, Any]) -> Response:
    if isinstance(error, PermissionDenied | ChannelDenied):
        return _rendered(request, error, frame, "denied.html", denied=page_name(request))
    status, largest = status_of(error), getattr(request.state, "largest_file", 0)
    answer = _rendered(
        request,
        error,
        frame,
        "error.html",
        what=status if status in PLAIN else 500,
        limit=getattr(request.state, "largest_form", settings_of(request).room_body_bytes),
        largest_file=largest and size_in_words(largest, _locale(request, frame)),
    )
    if status == UNAVAILABLE.status:
        answer.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    for name, value in (getattr(error, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer


def _locale(request: Request, frame: dict[str, Any]) -> str:
    return language_of(request, frame["me"].locale if frame["me"] else None)


def _rendered(
    request: Request, error: Exception, frame: dict[str, Any], name: str, **values: Any
) -> HTMLResponse:
    known = {each: frame[each] for each in FRAME if each in frame}
    return page(f"console/{name}", _locale(request, frame), status_of(error), **known, **values)
