"""Asking for a code and typing it: what binds a browser (PS-26, PS-27, C12, C13)."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from api.browser import (
    PostedPairs,
    door_of,
    field_of,
    keep_binding,
    keep_door,
    see_other,
    time_left,
)
from api.context import Begin
from api.ended_hint import keep_ended
from api.errors import status_of
from api.link import link_in
from api.member_call import member_secret
from api.party_pages import door_occasion, page_of
from commands.binding import Verify, verify
from commands.door import ask_code, code_mail, open_door
from commands.member_elsewhere import end_member_before, member_before
from commands.work import Transactions
from domain.code import TO_COME_IN
from domain.errors import CodeSpent, CodeWrong
from domain.mail import MailState
from domain.member_session import MemberSessionEnd
from store.code import living_codes

router = APIRouter()

CONFLICT = 409
MALFORMED = 422
SLOW_AFTER = timedelta(seconds=20)
"""A code mail that waits for longer than this is said to be late."""
KEPT_TYPED = 40


@router.post("/s/{token}/code")
async def post_code(request: Request, token: str, begin: Begin) -> Response:
    """Mails a code, or says when the next can be mailed; a double click mails one (SX-5)."""
    link, door = link_in(token), door_of(request)
    async with begin.work() as work:
        await ask_code(work, link, door)
    answer = see_other(f"/s/{link}/code")
    keep_door(request, answer, door)
    return answer


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was wrong with a code: `wrong`, `spent`, `incomplete`, or nothing yet.

    `somebody_else`: the code was not looked at, because a member's session would end unannounced.
    """

    problem: str = ""
    status: int = 200
    tries_left: int = 0
    typed: str = ""


NOTHING_WRONG = Wrong()


@router.get("/s/{token}/code")
async def get_code(request: Request, token: str, begin: Begin) -> Response:
    """Where the code is typed; tells how far its mail came."""
    return await _code_page(request, link_in(token), begin, NOTHING_WRONG)


async def _code_page(request: Request, link: str, begin: Transactions, wrong: Wrong) -> Response:
    async with begin.work() as work:
        mail = await code_mail(work, link)
        door = await open_door(work, link)
        is_usable = bool(await living_codes(work.db, mail.session_id, work.at, TO_COME_IN))
        before = await member_before(work, door.party, member_secret(request))
    if mail.asked_at is None and mail.next_at <= work.at and not wrong.problem:
        return see_other(f"/s/{link}")
    waited = work.at - (mail.asked_at or work.at)
    is_late = mail.state == MailState.QUEUED and waited > SLOW_AFTER
    return page_of(
        door_occasion(request, door, work.at),
        "code.html",
        wrong.status,
        link=link,
        mail=mail,
        is_late=is_late,
        is_over=not is_usable,
        digits=begin.settings.code_digits,
        wrong=wrong,
        before=before,
    )


@router.post("/s/{token}/verify")
async def post_verify(request: Request, token: str, posted: PostedPairs, begin: Begin) -> Response:
    """Binds this browser if the code is right, and leads into the room (PS-27)."""
    link, door, typed = link_in(token), door_of(request), field_of(posted, "code")
    answer: Response
    if _digits(typed) != begin.settings.code_digits:
        # Not worth a try: nothing is counted.
        wrong = Wrong("incomplete", MALFORMED, typed=typed[:KEPT_TYPED])
        answer = await _code_page(request, link, begin, wrong)
    elif await _is_unannounced(request, begin, link, field_of(posted, "ends")):
        wrong = Wrong("somebody_else", CONFLICT, typed=typed[:KEPT_TYPED])
        answer = await _code_page(request, link, begin, wrong)
    else:
        browser = request.headers.get("user-agent", "")
        answer = await _verified(request, begin, Verify(link, door, typed, browser))
    keep_door(request, answer, door)
    return answer


def _digits(typed: str) -> int:
    return sum(each.isascii() and each.isdigit() for each in typed)


async def _is_unannounced(request: Request, begin: Transactions, link: str, announced: str) -> bool:
    """Whether a member's session would end of which the page did not say so (EX-4, C15)."""
    secret = member_secret(request)
    if not secret:
        return False
    async with begin.work() as work:
        found = await member_before(work, (await open_door(work, link)).party, secret)
    return found is not None and announced != str(found.session.id)


async def _verified(request: Request, begin: Transactions, wanted: Verify) -> Response:
    try:
        bound = await verify(begin, wanted)
    except CodeWrong as refusal:
        wrong = Wrong("wrong", status_of(refusal), refusal.tries_left)
        return await _code_page(request, wanted.link, begin, wrong)
    except CodeSpent as refusal:
        return await _code_page(request, wanted.link, begin, Wrong("spent", status_of(refusal)))
    answer = see_other(f"/sessions/{bound.session_id}")
    lasts = time_left(bound.expires_at, begin.clock())
    keep_binding(request, answer, bound.session_id, bound.secret, lasts)
    await _end_member_before(request, answer, begin, wanted.link)
    return answer


async def _end_member_before(
    request: Request, answer: Response, begin: Transactions, link: str
) -> None:
    """The member's session of this browser ends: somebody else works here now (EX-4)."""
    secret = member_secret(request)
    if not secret:
        return
    async with begin.work() as work:
        door = await open_door(work, link)
        found = await member_before(work, door.party, secret)
        if found is not None:
            await end_member_before(work, found)
            keep_ended(request, answer, door.workspace.key, MemberSessionEnd.DIFFERENT_USER)
