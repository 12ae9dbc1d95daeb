"""`/api/v1/reports`: who signed in or tried to, and which pages were opened (EE-15 to EE-17)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from adapters.csv_cells import csv_line
from api.call import ApiCall
from api.context import Begin
from api.errors import refusals
from api.paging import Pages
from api.shapes.field import AnyId, Moment, Page
from api.shapes.report import LOGIN_HEAD, VISIT_HEAD, LoginShape, VisitShape
from commands.access_report import Wanted, report_logins, report_visits
from commands.sign_in import LoginOutcome
from commands.work import Transactions, Work
from domain.errors import CursorInvalid
from store.access import AccessFilter

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

CSV = "text/csv"
AT_ONCE = 500
Format = Annotated[Literal["json", "csv"], Query(description="csv: the whole report as a file")]
AS_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


class _Line(Protocol):
    def cells(self) -> tuple[str, ...]:
        """The line of a table."""


Read = Callable[[Work, Wanted], Awaitable[tuple[Sequence[_Line], str | None]]]


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
        return _file("logins.csv", LOGIN_HEAD, _lines(begin, wanted, _logins))
    rows, following = await _logins(call.work, wanted)
    return Page(items=list(rows), next=following)


async def _logins(work: Work, wanted: Wanted) -> tuple[Sequence[LoginShape], str | None]:
    found = await report_logins(work, wanted)
    return [LoginShape.of(each, found.names, found.guest) for each in found.rows], found.following


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
        return _file("access.csv", VISIT_HEAD, _lines(begin, wanted, _visits))
    rows, following = await _visits(call.work, wanted)
    return Page(items=list(rows), next=following)


async def _visits(work: Work, wanted: Wanted) -> tuple[Sequence[VisitShape], str | None]:
    found = await report_visits(work, wanted)
    return [VisitShape.of(each, found.names, found.guest) for each in found.rows], found.following


def _file(name: str, head: tuple[str, ...], lines: AsyncIterator[str]) -> StreamingResponse:
    async def whole() -> AsyncIterator[str]:
        yield csv_line(head)
        async for each in lines:
            yield each

    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(whole(), media_type=CSV, headers=disposition)


async def _lines(begin: Transactions, wanted: Wanted, read: Read) -> AsyncIterator[str]:
    """Every line, some at a time: no transaction stays open while somebody downloads."""
    cursor = wanted.cursor
    while True:
        async with begin.work() as work:
            part = Wanted(wanted.workspace_id, wanted.only, cursor, AT_ONCE)
            shapes, cursor = await read(work, part)
        yield "".join(csv_line(each.cells()) for each in shapes)
        if cursor is None:
            return
