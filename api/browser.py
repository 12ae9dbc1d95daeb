"""What holds between a party's browser and us: cookies, same-origin posts, bounded bodies, headers.

Sources: RFC 6265bis (cookie prefixes), OWASP ASVS 5.0 chapter 3, Fetch Metadata Request Headers.
"""

import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.context import transactions_in
from api.ids import known_id
from commands.room import Visitor
from domain.settings import Settings

OURS = "gatepass-"
HOST_ONLY = "__Host-"
DOOR = "door"
DOOR_BYTES = 24
OUR_DOOR = re.compile(r"[A-Za-z0-9_-]{32}")
LONGEST_COOKIE = 128
REMEMBERED_AFTER_END = timedelta(days=30)
"""A session's cookie outlives the session by this, so that its browser is told how it ended."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE = frozenset({"same-origin", "none"})
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000
DRAWN_BYTES = 512 * 1024
"""Four drawings of 5,000 points, the most that is taken, each point 23 bytes in a form's body."""
DRAINED = 16
"""A body up to this many times the limit is read, so that the browser gets to see the answer."""


def settings_of(request: Request) -> Settings:
    """The settings of the process that answers."""
    return transactions_in(request).settings


# Cookies: one for each session, so that two people can work in one browser (SX-8).


def cookie_name(settings: Settings, what: str) -> str:
    """`__Host-gatepass-…`; on plain http, where browsers refuse the prefix, the name without it."""
    return f"{HOST_ONLY if is_https(settings) else ''}{OURS}{what}"


def is_https(settings: Settings) -> bool:
    """Whether parties reach us over TLS, as the public URL says."""
    return urlsplit(settings.public_url).scheme == "https"


def visitor_of(request: Request, session_id: str) -> Visitor:
    """The browser at a room's door; raises `NotFound` for what is no id."""
    session = known_id(session_id, "session")
    name = cookie_name(settings_of(request), session.hex)
    return Visitor(session, request.cookies.get(name, "")[:LONGEST_COOKIE])


def keep_binding(
    request: Request, response: Response, session_id: UUID, secret: str, lasts: timedelta
) -> None:
    """Gives a browser the secret of its place. `lasts` is the time until the session's bound."""
    lasting = lasts + REMEMBERED_AFTER_END
    _set(request, response, session_id.hex, secret, int(lasting.total_seconds()))


def time_left(until: datetime, at: datetime) -> timedelta:
    """How long until a moment, never less than nothing."""
    return max(until - at, timedelta())


def door_of(request: Request) -> str:
    """What tells this browser from others at the door; a new one if it has none yet (C12)."""
    found = request.cookies.get(cookie_name(settings_of(request), DOOR), "")
    # Only what we could have given: a cookie is whatever somebody sends.
    return found if OUR_DOOR.fullmatch(found) else secrets.token_urlsafe(DOOR_BYTES)


def keep_door(request: Request, response: Response, door: str) -> None:
    """Gives the browser its door cookie, for as long as it stays open."""
    if request.cookies.get(cookie_name(settings_of(request), DOOR)) != door:
        _set(request, response, DOOR, door, None)


def _set(request: Request, response: Response, what: str, value: str, lasts: int | None) -> None:
    settings = settings_of(request)
    response.set_cookie(
        cookie_name(settings, what),
        value,
        max_age=lasts,
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="lax",
    )


def keep_cookie(
    request: Request, response: Response, what: str, value: str, lasts: timedelta | None = None
) -> None:
    """Gives the browser one of our cookies, for a while or for as long as it stays open."""
    _set(request, response, what, value, int(lasts.total_seconds()) if lasts else None)


def forget_cookie(request: Request, response: Response, what: str) -> None:
    """Takes one of our cookies from the browser."""
    _forget(request, response, cookie_name(settings_of(request), what))


def forget_binding(request: Request, response: Response, session_id: UUID) -> None:
    """Takes the cookie of one session, and no other, from the browser."""
    _forget(request, response, cookie_name(settings_of(request), session_id.hex))


def forget_all(request: Request, response: Response) -> None:
    """Takes every Gatepass cookie, and nothing of anybody else, from the browser (SX-10)."""
    for name in request.cookies:
        if name.removeprefix(HOST_ONLY).startswith(OURS):
            _forget(request, response, name)


def _forget(request: Request, response: Response, name: str) -> None:
    secure = is_https(settings_of(request))
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


# Posts: from our own pages, of a bounded size, answered by a page that is got.


def see_other(address: str) -> RedirectResponse:
    """Leads the browser on to a page, which can be reloaded without posting again (RFC 9110)."""
    return RedirectResponse(address, 303)


async def refuse_cross_site(request: Request) -> None:
    """Refuses an unsafe request that another site made the browser send (ASVS 3.5.1)."""
    if request.method not in SAFE_METHODS and not _is_own(request):
        raise HTTPException(403, "cross-site")


def _is_own(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in OWN_SITE
    origin = request.headers.get("origin")
    return origin is not None and origin in set(_origins(request))


def _origins(request: Request) -> Iterator[str]:
    for url in (settings_of(request).public_url, str(request.url)):
        parts = urlsplit(url)
        yield f"{parts.scheme}://{parts.netloc}"


async def posted_pairs(request: Request) -> list[tuple[str, str]]:
    """The fields of a posted form in their order, as `pairs_within` has them."""
    return await pairs_within(request, settings_of(request).room_body_bytes)


async def task_pairs(request: Request) -> list[tuple[str, str]]:
    """As `posted_pairs`, as large as a form with drawn signatures may be."""
    return await pairs_within(request, max(DRAWN_BYTES, settings_of(request).room_body_bytes))


def refuse_large_form(request: Request) -> None:
    """Raises `HTTPException` 413 for a form without drawings that is as large as one with them."""
    if request.state.posted_bytes > settings_of(request).room_body_bytes:
        request.state.largest_form = settings_of(request).room_body_bytes
        raise HTTPException(413)


async def pairs_within(request: Request, limit: int) -> list[tuple[str, str]]:
    """The fields of a form within `limit` bytes; kept on the request for a page that shows them.

    Raises `HTTPException` 413 for a body over the limit, 415 for anything but a form, 400 for junk.
    """
    return await pairs_of(request, limit, MOST_FIELDS)


async def pairs_of(request: Request, most_bytes: int, most_fields: int) -> list[tuple[str, str]]:
    """The same for a form of so many fields."""
    request.state.largest_form = most_bytes
    if request.headers.get("content-type", FORM).partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415)
    body = await _bounded_body(request, most_bytes)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=most_fields, errors="strict"
        )
    except ValueError as error:
        raise HTTPException(400, "unreadable form") from error
    request.state.posted, request.state.posted_bytes = pairs, len(body)
    return pairs


async def _bounded_body(request: Request, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > limit * DRAINED:
            break
    if size > limit:
        raise HTTPException(413)
    return b"".join(chunks)


PostedPairs = Annotated[list[tuple[str, str]], Depends(posted_pairs)]
TaskPairs = Annotated[list[tuple[str, str]], Depends(task_pairs)]


def field_of(pairs: list[tuple[str, str]], name: str) -> str:
    """The last value of a field, or ""."""
    return dict(pairs).get(name, "")


def is_script(request: Request) -> bool:
    """Whether a script of a page asks, and no page is shown (Fetch Metadata)."""
    return request.headers.get("sec-fetch-dest") == "empty"


# Headers of every answer.


def policy_with(*styles: str) -> str:
    """The Content Security Policy of our pages, with sources of style beside our own sheet."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            " ".join(("style-src 'self'", *styles)),
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


POLICY = policy_with()
PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # same-origin, not no-referrer: with that one browsers post forms with `Origin: null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": PERMISSIONS,
    "x-robots-tag": "noindex, nofollow",
}
ONE_YEAR = 31_536_000
STATIC = "/static/"


class SecurityHeaders:
    """Puts the security headers on every answer; everything but static files is never stored."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Takes the application inside and what its public URL is."""
        self._app = app
        self._headers = dict(HEADERS)
        if is_https(settings):
            self._headers["strict-transport-security"] = f"max-age={ONE_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complete(self, headers: MutableHeaders, path: str) -> None:
        for name, value in self._headers.items():
            # A route may be stricter about what it answers, as with a file that a party sent.
            headers.setdefault(name, value)
        if not path.startswith(STATIC):
            headers["cache-control"] = "no-store"
