"""Members act for each other: granted until a day, begun, left, ended (EE-13, EE-14, C8)."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.day import day_in, is_over
from api.errors import status_of
from api.ids import id_in
from api.member_call import ConsoleCall, MemberCall, keep_member, member_secret
from commands.delegation import (
    begin_delegation,
    end_delegation,
    grant_delegation,
    grants_of,
    leave_delegation,
)
from domain.errors import NotFound
from domain.member import MemberState
from domain.member_errors import DelegationRefused
from domain.permission import Permission
from store.member import members_page

NAME = "Acting for others"
PATH = "/account/delegations"
MOST_MEMBERS = 200

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("", name=NAME)
async def get_delegations(call: ConsoleCall) -> HTMLResponse:
    """Who may act for one, for whom one may act, and the form that lets somebody."""
    return await _page(call, {"member": "", "until": ""})


async def _page(
    call: MemberCall, typed: Mapping[str, str], refused: DelegationRefused | None = None
) -> HTMLResponse:
    call.needs(Permission.ACCOUNT_OWN)
    rows, _ = await members_page(call.work.db, call.workspace_id, None, MOST_MEMBERS)
    others = [
        each for each in rows if each.state == MemberState.ACTIVE and each.id != call.member.id
    ]
    return member_page(
        call,
        "delegations.html",
        status_of(refused) if refused else 200,
        grants=await grants_of(call.work, call.member),
        here=call.session.delegation_id,
        others=others,
        typed=typed,
        faults=refused.fields if refused else (),
        done=call.request.query_params.get("done", ""),
    )


@router.post("", name=NAME)
async def post_delegation(posted: PostedPairs, call: ConsoleCall) -> Response:
    """Lets another member act until a day is over; what is wrong is told at its field."""
    call.needs(Permission.ACCOUNT_OWN)
    typed = {name: field_of(posted, name) for name in ("member", "until")}
    day = day_in(typed["until"])
    ends_at = is_over(day, call.member.zone) if day else None
    try:
        await grant_delegation(call.work, call.member, id_in(typed["member"]), ends_at, call.actor)
    except DelegationRefused as refused:
        return await _page(call, typed, refused)
    return _back(call, "granted")


@router.post("/return", name=NAME)
async def post_return(call: ConsoleCall) -> Response:
    """Back to oneself, at once and without a prompt; the session has a new id (EE-14)."""
    secret = member_secret(call.request)
    newer = await leave_delegation(call.work, call.found, secret, call.actor)
    return _renewed(call, newer, office_of(call.workspace).base)


@router.get("/{delegation_id}/end", name=NAME)
async def get_end(call: ConsoleCall, delegation_id: UUID) -> HTMLResponse:
    """Asks whether to end a grant."""
    call.needs(Permission.ACCOUNT_OWN)
    grants = await grants_of(call.work, call.member)
    known = {row.id: (row, other) for row, other in (*grants.to, *grants.by)}
    if delegation_id not in known:
        raise NotFound("delegation")
    row, other = known[delegation_id]
    is_mine = row.owner_id == call.member.id
    return member_page(call, "delegation_end.html", grant=row, other=other, is_mine=is_mine)


@router.post("/{delegation_id}/end", name=NAME)
async def post_end(call: ConsoleCall, delegation_id: UUID) -> Response:
    """Ends it, also for who acts under it at this moment."""
    call.needs(Permission.ACCOUNT_OWN)
    await end_delegation(call.work, call.member, delegation_id, call.actor)
    return _back(call, "ended")


@router.post("/{delegation_id}/begin", name=NAME)
async def post_begin(call: ConsoleCall, delegation_id: UUID) -> Response:
    """Acts for another in one's own session, which has a new id from here on (EE-13)."""
    call.needs(Permission.ACCOUNT_OWN)
    secret = member_secret(call.request)
    newer = await begin_delegation(call.work, call.found, delegation_id, secret, call.actor)
    return _renewed(call, newer, office_of(call.workspace).base)


def _back(call: MemberCall, done: str) -> Response:
    return see_other(f"{office_of(call.workspace).base}{PATH}?done={done}")


def _renewed(call: MemberCall, secret: str, address: str) -> Response:
    answer = see_other(address)
    keep_member(call.request, answer, secret)
    return answer
