"""Pages of a list: `?cursor=` as the page before named it, `?limit=` within the settings."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError

from api.context import Begin

LONGEST_CURSOR = 200


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page begins and how many items it has at most."""

    cursor: str | None
    limit: int


async def paging_of(
    begin: Begin,
    cursor: Annotated[str | None, Query(max_length=LONGEST_CURSOR)] = None,
    limit: Annotated[int | None, Query(ge=1, description="At most `api.page_limit`")] = None,
) -> Paging:
    """The asked page; raises `RequestValidationError` for more items than the settings allow."""
    most = begin.settings.api_page_limit
    if limit is not None and limit > most:
        message = f"input should be less than or equal to {most}"
        fault = {"type": "value_error", "loc": ("query", "limit"), "msg": message, "input": limit}
        raise RequestValidationError([fault])
    return Paging(cursor, limit or min(begin.settings.api_page_size, most))


Pages = Annotated[Paging, Depends(paging_of)]
