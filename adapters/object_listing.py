"""Which objects there are, in the order of their names, a page at a time."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import obstore

from adapters.object_folder import STAGING, listed

if TYPE_CHECKING:
    from obstore.store import ObjectStore as AnyStore

LISTED_AT_ONCE = 500
OBJECT_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}")
STAGED_NAME = re.compile(rf"{STAGING}/[0-9a-f]{{40}}")
_Page: TypeAlias = Sequence[tuple[str, datetime]]
"""Names, and when each was last written."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Some of the objects that there are: those that are old, and the last one that was seen."""

    old: tuple[str, ...]
    last: str

    @classmethod
    def of(cls, page: _Page, moment: datetime) -> "Listed":
        """Old is what was last written before a moment; what is no object is left out."""
        named = (each for each in page if OBJECT_NAME.fullmatch(each[0]))
        old = tuple(name for name, written_at in named if written_at < moment)
        return cls(old, page[-1][0])


async def pages_of(store: "AnyStore", folder: Path | None, after: str) -> AsyncIterator[_Page]:
    """What there is behind the name `after`; raises what the store or the disk raises."""
    # The library lists a folder in no order.
    if folder is None:
        offset = after or None
        async for page in obstore.list(store, offset=offset, chunk_size=LISTED_AT_ONCE):
            yield [(each["path"], each["last_modified"]) for each in page]
        return
    while found := await asyncio.to_thread(listed, folder, after, LISTED_AT_ONCE):
        yield found
        after = found[-1][0]
