"""What may be asked after the right password and before a session begins.

`console_sign_in_code.py` has what comes first: the second factor.

`room`: the limit is reached, and one of one's own sessions can end for the new one (SH-5).
`switch`: somebody else is signed in on this browser, whose session the new one would end (EX-4,
C15).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response

from api.browser import (
    PostedPairs,
    cookie_name,
    field_of,
    refuse_cross_site,
    settings_of,
)
from api.console_next import safe_next
from api.console_pages import office_of, outside_page
from api.console_sign_in import ROOM, SWITCH, ask_more, sign_in_again, signed_in_answer
from api.context import Begin
from api.ids import known_id
from api.member_call import LONGEST_SECRET, browser_of, member_secret
from api.own_session import own_sessions
from commands.member_session import Begun, SignedIn, look_for_member
from commands.sign_in import STEP, sign_in_anyway, sign_in_instead, step_of
from commands.work import Transactions, Work
from commands.workspace import find_workspace
from domain.errors import DomainError
from domain.member_errors import SessionLimitReached, SignInRefused
from domain.sign_in import SignInMode
from store.member import MemberRow
from store.member_session import living_sessions
from store.workspace import WorkspaceRow

router = APIRouter(
    prefix="/console/{workspace}/sign-in",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Step:
    """A browser that has shown the right password, in the transaction of its request."""

    work: Work
    workspace: WorkspaceRow
    secret: str
    following: str


def following_of(request: Request) -> str:
    """The way back that an address names."""
    return request.query_params.get("next", "")


@asynccontextmanager
async def step_here(
    request: Request, workspace: str, begin: Transactions, following: str
) -> AsyncIterator[Step]:
    """The half-done sign-in of a browser, in a transaction."""
    secret = request.cookies.get(cookie_name(settings_of(request), STEP), "")[:LONGEST_SECRET]
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        yield Step(work, row, secret, safe_next(office_of(row).base, following))


async def whose_step(step: Step, needs: str) -> tuple[MemberRow, SignInMode] | None:
    """Who showed who it is, and how; None if that was too long ago, or for another step."""
    try:
        found, member = await step_of(step.work, step.workspace.id, step.secret)
    except SignInRefused:
        return None
    return (member, SignInMode(found.mode)) if found.needs == needs else None


def begin_again(request: Request, step: Step) -> Response:
    """The step took too long, or was taken before: the password is asked for again."""
    return sign_in_again(request, step.workspace, step.following, TOO_LATE)


@router.get(f"/{ROOM}")
async def get_room(request: Request, workspace: str, begin: Begin) -> Response:
    """One's own sessions, one of which may end for the new one."""
    async with step_here(request, workspace, begin, following_of(request)) as step:
        whose = await whose_step(step, ROOM)
        if whose is None:
            return begin_again(request, step)
        member, mode = whose
        living = await living_sessions(step.work.db, member.id, step.work.at)
    return outside_page(
        request,
        step.workspace,
        "room.html",
        sessions=own_sessions(living),
        by_password=mode is SignInMode.PASSWORD,
        zone=member.zone,
        at=step.work.at,
        following=step.following,
    )


@router.get(f"/{SWITCH}")
async def get_switch(request: Request, workspace: str, begin: Begin) -> Response:
    """Says whose session would end."""
    async with step_here(request, workspace, begin, following_of(request)) as step:
        whose = await whose_step(step, SWITCH)
        if whose is None:
            return begin_again(request, step)
        found = await look_for_member(step.work, step.workspace.id, member_secret(request))
    return outside_page(
        request,
        step.workspace,
        "switch.html",
        here=found.member if isinstance(found, SignedIn) else None,
        member=whose[0],
        following=step.following,
    )


@router.post(f"/{ROOM}")
async def post_room(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Ends the chosen session and begins the one that was refused."""
    chosen = known_id(field_of(posted, "session"), "session")
    async with step_here(request, workspace, begin, field_of(posted, "next")) as step:
        return await _taken(
            request,
            step,
            lambda: sign_in_instead(
                step.work, step.workspace.id, step.secret, chosen, browser_of(request)
            ),
        )


@router.post(f"/{SWITCH}")
async def post_switch(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Ends the other member's session in this browser and begins the new one."""
    async with step_here(request, workspace, begin, field_of(posted, "next")) as step:
        return await _taken(
            request,
            step,
            lambda: sign_in_anyway(step.work, step.workspace.id, step.secret, browser_of(request)),
            switched=True,
        )


async def _taken(
    request: Request,
    step: Step,
    take: Callable[[], Awaitable[Begun | SessionLimitReached]],
    *,
    switched: bool = False,
) -> Response:
    try:
        begun = await take()
    except SignInRefused:
        return begin_again(request, step)
    if isinstance(begun, DomainError):
        return ask_more(request, step.workspace, begun, step.following)
    return signed_in_answer(request, step.workspace, begun, step.following, switched=switched)
