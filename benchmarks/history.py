"""What a session writes into Temporal: events of history, and nothing for being there."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from benchmarks import party
from benchmarks.bench import Bench
from benchmarks.figures import Row, at_most
from domain.workflow_names import mail_id, public_session_id

BEATS = 20
FOLLOWS = 1.0
"""Seconds in which a heartbeat's event, were there one, would have been written."""
MAILS = "SELECT id FROM mail WHERE session_id = %s"


async def rows(bench: Bench, finished: Sequence[UUID]) -> list[Row]:
    """Events of sessions that a single client did: the most, as no two signals fell together."""
    sessions = [await events(bench, public_session_id(each)) for each in finished]
    mails = [await _mail_events(bench, each) for each in finished]
    return [
        Row("history of a session, most", "events", max(sessions), goal=at_most(40)),
        Row("history of all its mails, most", "events", max(mails)),
        Row("history of a heartbeat", "events", await _beats(bench), goal=at_most(0)),
    ]


async def events(bench: Bench, workflow_id: str) -> int:
    """How long a workflow's history is now."""
    return (await bench.client.get_workflow_handle(workflow_id).describe()).history_length


async def _mail_events(bench: Bench, session: UUID) -> int:
    async with bench.pool.connection() as connection:
        mails = await (await connection.execute(MAILS, [session])).fetchall()
    return sum([await events(bench, mail_id(mail)) for (mail,) in mails])


async def _beats(bench: Bench) -> float:
    """Somebody is in a room and stays there: reads it, and answers the idle warning."""
    browser = bench.browsers[0]
    session = await party.verified(browser, bench.office)
    await bench.quiet()
    before = await events(bench, public_session_id(session))
    for _ in range(BEATS):
        await browser.get(f"/sessions/{session}")
        await browser.post_form(f"/sessions/{session}/stay")
    await asyncio.sleep(FOLLOWS)
    return (await events(bench, public_session_id(session)) - before) / BEATS
