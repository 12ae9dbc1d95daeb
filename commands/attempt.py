"""A part of a transaction that may be refused without the rest: for pages that then say why."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from commands.work import Work


@asynccontextmanager
async def attempt(work: Work) -> AsyncIterator[None]:
    """All of what is done within, or nothing of it: neither rows nor what workflows are told."""
    before = len(work.intents)
    try:
        async with work.db.begin_nested():
            yield
    except Exception:
        del work.intents[before:]
        raise
