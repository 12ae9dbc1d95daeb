"""Round every request: its id, its bound, its log line, its numbers, and an answer to any error."""

import re
import time
from collections.abc import Mapping
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body_limits import most_bytes
from api.errors import API, answer_to
from api.metrics import Metrics
from api.scim_answers import is_scim

log = structlog.get_logger()

REQUEST_ID = b"x-request-id"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNMATCHED = "unmatched"
SECRET_PART = "{token"  # noqa: S105 - a piece of a route
"""How a route names what may be in no log: the secret part of a link."""
STREAM = b"text/event-stream"
REFUSED, TOO_LARGE = 400, 413


class Exchange:
    """Nothing that happens inside leaves a client without a proper answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics, largest_body: int) -> None:
        """Takes the application inside, its numbers and the most bytes of a JSON body."""
        self._app = app
        self._metrics = metrics
        self._largest_body = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = _Told(send, _id_of(scope))
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=told.request_id):
            try:
                await self._answer(scope, receive, told)
            finally:
                self._note(scope, told, time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, told: "_Told") -> None:
        bounded = receive
        most = most_bytes(scope["method"], scope["path"], self._largest_body)
        if _is_program(scope["path"]):
            bounded = _bounded(receive, most)
        try:
            _refuse_announced(scope, most)
            await self._app(scope, bounded, told.send)
        except Exception as error:
            request = Request(scope, receive)
            answer = await answer_to(request, error)
            if told.status:
                # Half an answer is out: the connection is cut, which is all that can still be said.
                raise
            await answer(scope, receive, told.send)

    def _note(self, scope: Scope, told: "_Told", seconds: float) -> None:
        route = _route_of(scope)
        self._metrics.count(
            scope["method"], route, told.status, None if told.is_stream else seconds
        )
        log.info(
            "request",
            method=scope["method"],
            path=_shown(scope, route, told.status),
            status=told.status,
            ms=round(seconds * 1000, 1),
        )


class _Told:
    """What has been sent of one answer."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0
        self.is_stream = False

    async def send(self, message: Message) -> None:
        """Notes the status and adds the request's id."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            self.is_stream = any(
                name == b"content-type" and value.startswith(STREAM) for name, value in headers
            )
            message["headers"] = [*headers, (REQUEST_ID, self.request_id.encode())]
        await self._send(message)


def _id_of(scope: Scope) -> str:
    """The id a proxy gave the request, if it looks like one, or a new one."""
    given = Headers(scope=scope).get(REQUEST_ID.decode(), "")
    return given if GIVEN_ID.fullmatch(given) else uuid4().hex


def _is_program(path: str) -> bool:
    """Whether bodies are those of programs, all of one bound."""
    return path.startswith(API) or is_scim(path)


def _refuse_announced(scope: Scope, most: int) -> None:
    """Refuses a body whose announced length is over the limit without reading any of it."""
    announced = Headers(scope=scope).get("content-length", "")
    if _is_program(scope["path"]) and announced.isdigit() and int(announced) > most:
        raise HTTPException(TOO_LARGE, f"A body may have {most} bytes at most.")


def _bounded(receive: Receive, most: int) -> Receive:
    """Refuses a body as soon as it has more than `most` bytes, whatever length was announced."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(TOO_LARGE, f"A body may have {most} bytes at most.")
        return message

    return counted


def _route_of(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or UNMATCHED


def _shown(scope: Scope, route: str, status: int) -> str:
    """The path as it may be logged: never a link, never what somebody invented, never a query."""
    if route == UNMATCHED:
        return UNMATCHED
    if SECRET_PART in route:
        return f"{route.partition(SECRET_PART)[0]}…"
    return str(scope["path"]) if status < REFUSED else _with_ids(route, scope["path_params"])


def _with_ids(route: str, given: Mapping[str, object]) -> str:
    """The route with the ids it was asked with; anything else that was given may mean a person."""
    for name, value in given.items():
        if AN_ID.fullmatch(str(value)):
            route = route.replace(f"{{{name}}}", str(value))
    return route
