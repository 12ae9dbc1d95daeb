"""A signer's window: opened, taken over, filled, left, and confirmed anew (EX-9 to EX-14, EX-19).

Every route answers a plain form by leading back to the page, and a script by a few words of JSON or
a problem. What is posted names the window, its fence and the version it was made for (EX-20).
"""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from api.browser import (
    PostedPairs,
    TaskPairs,
    field_of,
    is_script,
    refuse_cross_site,
    see_other,
    visitor_of,
)
from api.context import Begin
from api.error_pages import answer_parts
from api.party_pages import language_of, page
from api.refusals import TABLE
from api.room import task_page
from api.signature_left_behind import left_behind_count, newest_left_behind
from api.signature_page import digest_of
from api.signature_post import place_in, window_in, write_in
from api.signing_keep import kept_values
from commands.room import Visitor, enter_to_act
from commands.signing_left_behind import let_go_left_behind, use_left_behind
from commands.signing_session import (
    OpenWindow,
    confirm_changes,
    hear_signing,
    leave_signing,
    open_signing,
)
from commands.step_up import StepUp, ask_step_up, step_up
from commands.work import Transactions
from domain.agreement_errors import AgreementStale, ChangesUnconfirmed, WindowHeld, WindowLost
from domain.errors import AnswersRefused, BindingLost, CodeSpent, CodeWrong, DomainError

YES = "yes"
CODE, INCOMPLETE = "code", "incomplete"
TASK = "/sessions/{session_id}/tasks/{key}"


router = APIRouter(
    dependencies=[Depends(refuse_cross_site), Depends(answer_parts)], include_in_schema=False
)


def address_of_window(visitor: Visitor, key: str, window: str) -> str:
    """Where the page of a window is; reloading it keeps the window (SX-6)."""
    return f"/sessions/{visitor.session_id}/tasks/{key}?window={window}"


@router.get("/sessions/{session_id}/exit")
async def get_exit(request: Request, session_id: str) -> Response:
    """Where whoever cancels comes to, if the workspace has no page for that (EX-11, EX-18)."""
    # It is the same for everybody: nothing is known of whoever comes here last.
    del session_id
    return page("exit.html", language_of(request))


@router.post(f"{TASK}/open")
async def post_open(
    request: Request, session_id: str, key: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Opens a window; while another is open, asks: Open Here or Cancel (EX-9, EX-10)."""
    visitor, window = visitor_of(request, session_id), window_in(posted)
    wanted = OpenWindow(key, window, take_over=field_of(posted, "take_over") == YES)
    try:
        async with begin.work() as work:
            await open_signing(work, visitor, wanted)
    except WindowHeld as held:
        return await _shown_again(request, visitor, key, begin, held)
    return see_other(address_of_window(visitor, key, window))


async def _shown_again(
    request: Request, visitor: Visitor, key: str, begin: Transactions, refused: DomainError
) -> Response:
    if is_script(request):
        raise refused
    async with begin.work() as work:
        return await task_page(request, work, await enter_to_act(work, visitor), key, refused)


@router.post(f"{TASK}/values")
async def post_values(
    request: Request, session_id: str, key: str, posted: TaskPairs, begin: Begin
) -> Response:
    """Saves what was entered so far (N8)."""
    visitor = visitor_of(request, session_id)
    try:
        read = await kept_values(request, begin, visitor, key, posted)
    except AgreementStale as stale:
        return await _shown_again(request, visitor, key, begin, stale)
    except (WindowLost, BindingLost) as lost:
        if not is_script(request):
            raise
        said = {"reason": lost.reason, "kept": request.state.kept}
        return TABLE[type(lost)].kind.response(str(lost), said)
    return _done(request, visitor, key, posted, {"errors": read.errors})


def _done(
    request: Request,
    visitor: Visitor,
    key: str,
    posted: list[tuple[str, str]],
    said: dict[str, Any],
) -> Response:
    if is_script(request):
        return JSONResponse(said)
    return see_other(address_of_window(visitor, key, window_in(posted)))


@router.post(f"{TASK}/left-behind")
async def post_left_behind(
    request: Request, session_id: str, key: str, posted: TaskPairs, begin: Begin
) -> Response:
    """Uses one draft that another window had not saved, or lets it go (N8)."""
    visitor = visitor_of(request, session_id)
    await kept_values(request, begin, visitor, key, posted)
    write, used = write_in(key, posted), field_of(posted, "use")
    async with begin.work() as work:
        if used:
            await use_left_behind(work, visitor, write, used)
        else:
            await let_go_left_behind(work, visitor, write, field_of(posted, "let_go"))
    return _done(request, visitor, key, posted, {})


@router.post(f"{TASK}/beat")
async def post_beat(
    request: Request, session_id: str, key: str, posted: PostedPairs, begin: Begin
) -> Response:
    """A sign of life; says how much another window had not saved."""
    visitor, is_active = visitor_of(request, session_id), field_of(posted, "active") == YES
    async with begin.work() as work:
        found = await hear_signing(work, visitor, key, place_in(posted), active=is_active)
    said = {
        "left_behind": left_behind_count(found),
        "left_behind_newest": newest_left_behind(found),
        "version": found.agreement.version,
        "saved": digest_of(found),
    }
    return _done(request, visitor, key, posted, said)


@router.post(f"{TASK}/leave")
async def post_leave(
    request: Request, session_id: str, key: str, posted: PostedPairs, begin: Begin
) -> Response:
    """The window was closed: whoever comes next is asked nothing (C16, SX-6)."""
    async with begin.work() as work:
        await leave_signing(work, visitor_of(request, session_id), key, place_in(posted))
    return Response(status_code=204)


@router.post(f"{TASK}/changes")
async def post_changes(
    request: Request, session_id: str, key: str, posted: PostedPairs, begin: Begin
) -> Response:
    """The signer has seen what was changed (EX-19, N7)."""
    visitor = visitor_of(request, session_id)
    confirmed = frozenset(value for name, value in posted if name == "confirm")
    try:
        async with begin.work() as work:
            await confirm_changes(work, visitor, write_in(key, posted), confirmed)
    except (AgreementStale, ChangesUnconfirmed) as refused:
        return await _shown_again(request, visitor, key, begin, refused)
    return _done(request, visitor, key, posted, {})


# A fresh code before signing (ASVS 7.5.3). Its buttons send the whole form, which is kept.


@router.post(f"{TASK}/code")
async def post_code(
    request: Request, session_id: str, key: str, posted: TaskPairs, begin: Begin
) -> Response:
    """Mails a code to sign with, or says when the next can be mailed."""
    visitor = visitor_of(request, session_id)
    try:
        await kept_values(request, begin, visitor, key, posted)
    except AgreementStale as stale:
        return await _shown_again(request, visitor, key, begin, stale)
    async with begin.work() as work:
        await ask_step_up(work, visitor, key, place_in(posted))
    return _done(request, visitor, key, posted, {})


@router.post(f"{TASK}/verify")
async def post_verify(
    request: Request, session_id: str, key: str, posted: TaskPairs, begin: Begin
) -> Response:
    """Lets the window sign if the code is right."""
    visitor = visitor_of(request, session_id)
    wanted = StepUp(visitor, key, place_in(posted), field_of(posted, CODE))
    try:
        await kept_values(request, begin, visitor, key, posted)
        if _digits(wanted.typed) == begin.settings.code_digits:
            await step_up(begin, wanted)
            return _done(request, visitor, key, posted, {})
    except (AgreementStale, CodeWrong, CodeSpent) as refused:
        return await _shown_again(request, visitor, key, begin, refused)
    # Not worth a try: nothing is counted.
    refusal = AnswersRefused({CODE: INCOMPLETE})
    return await _shown_again(request, visitor, key, begin, refusal)


def _digits(typed: str) -> int:
    return sum(each.isascii() and each.isdigit() for each in typed)
