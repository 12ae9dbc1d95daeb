"""The party's door: what the link leads to (PS-26).

No GET or HEAD changes anything but a counter of visits, and nothing here can be used up by whoever
only holds the link: mail scanners open, press and post (SX-7).
"""

from fastapi import APIRouter, Depends, Request, Response

from api import code_page
from api.browser import (
    PostedPairs,
    door_of,
    field_of,
    forget_all,
    keep_door,
    refuse_cross_site,
    visitor_of,
)
from api.context import Begin
from api.link import LINK_CHARACTERS, link_in
from api.party_pages import door_occasion, language_of, page, page_of, steps_of
from commands.door import Door, open_door
from commands.public_session_terms import idle_policy, settings_in
from commands.room import enter
from commands.work import Work
from domain.errors import NotFound, SessionEnded
from store.gate import Shut, gates_of
from store.public_session import value_of

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)
router.include_router(code_page.router)


# Twice, because a line break of a wrapped link does not match a `path`, nor a slash anything else.
@router.api_route("/s/{token}", methods=["GET", "HEAD"])
@router.api_route("/s/{token:path}", methods=["GET", "HEAD"])
async def get_door(request: Request, token: str, begin: Begin) -> Response:
    """What the link leads to: what, for whom, until when, and one button."""
    link = link_in(token)
    async with begin.work() as work:
        door = await open_door(work, link, counted=request.method == "GET")
        here = not door.end_reason and await _is_bound_here(request, work, door)
        elsewhere = not here and await _is_bound(work, door)
    if door.end_reason:
        raise SessionEnded(door.end_reason)
    answer = page_of(
        door_occasion(request, door, work.at),
        "door.html",
        link=link,
        address=door.address if door.party.email else "",
        steps=steps_of(value_of(door.session, door.tasks), door.tasks),
        session_id=door.session.id,
        bound_here=here,
        bound_elsewhere=elsewhere,
    )
    keep_door(request, answer, door_of(request))
    return answer


async def _is_bound_here(request: Request, work: Work, door: Door) -> bool:
    """Whether this browser has the session's living place; looking does not count as activity."""
    visitor = visitor_of(request, str(door.session.id))
    if not visitor.secret:
        return False
    try:
        room = await enter(work, visitor)
    except NotFound:
        return False
    policy = idle_policy(settings_in(work, room.session))
    return room.value.refuses_browser(room.binding.id, work.at, policy) is None


async def _is_bound(work: Work, door: Door) -> bool:
    """Whether some browser has the session's living place."""
    binding_id = door.session.binding_id
    if binding_id is None:
        return False
    gates = await gates_of(work.db, [binding_id], work.at, idle_policy(work.settings))
    return not isinstance(gates.get(binding_id), Shut)


@router.post("/clean")
async def post_clean(request: Request, posted: PostedPairs) -> Response:
    """Takes only our cookies from this browser, and shows the way back (SX-10)."""
    link = link_in(field_of(posted, "link"))
    known = len(link) == LINK_CHARACTERS
    answer = page("cleaned.html", language_of(request), link=link if known else "")
    forget_all(request, answer)
    return answer
