"""`/api/v1/public-sessions`: issued, listed, read (PS-22, PS-24, PS-33)."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.audit import audit_shapes
from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.paging import Pages
from api.public_session_views import detail_of, find_session, link_of, shapes_of
from api.shapes.audit import AuditShape
from api.shapes.field import AnyId, Moment, Page, Text, storable
from api.shapes.public_session import (
    AlreadyOpen,
    IssuedPublicSession,
    MailShape,
    NewPublicSession,
    PublicSessionDetail,
    PublicSessionShape,
    SubmissionShape,
)
from commands.issue import Issue, Issued, issue
from commands.party import find_party
from domain.audit import AuditEvent
from domain.errors import (
    CursorInvalid,
    Erased,
    IdempotencyKeyReused,
    NotFound,
    ScopeRefused,
    TemplateNotIssuable,
)
from domain.member_errors import SettingRefused
from domain.public_session import Status
from store.audit import trail_page
from store.columns import new_id
from store.mail import mails_of
from store.public_session import submissions_of, tasks_of
from store.public_session_list import SessionFilter, sessions_page

router = APIRouter(prefix="/api/v1/public-sessions", tags=["public-sessions"])

Search = Annotated[str, Query(max_length=200), AfterValidator(storable)]


@router.post(
    "",
    status_code=201,
    response_model=IssuedPublicSession,
    responses=refusals(
        NotFound, Erased, ScopeRefused, TemplateNotIssuable, SettingRefused, IdempotencyKeyReused
    ),
)
async def post_session(
    call: ApiCall, wanted: NewPublicSession, _key: IdempotencyKey = None
) -> Response:
    """Issues a template to a party; the invitation and the workflow follow by themselves."""
    return await once(call, 201, partial(_issue, call, wanted))


async def _issue(call: Call, wanted: NewPublicSession) -> IssuedPublicSession:
    party = await find_party(call.work, call.workspace_id, wanted.party, lock=True)
    cause = f"manual:{new_id()}"
    about = Issue(
        wanted.template, cause, call.actor, subject=wanted.subject, settings=wanted.settings
    )
    issued = await issue(call.work, party, about)
    # Everything shown is at hand: issuing many must not read back what it has just written.
    return IssuedPublicSession.of(
        issued.session,
        issued.tasks,
        party.name,
        call.work.at,
        warnings=warnings_of(issued),
        **link_of(issued.session),
    )


def warnings_of(issued: Issued) -> list[AlreadyOpen]:
    """What the caller may want to know of a session that was just issued."""
    return [AlreadyOpen(public_session=issued.already_open)] if issued.already_open else []


@router.get("", responses=refusals(CursorInvalid))
async def list_sessions(  # noqa: PLR0913 - one argument for each filter
    call: ApiCall,
    paging: Pages,
    status: Status | None = None,
    template: Text | None = None,
    party: AnyId | None = None,
    q: Search | None = None,
    expires_before: Moment | None = None,
) -> Page[PublicSessionShape]:
    """The workspace's sessions, newest first; a status is the one at this moment (PS-22, PS-34)."""
    wanted = SessionFilter(call.work.at, status, template, party, q, expires_before)
    rows, following = await sessions_page(
        call.work.db, call.workspace_id, wanted, paging.cursor, paging.limit
    )
    return Page(items=await shapes_of(call, rows), next=following)


@router.get("/{session_id}", responses=refusals(NotFound))
async def get_session(call: ApiCall, session_id: UUID) -> PublicSessionDetail:
    """One session with its tasks, its link's age and its outcome (PS-24)."""
    return await detail_of(call, await find_session(call, session_id))


@router.get("/{session_id}/submissions", responses=refusals(NotFound))
async def list_submissions(call: ApiCall, session_id: UUID) -> Page[SubmissionShape]:
    """What was captured, oldest first; that it was read is written down (PS-25)."""
    row = await find_session(call, session_id)
    tasks = {each.id: each for each in await tasks_of(call.work.db, row.id)}
    found = await submissions_of(call.work.db, row.id)
    details = {"submissions": len(found)}
    call.work.audit_session(AuditEvent.SUBMISSIONS_READ, row, call.actor, details=details)
    return Page(items=[SubmissionShape.of(each, tasks[each.task_id]) for each in found])


@router.get("/{session_id}/audit", responses=refusals(NotFound, CursorInvalid))
async def list_trail(call: ApiCall, session_id: UUID, paging: Pages) -> Page[AuditShape]:
    """The session's audit trail, oldest first (PS-24)."""
    row = await find_session(call, session_id)
    rows, following = await trail_page(call.work.db, row.id, paging.cursor, paging.limit)
    return Page(items=await audit_shapes(call.work.db, rows), next=following)


@router.get("/{session_id}/mails", responses=refusals(NotFound))
async def list_mails(call: ApiCall, session_id: UUID) -> Page[MailShape]:
    """The session's mails, newest first: how far each came, neither address nor text (PS-37)."""
    row = await find_session(call, session_id)
    return Page(items=[MailShape.of(each) for each in await mails_of(call.work.db, row.id)])
