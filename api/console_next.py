"""The page that somebody wanted before signing in: only one of this workspace's own console."""

import re
from urllib.parse import urlencode

from fastapi import Request

LONGEST = 500
PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(\?[A-Za-z0-9._~=&%+-]*)?")
NO_PAGES = frozenset({"sign-in", "sign-out", "stay", "events", "links", "forgot-password"})
"""First words of paths that nobody is led back to."""


def safe_next(base: str, wanted: str) -> str:
    """`wanted` if it is a page of the console that begins with `base`, else `base` itself.

    No other site, no other workspace, no dots that climb, nothing that signs out (ASVS 3.7.2).
    """
    rest = wanted[len(base) :]
    first = rest.lstrip("/").partition("?")[0].partition("/")[0]
    is_ours = wanted.startswith(base) and len(wanted) <= LONGEST and PATH.fullmatch(rest)
    return wanted if is_ours and first not in NO_PAGES else base


def address_asked(request: Request) -> str:
    """The path and query of a request, as the way back to it."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def sign_in_address(base: str, following: str = "", step: str = "") -> str:
    """Where to sign in, or its `step`, and the way back from there."""
    wanted = safe_next(base, following)
    query = f"?{urlencode({'next': wanted})}" if wanted != base else ""
    return f"{base}/sign-in{f'/{step}' if step else ''}{query}"
