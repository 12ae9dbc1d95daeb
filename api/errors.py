"""The one place that turns any error into an answer; `refusals.py` says what each means."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from adapters.file_check import FileCheckBroken
from adapters.objects import ObjectStoreAway
from api.problem import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    UNAVAILABLE,
    VALIDATION_FAILED,
    documented,
)
from api.refusals import TABLE
from api.scim_answers import is_scim, scim_refusal
from domain import errors
from domain.errors import DomainError, NotFound
from domain.member_errors import PermissionDenied
from store.database import is_away

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 2
API = "/api/"


AWAY = (ObjectStoreAway, FileCheckBroken)


def is_unavailable(error: BaseException) -> bool:
    """Whether something that an answer needs is away for the moment: try again later."""
    return is_away(error) or isinstance(error, AWAY)


OF_STATUS = {
    400: BAD_REQUEST,
    404: TABLE[NotFound].kind,
    405: METHOD_NOT_ALLOWED,
    413: BODY_TOO_LARGE,
}
OF_EVERY_ROUTE = (VALIDATION_FAILED, BAD_REQUEST, BODY_TOO_LARGE, UNAVAILABLE, INTERNAL)
PATH_NOUNS = {
    "party_id": "party",
    "session_id": "public session",
    "upload_id": "file",
    "member_id": "member",
    "member_session_id": "session",
    "agreement_id": "agreement",
    "template": "session template",
    "form": "form",
    "document": "document",
    "kind": "lifecycle",
    "mail": "mail content",
}


def refusals(*classes: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that may raise these, with what every route may answer."""
    raised: list[type[DomainError]] = [errors.Unauthenticated, PermissionDenied, *classes]
    kinds = [*OF_EVERY_ROUTE, *(TABLE[each].kind for each in raised)]
    statuses = sorted({each.status for each in kinds})
    return {status: documented([k for k in kinds if k.status == status]) for status in statuses}


def status_of(error: Exception) -> int:
    """The HTTP status of any error, for problems and pages alike."""
    if isinstance(error, DomainError):
        return TABLE[type(error)].kind.status
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, RequestValidationError):
        return 404 if _misspelt(error) else VALIDATION_FAILED.status
    return UNAVAILABLE.status if is_unavailable(error) else INTERNAL.status


def problem_of(error: Exception, at: datetime) -> Response:
    """Any error as a problem; `at` is the time that waiting is counted from."""
    if isinstance(error, DomainError):
        return _refusal(error, at)
    if isinstance(error, RequestValidationError):
        return _malformed(error, at)
    if isinstance(error, HTTPException):
        return _http_problem(error, at)
    if is_unavailable(error):
        detail = (
            "The database or the object store does not answer. It is not known whether this was"
            " done: repeat it,"
            " with the same Idempotency-Key if it was a POST."
        )
        return UNAVAILABLE.response(detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return INTERNAL.response(
        "This was written down for the operator, under the X-Request-Id of this answer."
    )


def _refusal(error: DomainError, at: datetime) -> Response:
    meaning = TABLE[type(error)]
    return meaning.kind.response(str(error), meaning.members(error), _headers(error, at))


def _headers(error: DomainError, at: datetime) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.RangeRefused):
        return {"Content-Range": f"bytes */{error.size}"}
    if isinstance(error, errors.MailTooSoon):
        return {"Retry-After": str(max(1, math.ceil((error.next_at - at).total_seconds())))}
    return {}


def _malformed(error: RequestValidationError, at: datetime) -> Response:
    if noun := _misspelt(error):
        return _refusal(NotFound(noun), at)
    faults = [_fault(each) for each in error.errors()]
    return VALIDATION_FAILED.response(f"{len(faults)} fault(s).", {"faults": faults})


def _misspelt(error: RequestValidationError) -> str | None:
    """The noun of a malformed id in the path: it reads the same as one that does not exist."""
    for each in error.errors():
        if each["loc"][0] == "path":
            return PATH_NOUNS.get(str(each["loc"][1]), "resource")
    return None


def _fault(raw: Mapping[str, Any]) -> dict[str, str]:
    place, *path = raw["loc"]
    if raw["type"] == "json_invalid":
        return {"in": place, "pointer": "", "message": "is not JSON"}
    pointer = "".join(f"/{str(each).replace('~', '~0').replace('/', '~1')}" for each in path)
    return {"in": place, "pointer": pointer, "message": _lowered(raw["msg"])}


def _lowered(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _http_problem(error: HTTPException, at: datetime) -> Response:
    if error.status_code == NOT_FOUND:
        return _refusal(NotFound(), at)
    kind = OF_STATUS.get(error.status_code, BAD_REQUEST)
    return kind.response(str(error.detail), headers=error.headers)


NOT_FOUND = 404


async def answer_to(request: Request, error: Exception) -> Response:
    """The answer to any error: a problem for programs, a page for people."""
    if isinstance(error, DomainError | RequestValidationError | HTTPException):
        pass
    elif is_unavailable(error):
        log.warning("away", error=type(error).__name__)
    else:
        log.error("unhandled", exc_info=error)
    if is_scim(request.url.path):
        return scim_refusal(problem_of(error, request.app.state.clock()))
    if request.url.path.startswith(API) or request.app.state.error_page is None:
        return problem_of(error, request.app.state.clock())
    page: Response = await request.app.state.error_page(request, error)
    return page


def install(app: FastAPI) -> None:
    """Registers the table with an application."""
    for each in (DomainError, RequestValidationError, HTTPException):
        app.add_exception_handler(each, answer_to)
