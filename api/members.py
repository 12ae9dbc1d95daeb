"""`/api/v1/members`: who works in the workspace, and what each may do (PS-41, SX-16)."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.paging import Pages
from api.shapes.field import Page
from api.shapes.member import ChangedMember, MemberShape, NewMember
from commands.member import (
    change_member,
    disable_member,
    enable_member,
    find_member,
    invite_again,
    invite_member,
    unlock_member,
)
from commands.second_factor import reset_factor
from commands.setting import effective_settings
from commands.sign_in import lock_policy
from commands.work import Work
from domain.actor import Actor
from domain.errors import CursorInvalid, IdempotencyKeyReused, NotFound
from domain.member_errors import (
    LastAdministrator,
    MemberExists,
    MemberInvalid,
    PermissionDenied,
)
from domain.permission import Permission
from store.member import MemberRow, members_page
from store.second_factor import factors_set_at

router = APIRouter(prefix="/api/v1/members", tags=["members"])

Verb = Callable[[Work, UUID, UUID, Actor], Awaitable[MemberRow]]


async def _shape(call: Call, row: MemberRow) -> MemberShape:
    (shape,) = await _shapes(call, [row])
    return shape


async def _shapes(call: Call, rows: Sequence[MemberRow]) -> list[MemberShape]:
    policy = lock_policy(await effective_settings(call.work, call.workspace_id))
    factors = await factors_set_at(call.work.db, [each.id for each in rows])
    return [MemberShape.of(each, policy, call.work.at, factors.get(each.id)) for each in rows]


@router.get("", responses=refusals(CursorInvalid))
async def list_members(call: ApiCall, paging: Pages) -> Page[MemberShape]:
    """The workspace's members, newest first; deleted accounts are not among them."""
    rows, following = await members_page(
        call.work.db, call.workspace_id, paging.cursor, paging.limit
    )
    return Page(items=await _shapes(call, rows), next=following)


@router.post(
    "",
    status_code=201,
    response_model=MemberShape,
    responses=refusals(MemberInvalid, MemberExists, IdempotencyKeyReused),
)
async def post_member(call: ApiCall, wanted: NewMember, _key: IdempotencyKey = None) -> Response:
    """Invites somebody; one who was invited before and has not come gets a new link."""
    return await once(call, 201, partial(_invite, call, wanted))


async def _invite(call: Call, wanted: NewMember) -> MemberShape:
    invited = await invite_member(call.work, call.workspace_id, wanted.fields(), call.actor)
    return await _shape(call, invited.member)


@router.get("/{member_id}", responses=refusals(NotFound))
async def get_member(call: ApiCall, member_id: UUID) -> MemberShape:
    """One member, with the lock that wrong passwords made."""
    return await _shape(call, await find_member(call.work, call.workspace_id, member_id))


@router.patch("/{member_id}", responses=refusals(NotFound, MemberInvalid, LastAdministrator))
async def patch_member(call: ApiCall, member_id: UUID, wanted: ChangedMember) -> MemberShape:
    """Replaces role, name, language or zone; another role counts from the next request on."""
    row = await change_member(call.work, call.workspace_id, member_id, wanted.changes(), call.actor)
    return await _shape(call, row)


@router.post(
    "/{member_id}/disable",
    response_model=MemberShape,
    responses=refusals(NotFound, LastAdministrator, IdempotencyKeyReused),
)
async def post_disable(call: ApiCall, member_id: UUID, _key: IdempotencyKey = None) -> Response:
    """Ends every session and token of a member at once, and lets none begin."""
    return await once(call, 200, partial(_act, call, member_id, disable_member))


@router.post(
    "/{member_id}/enable",
    response_model=MemberShape,
    responses=refusals(NotFound, IdempotencyKeyReused),
)
async def post_enable(call: ApiCall, member_id: UUID, _key: IdempotencyKey = None) -> Response:
    """Lets a disabled member sign in again."""
    return await once(call, 200, partial(_act, call, member_id, enable_member))


@router.post(
    "/{member_id}/unlock",
    response_model=MemberShape,
    responses=refusals(NotFound, IdempotencyKeyReused),
)
async def post_unlock(call: ApiCall, member_id: UUID, _key: IdempotencyKey = None) -> Response:
    """Clears the lock after too many wrong passwords (SX-16)."""
    return await once(call, 200, partial(_act, call, member_id, unlock_member))


@router.post(
    "/{member_id}/reset-second-factor",
    response_model=MemberShape,
    responses=refusals(NotFound, IdempotencyKeyReused),
)
async def post_reset_factor(
    call: ApiCall, member_id: UUID, _key: IdempotencyKey = None
) -> Response:
    """Takes away the second factor of another member who has lost it; every session ends.

    One's own is taken away on the account's pages, after password and code (ASVS 7.5.1).
    """
    if call.caller.is_member and call.caller.id == member_id:
        raise PermissionDenied(Permission.MEMBERS_MANAGE)
    return await once(call, 200, partial(_act, call, member_id, reset_factor))


async def _act(call: Call, member_id: UUID, verb: Verb) -> MemberShape:
    return await _shape(call, await verb(call.work, call.workspace_id, member_id, call.actor))


@router.post(
    "/{member_id}/invite",
    response_model=MemberShape,
    responses=refusals(NotFound, MemberExists, IdempotencyKeyReused),
)
async def post_invite(call: ApiCall, member_id: UUID, _key: IdempotencyKey = None) -> Response:
    """A new link for somebody who was invited and has not come."""
    return await once(call, 200, partial(_invite_again, call, member_id))


async def _invite_again(call: Call, member_id: UUID) -> MemberShape:
    invited = await invite_again(call.work, call.workspace_id, member_id, call.actor)
    return await _shape(call, invited.member)
