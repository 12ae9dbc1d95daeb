"""The reports as the API and the pages read them, and as a file with every line (EE-15, EE-16)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from fastapi.responses import StreamingResponse

from adapters.csv_cells import csv_line
from api.shapes.report import LoginShape, VisitShape
from commands.access_report import Wanted, report_logins, report_visits
from commands.work import Transactions, Work

CSV = "text/csv"
AT_ONCE = 500


class _Line(Protocol):
    def cells(self) -> tuple[str, ...]:
        """The line of a table."""


Read = Callable[[Work, Wanted], Awaitable[tuple[Sequence[_Line], str | None]]]


async def read_logins(work: Work, wanted: Wanted) -> tuple[Sequence[LoginShape], str | None]:
    """A page of the login report, and the cursor of the next."""
    found = await report_logins(work, wanted)
    return [LoginShape.of(each, found.names, found.guest) for each in found.rows], found.following


async def read_visits(work: Work, wanted: Wanted) -> tuple[Sequence[VisitShape], str | None]:
    """A page of the application report, and the cursor of the next."""
    found = await report_visits(work, wanted)
    return [VisitShape.of(each, found.names, found.guest) for each in found.rows], found.following


async def report_file(
    name: str, head: tuple[str, ...], lines: AsyncIterator[str]
) -> StreamingResponse:
    """A report as a file to keep; what is wrong with the question is raised before it begins."""
    first = await anext(lines)

    async def whole() -> AsyncIterator[str]:
        yield csv_line(head) + first
        async for each in lines:
            yield each

    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(whole(), media_type=CSV, headers=disposition)


async def every_line(
    work: Work, begin: Transactions, wanted: Wanted, read: Read
) -> AsyncIterator[str]:
    """Every line, some at a time, the first ones in the transaction of the request.

    No transaction stays open while somebody downloads.
    """
    text, cursor = await _lines(work, wanted, read)
    yield text
    while cursor is not None:
        async with begin.work() as later:
            following = Wanted(wanted.workspace_id, wanted.only, cursor, AT_ONCE)
            text, cursor = await _lines(later, following, read)
        yield text


async def _lines(work: Work, wanted: Wanted, read: Read) -> tuple[str, str | None]:
    shapes, cursor = await read(work, wanted)
    return "".join(csv_line(each.cells()) for each in shapes), cursor
