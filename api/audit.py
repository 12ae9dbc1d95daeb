"""`/api/v1/audit`: what happened in the workspace (PS-25)."""

from fastapi import APIRouter

from api.call import ApiCall
from api.errors import refusals
from api.paging import Pages
from api.shapes.audit import AuditShape
from api.shapes.field import AnyId, Page
from domain.audit import AuditEvent
from domain.errors import CursorInvalid
from store.audit import AuditFilter, audit_page

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


@router.get("", responses=refusals(CursorInvalid))
async def list_audit(
    call: ApiCall,
    paging: Pages,
    event: AuditEvent | None = None,
    session: AnyId | None = None,
    party: AnyId | None = None,
) -> Page[AuditShape]:
    """The workspace's audit log, newest first."""
    wanted = AuditFilter(event, session, party)
    rows, following = await audit_page(
        call.work.db, call.workspace_id, wanted, paging.cursor, paging.limit
    )
    return Page(items=[AuditShape.of(each) for each in rows], next=following)
