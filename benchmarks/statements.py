"""SQL statements a request, as PostgreSQL's own log counts them."""

import asyncio
import re
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks import party
from benchmarks.bench import Bench
from benchmarks.figures import Row
from benchmarks.stack import API_NAME, Stack

Found = TypeVar("Found")
RELOADED = 0.3
"""Seconds that PostgreSQL is given to read its settings again."""

ENTRY = re.compile(
    rf"^{API_NAME}\|LOG: +(?:execute [^:]*|statement): +(\w+)(?: +(\w+))?", re.MULTILINE
)
AROUND = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})
COURIERS = ("UPDATE", "intent")
"""Written behind the answer, once for all intents of 20 ms: not a statement of a request."""


def count(log: str) -> int:
    """The statements of requests in a piece of log, without BEGIN and COMMIT."""
    found = ENTRY.findall(log)
    return sum(verb not in AROUND and (verb, noun) != COURIERS for verb, noun in found)


@contextmanager
def logged(stack: Stack) -> Iterator[Path]:
    """PostgreSQL logs every statement meanwhile; gives the log's path."""
    _set(
        stack, "ALTER SYSTEM SET log_line_prefix = '%a|'", "ALTER SYSTEM SET log_statement = 'all'"
    )
    try:
        yield stack.postgres.child.log
    finally:
        _set(stack, "ALTER SYSTEM RESET log_statement", "ALTER SYSTEM RESET log_line_prefix")


def _set(stack: Stack, *statements: str) -> None:
    with stack.postgres.connect() as connection:
        for each in (*statements, "SELECT pg_reload_conf()"):
            connection.execute(each)


async def rows(bench: Bench) -> list[Row]:
    """The statements of each request of a session's way."""
    browser, office = bench.browsers[0], bench.office
    browser.forget()
    found: dict[str, int] = {}
    with logged(bench.stack) as log:
        await asyncio.sleep(RELOADED)

        async def note(name: str, request: Awaitable[Found]) -> Found:
            await bench.quiet()
            before = log.stat().st_size
            answer = await request
            found[name] = count(_since(log, before))
            return answer

        session = await note("issue", party.issue(browser, office))
        link = office.link(session)
        await note("read the door", browser.get(f"/s/{link}"))
        await note("ask for a code", browser.post_form(f"/s/{link}/code"))
        typed = {"code": office.code(session)}
        await note("verify", browser.post_form(f"/s/{link}/verify", typed))
        await note("read the room", browser.get(f"/sessions/{session}"))
        for task in party.ANSWERS:
            at = f"/sessions/{session}/tasks/{task}"
            await note(f"read the task {task}", browser.get(at))
            await note(f"complete the task {task}", party.complete(browser, session, task))
    return [Row(f"SQL statements: {name}", "count", number) for name, number in found.items()]


def _since(log: Path, before: int) -> str:
    with log.open("rb") as file:
        file.seek(before)
        return file.read().decode(errors="replace")
