"""Signing in to a workspace with address and password (EX-2, EX-7).

The answer to strangers, wrong passwords and locked accounts is the same page. No GET ends or begins
anything, except for whom a trusted proxy vouches; `console_sign_in_steps.py` has what may be asked
before a session begins.
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from api.browser import (
    PostedPairs,
    field_of,
    forget_cookie,
    keep_cookie,
    refuse_cross_site,
    see_other,
)
from api.console_integrated import sign_in_by_proxy
from api.console_next import safe_next, sign_in_address
from api.console_pages import office_of, outside_page
from api.context import Begin
from api.ended_hint import ended_of, forget_ended, keep_ended
from api.errors import status_of
from api.member_call import browser_of, give_device, keep_device, keep_member, member_secret
from commands.federation import usable_federation
from commands.member_session import Begun, SignedIn, look_for_member
from commands.sign_in import STEP, STEP_LIFE, PasswordSignIn, sign_in
from commands.work import Transactions
from commands.workspace import find_workspace
from domain.member_errors import (
    SecondFactorAsked,
    SessionLimitReached,
    SignInRefused,
    SomebodyElseSignedIn,
)
from domain.member_session import MemberSessionEnd
from store.member import MemberRow
from store.workspace import WorkspaceRow

router = APIRouter(
    prefix="/console/{workspace}/sign-in",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

More = SecondFactorAsked | SessionLimitReached | SomebodyElseSignedIn
"""What may be asked before a session begins."""
LONGEST_ADDRESS = 320
ROOM, SWITCH, CODE, SET_UP = "room", "switch", "code", "set-up"
"""The steps that may come in between, as their addresses name them."""


@router.get("")
async def get_sign_in(request: Request, workspace: str, begin: Begin) -> Response:
    """Asks for address and password; says why the last session ended, where that is known.

    Where a trusted proxy says who is there, nobody is asked (EE-3).
    """
    outcome = await sign_in_by_proxy(request, workspace, begin)
    if outcome is None or isinstance(outcome, SignInRefused):
        page = await _sign_in_page(request, workspace, begin, refused=outcome)
        give_device(request, page)
        return page
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    following = request.query_params.get("next", "")
    if isinstance(outcome, Begun):
        return signed_in_answer(request, row, outcome, following)
    return ask_more(request, row, outcome, following)


async def _sign_in_page(
    request: Request,
    workspace: str,
    begin: Transactions,
    *,
    email: str = "",
    following: str = "",
    refused: SignInRefused | None = None,
) -> Response:
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await look_for_member(work, row.id, member_secret(request))
        federation = await usable_federation(work, row)
    here = found.member if isinstance(found, SignedIn) else None
    known = "" if isinstance(found, SignedIn) else found.reason
    asked = following or request.query_params.get("next", "")
    base = office_of(row).base
    answer = outside_page(
        request,
        row,
        "sign_in.html",
        status_of(refused) if refused else 200,
        here=here,
        reason=_reason_shown(request, row, known, here),
        problem=_problem(request, refused),
        email=email,
        federated=federation is not None,
        following=safe_next(base, asked),
    )
    keep_ended(request, answer, row.key, known)
    return answer


def _problem(request: Request, refused: SignInRefused | None) -> str:
    """What went wrong: a GET is refused only to somebody whom a proxy vouches for."""
    if refused is None:
        return request.query_params.get("problem", "")
    return "unknown" if request.method == "GET" else "refused"


def _reason_shown(request: Request, row: WorkspaceRow, known: str, here: MemberRow | None) -> str:
    """What is known by the row, else what the browser remembers.

    Beside somebody who is signed in, only that it is somebody else is of interest.
    """
    reason = known or ended_of(request, row.key)
    return reason if here is None or reason == MemberSessionEnd.DIFFERENT_USER else ""


@router.post("")
async def post_sign_in(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Signs in and leads to the page that was asked for, or to what must be answered before."""
    email, following = field_of(posted, "email")[:LONGEST_ADDRESS], field_of(posted, "next")
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    wanted = PasswordSignIn(row.id, email, field_of(posted, "password"), browser_of(request))
    try:
        begun = await sign_in(begin, wanted)
    except SignInRefused as refused:
        return await _sign_in_page(
            request, workspace, begin, email=email, following=following, refused=refused
        )
    except (SecondFactorAsked, SessionLimitReached, SomebodyElseSignedIn) as more:
        return ask_more(request, row, more, following)
    return signed_in_answer(request, row, begun, following)


def signed_in_answer(
    request: Request, row: WorkspaceRow, begun: Begun, following: str, *, switched: bool = False
) -> Response:
    """Gives the browser its session and leads to the page that was asked for."""
    answer = see_other(safe_next(office_of(row).base, following))
    keep_begun(request, answer, row, begun, switched=switched)
    return answer


def keep_begun(
    request: Request, answer: Response, row: WorkspaceRow, begun: Begun, *, switched: bool = False
) -> None:
    """Gives the browser its session."""
    keep_member(request, answer, begun.secret)
    keep_device(request, answer)
    forget_cookie(request, answer, STEP)
    if switched:
        # For the tabs of the member before, which do not know yet.
        keep_ended(request, answer, row.key, MemberSessionEnd.DIFFERENT_USER)
    else:
        forget_ended(request, answer)


def ask_more(request: Request, row: WorkspaceRow, more: More, following: str) -> Response:
    """Leads to the next step; its secret is in a cookie for a few minutes, never in an address."""
    answer = see_other(step_address(row, more, following))
    keep_step(request, answer, more)
    return answer


def sign_in_again(request: Request, row: WorkspaceRow, following: str, problem: str) -> Response:
    """Leads back to the sign-in, which says what the problem was."""
    base = office_of(row).base
    query = urlencode({"next": safe_next(base, following), "problem": problem})
    answer = see_other(f"{base}/sign-in?{query}")
    forget_cookie(request, answer, STEP)
    return answer


def step_address(row: WorkspaceRow, more: More, following: str) -> str:
    """Where the next step is."""
    return sign_in_address(office_of(row).base, following, _step_name(more))


def _step_name(more: More) -> str:
    if isinstance(more, SecondFactorAsked):
        return SET_UP if more.enrols else CODE
    return ROOM if isinstance(more, SessionLimitReached) else SWITCH


def keep_step(request: Request, answer: Response, more: More) -> None:
    """Gives the browser the secret of its next step."""
    keep_cookie(request, answer, STEP, more.step, STEP_LIFE)
