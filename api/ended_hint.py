"""A hint in the browser why its last session ended, for when the session's row is gone (N9).

It is no secret and opens nothing: whatever is in it is one of `MemberSessionEnd`, or nothing.
"""

from datetime import timedelta

from fastapi import Request, Response

from api.browser import cookie_name, forget_cookie, keep_cookie, settings_of
from domain.member_session import MemberSessionEnd

ENDED = "ended"
LASTS = timedelta(minutes=10)


def keep_ended(request: Request, response: Response, workspace: str, reason: str) -> None:
    """Remembers for a while why a session in this workspace ended; "" remembers nothing."""
    if reason:
        keep_cookie(request, response, ENDED, f"{reason}.{workspace}", LASTS)


def forget_ended(request: Request, response: Response) -> None:
    """Forgets it, as when somebody signs in again."""
    forget_cookie(request, response, ENDED)


def ended_of(request: Request, workspace: str) -> str:
    """Why this browser's last session in the workspace ended, as far as it remembers; or ""."""
    kept = request.cookies.get(cookie_name(settings_of(request), ENDED), "")
    reason, _, where = kept.partition(".")
    return reason if where == workspace and reason in set(MemberSessionEnd) else ""
