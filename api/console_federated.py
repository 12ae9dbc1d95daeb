"""Signing in through the workspace's identity provider: the way there, and the way back (EE-20).

Nothing of a sign-in under way is stored: a cookie of a few minutes has a secret, from which state,
nonce and verifier are derived, and the page that was asked for.
"""

import base64
import binascii
import secrets
from datetime import timedelta

from fastapi import APIRouter, Depends, Request, Response

from api.browser import (
    cookie_name,
    forget_cookie,
    keep_cookie,
    refuse_cross_site,
    see_other,
    settings_of,
)
from api.console_next import LONGEST, safe_next
from api.console_pages import office_of, outside_page
from api.console_sign_in import ask_more, signed_in_answer
from api.context import Begin
from api.errors import status_of
from api.member_call import browser_of
from commands.access import Visit, note_visit
from commands.federated_sign_in import Going, Returned, federated_address, sign_in_federated
from commands.federation import PAGE
from commands.work import Transactions
from commands.workspace import find_workspace
from domain.member_errors import (
    ChannelDenied,
    FederatedRefused,
    SessionLimitReached,
    SomebodyElseSignedIn,
)
from domain.settings import Settings
from domain.sign_in import SignInMode
from store.workspace import WorkspaceRow

router = APIRouter(
    prefix="/console/{workspace}/sign-in/federated",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

WAY = "federated"
LASTS = timedelta(minutes=10)
LONGEST_PARAMETER = 4000


def back_address(settings: Settings, workspace: str) -> str:
    """Where the provider sends browsers back to: what is registered there."""
    return f"{settings.public_url.rstrip('/')}/console/{workspace}/sign-in/federated/back"


@router.get("", name=PAGE)
async def get_federated(request: Request, workspace: str, begin: Begin) -> Response:
    """Leads to the provider, which asks who it is."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    secret = secrets.token_urlsafe(32)
    try:
        address = await federated_address(begin, _going(request, row, secret))
    except FederatedRefused as refused:
        return _refused_page(request, row, refused)
    except ChannelDenied:
        await _note_denial(begin, row)
        raise
    answer = see_other(address)
    following = safe_next(office_of(row).base, request.query_params.get("next", ""))
    kept = base64.urlsafe_b64encode(following.encode()).decode().rstrip("=")
    keep_cookie(request, answer, WAY, f"{secret}.{kept}", LASTS)
    return answer


def _going(request: Request, row: WorkspaceRow, secret: str) -> Going:
    back = back_address(settings_of(request), row.key)
    return Going(row, secret, back, browser_of(request))


async def _note_denial(begin: Transactions, row: WorkspaceRow) -> None:
    async with begin.work() as work:
        note_visit(work, Visit(row.id, PAGE, mode=SignInMode.FEDERATED, denied=True))


@router.get("/back", name=PAGE)
async def get_back(request: Request, workspace: str, begin: Begin) -> Response:
    """Signs in whom the provider names, or says what to do."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    secret, following = _kept(request)
    try:
        begun = await sign_in_federated(begin, _returned(request, row, secret))
        answer = signed_in_answer(request, row, begun, following)
    except FederatedRefused as refused:
        answer = _refused_page(request, row, refused)
    except (SessionLimitReached, SomebodyElseSignedIn) as more:
        answer = ask_more(request, row, more, following)
    except ChannelDenied:
        await _note_denial(begin, row)
        raise
    forget_cookie(request, answer, WAY)
    return answer


def _kept(request: Request) -> tuple[str, str]:
    """The browser's secret and the page that was asked for, as it left."""
    kept = request.cookies.get(cookie_name(settings_of(request), WAY), "")[: 2 * LONGEST]
    secret, _, page = kept.partition(".")
    try:
        return secret, base64.urlsafe_b64decode(page + "=" * (-len(page) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return secret, ""


def _returned(request: Request, row: WorkspaceRow, secret: str) -> Returned:
    given = {
        each: request.query_params.get(name, "")[:LONGEST_PARAMETER]
        for each, name in (("state", "state"), ("code", "code"), ("issuer", "iss"))
    }
    return Returned(_going(request, row, secret), **given)


def _refused_page(request: Request, row: WorkspaceRow, refused: FederatedRefused) -> Response:
    return outside_page(
        request, row, "federated_refused.html", status_of(refused), fault=refused.fault
    )
