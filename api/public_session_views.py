"""Reads what a public session's answer shows besides its row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from api.call import Call
from api.shapes.public_session import PublicSessionDetail, PublicSessionShape
from domain.audit import AuditEvent
from domain.errors import NotFound
from store.audit import last_at
from store.party import party_names
from store.public_session import PublicSessionRow, TaskRow, session_by_id, tasks_of, tasks_of_many
from store.visit import visits_of


async def find_session(call: Call, session_id: UUID) -> PublicSessionRow:
    """A session of the caller's workspace; raises `NotFound`."""
    row = await session_by_id(call.work.db, session_id, call.workspace_id)
    if row is None:
        raise NotFound("public session")
    return row


async def shapes_of(call: Call, rows: Sequence[PublicSessionRow]) -> list[PublicSessionShape]:
    """Several sessions in two more statements, however many they are."""
    db, at = call.work.db, call.work.at
    names = await party_names(db, call.workspace_id, {each.party_id for each in rows})
    tasks: dict[UUID, list[TaskRow]] = {each.id: [] for each in rows}
    for task in await tasks_of_many(db, list(tasks)):
        tasks[task.session_id].append(task)
    return [PublicSessionShape.of(each, tasks[each.id], names[each.party_id], at) for each in rows]


async def detail_of(call: Call, row: PublicSessionRow) -> PublicSessionDetail:
    """One session with everything its administrators may know."""
    db = call.work.db
    names = await party_names(db, row.workspace_id, [row.party_id])
    tasks = await tasks_of(db, row.id)
    visits = await visits_of(db, [row.id])
    others = link_of(row, await _renewed_at(call, row), visits.get(row.id, 0))
    return PublicSessionDetail.of(row, tasks, names[row.party_id], call.work.at, **others)


def link_of(
    row: PublicSessionRow, renewed_at: datetime | None = None, visits: int = 0
) -> dict[str, Any]:
    """What is told of a link: never the link itself."""
    return {"link_issued_at": renewed_at or row.issued_at, "visits": visits}


async def _renewed_at(call: Call, row: PublicSessionRow) -> datetime | None:
    if row.link_epoch == 1:
        return None
    return await last_at(call.work.db, row.id, AuditEvent.SESSION_LINK_RENEWED)
