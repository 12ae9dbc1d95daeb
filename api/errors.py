"""The one table from refusals to HTTP, and the one place that turns any error into an answer."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    ProblemKind,
    documented,
)
from domain import errors
from domain.errors import DomainError, NotFound
from domain.upload import UploadRefused
from store.database import is_away

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 2
API = "/api/"


def _nothing(_error: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one refusal is in HTTP, and the members it adds for a program to act on."""

    kind: ProblemKind
    members: Callable[[Any], dict[str, Any]] = _nothing


def _faults(error: Any) -> dict[str, Any]:
    return {"faults": [{"pointer": each.pointer, "message": each.message} for each in error.faults]}


def _named(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda error: {name: _plain(getattr(error, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _upload(error: Any) -> dict[str, Any]:
    found = error.refusal
    return {"reason": found.reason.value, "limit": found.limit, "given": found.given}


def _template(error: Any) -> dict[str, Any]:
    return {"template": error.key, "template_status": error.status}


def _answers(error: Any) -> dict[str, Any]:
    # The answers themselves stay out: they are what the party typed.
    return {"errors": error.errors}


TABLE: Mapping[type[DomainError], Meaning] = {
    errors.NotFound: Meaning(ProblemKind(404, "not-found", "Not found")),
    errors.DefinitionFaulty: Meaning(
        ProblemKind(422, "definition-faulty", "The definition has faults"), _faults
    ),
    errors.DefinitionExists: Meaning(
        ProblemKind(409, "definition-exists", "The definition exists already"), _named("key")
    ),
    errors.TemplateNotIssuable: Meaning(
        ProblemKind(409, "template-not-issuable", "The template cannot be issued"), _template
    ),
    errors.TemplateStateRefused: Meaning(
        ProblemKind(409, "template-state-refused", "Not from this template status"), _template
    ),
    errors.ScopeRefused: Meaning(ProblemKind(409, "scope-refused", "Outside the template's scope")),
    errors.TransitionRefused: Meaning(
        ProblemKind(409, "transition-refused", "The lifecycle does not allow this"),
        _named("transition", "state"),
    ),
    errors.NothingToAdvance: Meaning(
        ProblemKind(409, "nothing-to-advance", "There is no blocked advance")
    ),
    errors.SessionEnded: Meaning(
        ProblemKind(410, "session-ended", "The session has ended"), _named("end_reason")
    ),
    errors.ReissueRefused: Meaning(
        ProblemKind(409, "reissue-refused", "This session is not issued again")
    ),
    errors.ExtensionRefused: Meaning(
        ProblemKind(409, "extension-refused", "The deadline cannot be moved there"),
        _named("latest"),
    ),
    errors.BindingLost: Meaning(
        ProblemKind(403, "binding-lost", "Another browser may act here"), _named("reason")
    ),
    errors.TaskLocked: Meaning(
        ProblemKind(409, "task-locked", "Another task comes first"), _named("before")
    ),
    errors.TaskDone: Meaning(
        ProblemKind(409, "task-done", "The task was completed before"),
        _named("task", "completed_at"),
    ),
    errors.AnswersRefused: Meaning(
        ProblemKind(422, "answers-refused", "Some answers need attention"), _answers
    ),
    errors.CodeWrong: Meaning(
        ProblemKind(403, "code-wrong", "The code is wrong"), _named("tries_left")
    ),
    errors.CodeSpent: Meaning(ProblemKind(403, "code-spent", "The code can no longer be used")),
    errors.VerificationLocked: Meaning(
        ProblemKind(423, "verification-locked", "Verification is locked")
    ),
    errors.NoContactAddress: Meaning(
        ProblemKind(409, "no-contact-address", "The party has no contact address")
    ),
    errors.MailTooSoon: Meaning(
        ProblemKind(429, "mail-too-soon", "Too many mails"), _named("next_at")
    ),
    errors.PartyInvalid: Meaning(
        ProblemKind(422, "party-invalid", "The party has faults"), _faults
    ),
    errors.IdempotencyKeyReused: Meaning(
        ProblemKind(422, "idempotency-key-reused", "The Idempotency-Key was used before")
    ),
    errors.Unauthenticated: Meaning(
        ProblemKind(401, "unauthenticated", "A bearer token is needed")
    ),
    errors.WorkspaceExists: Meaning(
        ProblemKind(409, "workspace-exists", "The workspace exists already"), _named("key")
    ),
    errors.CursorInvalid: Meaning(ProblemKind(422, "cursor-invalid", "The cursor is unknown")),
    errors.Erased: Meaning(ProblemKind(410, "erased", "This was erased")),
    errors.UploadWithheld: Meaning(
        ProblemKind(409, "upload-withheld", "The file is not given out"), _named("state")
    ),
    errors.RangeRefused: Meaning(
        ProblemKind(416, "range-refused", "No such bytes in the file"), _named("size")
    ),
    errors.EpochInUse: Meaning(
        ProblemKind(409, "epoch-in-use", "The root key's version is in use"), _named("epoch")
    ),
    UploadRefused: Meaning(ProblemKind(422, "upload-refused", "The file is refused"), _upload),
}

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
    "template": "session template",
    "form": "form",
    "document": "document",
    "kind": "lifecycle",
}


def refusals(*classes: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that may raise these, with what every route may answer."""
    raised: list[type[DomainError]] = [errors.Unauthenticated, *classes]
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
    if request.url.path.startswith(API) or request.app.state.error_page is None:
        return problem_of(error, request.app.state.clock())
    page: Response = await request.app.state.error_page(request, error)
    return page


def install(app: FastAPI) -> None:
    """Registers the table with an application."""
    for each in (DomainError, RequestValidationError, HTTPException):
        app.add_exception_handler(each, answer_to)
