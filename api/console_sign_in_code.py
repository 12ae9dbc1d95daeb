"""The second factor at the sign-in: a code is asked for, or an app must be set up first (SH-11).

Both come after the right password and before anything else is asked.
"""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Depends, Request, Response

from adapters.authenticator import picture_of
from api.browser import PostedPairs, field_of, refuse_cross_site
from api.console_next import safe_next
from api.console_pages import office_of, outside_page
from api.console_sign_in import (
    CODE,
    SET_UP,
    ask_more,
    keep_begun,
    keep_step,
    signed_in_answer,
    step_address,
)
from api.console_sign_in_steps import Step, begin_again, following_of, step_here
from api.context import Begin
from api.errors import status_of
from api.member_call import browser_of, keep_trusted
from commands.setting import effective_settings
from commands.sign_in import step_of
from commands.sign_in_code import CodeTyped, Proven, sign_in_enrolling, sign_in_with_code
from domain.errors import DomainError, NotFound
from domain.member_errors import PasswordRefused, SignInRefused
from domain.second_factor import Asked, grouped_key
from store.member import MemberRow
from store.second_factor import SecondFactorRow, enrolment_of
from store.workspace import WorkspaceRow

router = APIRouter(
    prefix="/console/{workspace}/sign-in",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

YES = "yes"


@dataclass(frozen=True, slots=True)
class Ask:
    """What one page of the second factor needs to be shown."""

    member: MemberRow
    trusted_for: timedelta
    enrolment: SecondFactorRow | None


async def _asked(step: Step, needs: Asked) -> Ask | None:
    """What to ask; None if the password was shown too long ago, or for something else."""
    try:
        row, member = await step_of(step.work, step.workspace.id, step.secret)
    except SignInRefused:
        return None
    if row.needs != needs:
        return None
    settings = await effective_settings(step.work, step.workspace.id)
    shown = await enrolment_of(step.work.db, member.id, row.id, step.work.at)
    if needs is Asked.ENROLMENT and shown is None:
        return None
    return Ask(member, settings.token_trusted_device, shown)


def _page(
    request: Request, step: Step, ask: Ask, refused: PasswordRefused | None = None
) -> Response:
    key = ask.enrolment.key if ask.enrolment else ""
    return outside_page(
        request,
        step.workspace,
        "sign_in_set_up.html" if key else "sign_in_code.html",
        status_of(refused) if refused else 200,
        fault=refused.faults.get("code", "") if refused else "",
        following=step.following,
        trusted_for=ask.trusted_for,
        key=grouped_key(key),
        picture=picture_of(key, ask.member.email, step.workspace.name) if key else "",
    )


@router.get(f"/{CODE}")
async def get_code(request: Request, workspace: str, begin: Begin) -> Response:
    """Asks for a code of the app, or a recovery code."""
    async with step_here(request, workspace, begin, following_of(request)) as step:
        ask = await _asked(step, Asked.CODE)
        return _page(request, step, ask) if ask else begin_again(request, step)


@router.get(f"/{SET_UP}")
async def get_set_up(request: Request, workspace: str, begin: Begin) -> Response:
    """Shows the key of the app that must be set up; it was made with the step."""
    async with step_here(request, workspace, begin, following_of(request)) as step:
        ask = await _asked(step, Asked.ENROLMENT)
        return _page(request, step, ask) if ask else begin_again(request, step)


@router.post(f"/{CODE}")
async def post_code(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Goes on with the sign-in; a wrong code is counted, and may be typed again."""
    trusts = field_of(posted, "trust") == YES
    async with step_here(request, workspace, begin, field_of(posted, "next")) as step:
        typed = _typed(request, step, posted, trusts=trusts)
        try:
            proven = await sign_in_with_code(step.work, typed)
        except SignInRefused:
            return begin_again(request, step)
        if isinstance(proven, PasswordRefused):
            return await _once_more(request, step, Asked.CODE, proven)
    return _gone_on(request, step, proven)


def _typed(request: Request, step: Step, posted: PostedPairs, *, trusts: bool = False) -> CodeTyped:
    code, browser = field_of(posted, "code"), browser_of(request)
    return CodeTyped(step.workspace.id, step.secret, code, browser, trusts)


async def _once_more(
    request: Request, step: Step, needs: Asked, refused: PasswordRefused
) -> Response:
    ask = await _asked(step, needs)
    return _page(request, step, ask, refused) if ask else begin_again(request, step)


def _gone_on(request: Request, step: Step, proven: Proven) -> Response:
    begun = proven.begun
    if isinstance(begun, DomainError):
        answer = ask_more(request, step.workspace, begun, step.following)
    else:
        answer = signed_in_answer(request, step.workspace, begun, step.following)
    if proven.trusted is not None:
        keep_trusted(request, answer, proven.trusted)
    return answer


@router.post(f"/{SET_UP}")
async def post_set_up(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Confirms the app, goes on with the sign-in, and shows the recovery codes once."""
    async with step_here(request, workspace, begin, field_of(posted, "next")) as step:
        try:
            proven = await sign_in_enrolling(step.work, _typed(request, step, posted))
        except (SignInRefused, NotFound):
            return begin_again(request, step)
        if isinstance(proven, PasswordRefused):
            return await _once_more(request, step, Asked.ENROLMENT, proven)
    return _codes_page(request, step.workspace, proven, step.following)


def _codes_page(request: Request, row: WorkspaceRow, proven: Proven, following: str) -> Response:
    """The recovery codes, with the way on; the session or the next step begins with this page."""
    begun, way = proven.begun, safe_next(office_of(row).base, following)
    if isinstance(begun, DomainError):
        way = step_address(row, begun, following)
    codes = [grouped_key(each) for each in proven.recovery_codes]
    answer = outside_page(request, row, "sign_in_set_up_done.html", codes=codes, way=way)
    if isinstance(begun, DomainError):
        keep_step(request, answer, begun)
    else:
        keep_begun(request, answer, row, begun)
    return answer
