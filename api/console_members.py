"""The members of a workspace, for its administrators: looked at, invited, changed (PS-41, SX-16).

Whatever changes somebody's account is asked first, on a page of its own.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.errors import status_of
from api.ids import known_id
from api.member_call import ConsoleCall, MemberCall
from api.own_session import own_sessions
from api.shapes.member import MemberShape
from commands.member import (
    change_role,
    disable_member,
    enable_member,
    find_member,
    invite_again,
    unlock_member,
)
from commands.member_session import SessionTarget, kill_session
from commands.setting import effective_settings
from commands.sign_in import lock_policy
from commands.work import Work
from domain.actor import Actor
from domain.errors import DomainError, NotFound
from domain.member import Role
from domain.member_errors import LastAdministrator, MemberExists
from domain.permission import Permission
from domain.sign_in import LockPolicy
from store.member import MemberRow, members_page
from store.member_session import sessions_shown
from store.second_factor import factors_set_at

NAME = "Members"
PATH = "/members"
ON_A_PAGE = 50

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


class MemberVerb(StrEnum):
    """What may be done to a member here, as the path says it."""

    INVITE = "invite"
    ROLE = "role"
    DISABLE = "disable"
    ENABLE = "enable"
    UNLOCK = "unlock"


Act = Callable[[Work, UUID, UUID, Actor], Awaitable[Any]]
ACTS: Mapping[MemberVerb, Act] = {
    MemberVerb.INVITE: invite_again,
    MemberVerb.DISABLE: disable_member,
    MemberVerb.ENABLE: enable_member,
    MemberVerb.UNLOCK: unlock_member,
}


@router.get("", name=NAME)
async def get_members(call: ConsoleCall) -> HTMLResponse:
    """Everybody with role, state and lock, newest first."""
    call.needs(Permission.MEMBERS_MANAGE)
    cursor = call.request.query_params.get("cursor")
    rows, following = await members_page(call.work.db, call.workspace_id, cursor, ON_A_PAGE)
    shapes = await _shapes(call, rows)
    return member_page(call, "members.html", members=shapes, following=following)


async def _shapes(call: MemberCall, rows: Sequence[MemberRow]) -> list[MemberShape]:
    policy, at = await _policy(call), call.work.at
    factors = await factors_set_at(call.work.db, [each.id for each in rows])
    return [MemberShape.of(each, policy, at, factors.get(each.id)) for each in rows]


async def _policy(call: MemberCall) -> LockPolicy:
    return lock_policy(await effective_settings(call.work, call.workspace_id))


async def _shape(call: MemberCall, row: MemberRow) -> MemberShape:
    (shape,) = await _shapes(call, [row])
    return shape


@router.get("/{member_id}", name=NAME)
async def get_member(call: ConsoleCall, member_id: UUID) -> HTMLResponse:
    """One member: what it may do, what locks it, and where it is signed in (SH-19)."""
    member = await _found(call, member_id)
    rows = await sessions_shown(call.work.db, call.workspace_id, call.work.at, member_id)
    return member_page(
        call,
        "member.html",
        member=await _shape(call, member),
        sessions=own_sessions(rows, call.session.id),
        roles=list(Role),
        done=call.request.query_params.get("done", ""),
    )


async def _found(call: MemberCall, member_id: UUID) -> MemberRow:
    call.needs(Permission.MEMBERS_MANAGE)
    return await find_member(call.work, call.workspace_id, member_id)


@router.get("/{member_id}/{verb}", name=NAME)
async def get_verb(call: ConsoleCall, member_id: UUID, verb: MemberVerb) -> HTMLResponse:
    """Asks whether to do it."""
    role = call.request.query_params.get("role", "")
    return await _question(call, member_id, verb, _role_of(verb, role))


def _role_of(verb: MemberVerb, text: str) -> Role | None:
    """The role that was chosen; raises `NotFound` for what is none."""
    if verb is not MemberVerb.ROLE:
        return None
    try:
        return Role(text)
    except ValueError as error:
        raise NotFound("role") from error


async def _question(
    call: MemberCall,
    member_id: UUID,
    verb: MemberVerb,
    role: Role | None,
    refused: DomainError | None = None,
) -> HTMLResponse:
    member = await _shape(call, await _found(call, member_id))
    status = status_of(refused) if refused else 200
    known = {"verb": verb.value, "role": role, "is_refused": refused is not None}
    return member_page(call, "member_confirm.html", status, member=member, **known)


@router.post("/{member_id}/{verb}", name=NAME)
async def post_verb(
    posted: PostedPairs, call: ConsoleCall, member_id: UUID, verb: MemberVerb
) -> Response:
    """Does it; a refusal is told where it was asked."""
    call.needs(Permission.MEMBERS_MANAGE)
    role = _role_of(verb, field_of(posted, "role"))
    try:
        await _act(call, member_id, verb, role)
    except (LastAdministrator, MemberExists) as refused:
        return await _question(call, member_id, verb, role, refused)
    return _back(call, member_id, verb.value)


async def _act(call: MemberCall, member_id: UUID, verb: MemberVerb, role: Role | None) -> None:
    if role is not None:
        await change_role(call.work, call.workspace_id, member_id, role, call.actor)
    else:
        await ACTS[verb](call.work, call.workspace_id, member_id, call.actor)


def _back(call: MemberCall, member_id: UUID, done: str) -> Response:
    base = office_of(call.workspace).base
    return see_other(f"{base}{PATH}/{member_id}?done={done}")


@router.get("/{member_id}/sessions/{session_id}/end", name=NAME)
async def get_end(call: ConsoleCall, member_id: UUID, session_id: str) -> HTMLResponse:
    """Asks whether to end one of a member's sessions."""
    member = await _shape(call, await _found(call, member_id))
    rows = await sessions_shown(call.work.db, call.workspace_id, call.work.at, member_id)
    wanted = known_id(session_id, "session")
    found = [each for each in own_sessions(rows) if each.id == wanted and not each.killed_at]
    if not found:
        raise NotFound("session")
    return member_page(call, "member_end_session.html", member=member, one=found[0])


@router.post("/{member_id}/sessions/{session_id}/end", name=NAME)
async def post_end(call: ConsoleCall, member_id: UUID, session_id: str) -> Response:
    """Ends it at once, with its tokens (SH-14, SH-19)."""
    call.needs(Permission.MEMBERS_MANAGE)
    wanted = known_id(session_id, "session")
    await kill_session(
        call.work, SessionTarget(call.workspace_id, wanted, call.actor, owner=member_id)
    )
    return _back(call, member_id, "session")
