"""`/api/v1/reports`: who signed in or tried to, and which pages were opened (EE-15 to EE-17)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.call import ApiCall
from api.context import Begin
from api.errors import refusals
from api.paging import Pages
from api.report_file import CSV, every_line, read_logins, read_visits, report_file
from api.shapes.field import AnyId, Moment, Page
from api.shapes.report import LOGIN_HEAD, VISIT_HEAD, LoginShape, VisitShape
from commands.access_report import Wanted
from commands.login import LoginOutcome
from domain.errors import CursorInvalid
from store.access import AccessFilter

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

Format = Annotated[Literal["json", "csv"], Query(description="csv: the whole report as a file")]
AS_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


@router.get("/logins", response_model=Page[LoginShape], responses=refusals(CursorInvalid) | AS_FILE)
async def list_logins(  # noqa: PLR0913 - one argument for each filter
    call: ApiCall,
    begin: Begin,
    paging: Pages,
    member: AnyId | None = None,
    outcome: LoginOutcome | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    format: Format = "json",  # noqa: A002 - the query's word
) -> Page[LoginShape] | Response:
    """The login report, newest first: time, person, status, mode and device."""
    only = AccessFilter(member, outcome, None, since, until)
    wanted = Wanted(call.workspace_id, only, paging.cursor, paging.limit)
    if format == "csv":
        return await report_file(
            "logins.csv", LOGIN_HEAD, every_line(call.work, begin, wanted, read_logins)
        )
    rows, following = await read_logins(call.work, wanted)
    return Page(items=list(rows), next=following)


@router.get("/access", response_model=Page[VisitShape], responses=refusals(CursorInvalid) | AS_FILE)
async def list_access(  # noqa: PLR0913 - one argument for each filter
    call: ApiCall,
    begin: Begin,
    paging: Pages,
    member: AnyId | None = None,
    *,
    denied: bool | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    format: Format = "json",  # noqa: A002 - the query's word
) -> Page[VisitShape] | Response:
    """The application report, newest first: which pages, by whom, and which were denied."""
    only = AccessFilter(member, None, denied, since, until)
    wanted = Wanted(call.workspace_id, only, paging.cursor, paging.limit)
    if format == "csv":
        return await report_file(
            "access.csv", VISIT_HEAD, every_line(call.work, begin, wanted, read_visits)
        )
    rows, following = await read_visits(call.work, wanted)
    return Page(items=list(rows), next=following)
