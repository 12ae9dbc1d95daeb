"""`/api/v1/member-sessions`: where members are signed in, and ending that (SH-14, SH-19)."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.paging import Pages
from api.shapes.field import AnyId, Page
from api.shapes.member import MemberSessionShape
from commands.member_session import SessionTarget, kill_session
from domain.errors import CursorInvalid, IdempotencyKeyReused, NotFound
from store.member_session import ShownSessions, member_sessions_page

router = APIRouter(prefix="/api/v1/member-sessions", tags=["members"])


@router.get("", responses=refusals(CursorInvalid))
async def list_sessions(
    call: ApiCall, paging: Pages, member: AnyId | None = None
) -> Page[MemberSessionShape]:
    """Sessions that may act, and killed ones while they are kept; newest first."""
    wanted = ShownSessions(call.workspace_id, call.work.at, member)
    rows, following = await member_sessions_page(call.work.db, wanted, paging.cursor, paging.limit)
    return Page(items=[MemberSessionShape.of(each) for each in rows], next=following)


@router.post(
    "/{member_session_id}/kill",
    response_model=MemberSessionShape,
    responses=refusals(NotFound, IdempotencyKeyReused),
)
async def post_kill(
    call: ApiCall, member_session_id: UUID, _key: IdempotencyKey = None
) -> Response:
    """Ends a session at once, with its tokens; the list shows it for a while longer (SH-14)."""
    return await once(call, 200, partial(_kill, call, member_session_id))


async def _kill(call: Call, session_id: UUID) -> MemberSessionShape:
    target = SessionTarget(call.workspace_id, session_id, call.actor)
    return MemberSessionShape.of(await kill_session(call.work, target))
