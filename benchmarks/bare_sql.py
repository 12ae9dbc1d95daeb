"""The SQL floor: the statements of a completion, written by hand, on tables of the same shape.

The tables are copies (`LIKE … INCLUDING ALL`) in a schema of their own, and the rows are copies of
those that a real completion left, so that this floor follows whatever the product's tables become.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from time import perf_counter
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from store.columns import new_id

TABLES = ("public_session", "binding", "task", "submission", "audit", "intent")
ARRAYS = frozenset({"words"})
"""Columns whose lists are PostgreSQL's arrays; all other lists are JSON."""
CREATE = """
    CREATE SCHEMA IF NOT EXISTS bare;
    CREATE TABLE IF NOT EXISTS bare.done (key text PRIMARY KEY);
"""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Original:
    """The rows that one real session of four tasks left."""

    rows: Mapping[str, Sequence[Values]]

    def one(self, table: str, **other: Any) -> Values:
        """The first row of a table with some values replaced."""
        return {**self.rows[table][0], **other}


async def create(pool: AsyncConnectionPool) -> None:
    """Makes the schema; again is once."""
    async with pool.connection() as connection:
        await connection.execute(CREATE)
        for table in TABLES:
            name = sql.Identifier(table)
            await connection.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS bare.{} (LIKE public.{} INCLUDING ALL)").format(
                    name, name
                )
            )


async def original(pool: AsyncConnectionPool, session: UUID) -> Original:
    """Reads what the real session left."""
    found: dict[str, Sequence[Values]] = {}
    async with pool.connection() as connection:
        for table in TABLES:
            found[table] = await _rows_of(connection, table, session)
    return Original(found)


async def _rows_of(connection: AsyncConnection[Any], table: str, session: UUID) -> Sequence[Values]:
    column, value = {
        "public_session": ("id", str(session)),
        "intent": ("workflow_id", f"public-session:{session}"),
    }.get(table, ("session_id", str(session)))
    query = sql.SQL("SELECT * FROM public.{} WHERE {}::text = %s ORDER BY id").format(
        sql.Identifier(table), sql.Identifier(column)
    )
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, [value])).fetchall()


@dataclass(frozen=True, slots=True)
class BareSession:
    """A copied session that is open, bound, and has its tasks still before it."""

    session: UUID
    digest: str
    tasks: tuple[UUID, ...]


async def bare_session(pool: AsyncConnectionPool, like: Original) -> BareSession:
    """Copies a session, its binding and its tasks, under new ids."""
    session, binding = new_id(), new_id()
    mark = session.hex
    new = {"id": session, "link_digest": mark, "cause": mark, "binding_id": binding}
    tasks = tuple(new_id() for _ in like.rows["task"])
    async with pool.connection() as connection:
        await _insert(connection, "public_session", like.one("public_session", **new))
        bound = like.one("binding", id=binding, session_id=session, digest=mark)
        await _insert(connection, "binding", bound)
        for task_id, row in zip(tasks, like.rows["task"], strict=True):
            copy = {**row, "id": task_id, "session_id": session, "completed_at": None}
            await _insert(connection, "task", copy)
    return BareSession(session, mark, tasks)


async def complete(
    pool: AsyncConnectionPool, like: Original, bare: BareSession, number: int, at: datetime
) -> float:
    """One completion: lock, gate, fact, audit, intent, commit; seconds it took."""
    task = bare.tasks[number]
    begun = perf_counter()
    async with pool.connection() as connection:
        for query, values in (
            ("SELECT * FROM bare.public_session WHERE id = %s FOR UPDATE", [bare.session]),
            (
                "SELECT * FROM bare.binding WHERE session_id = %s AND digest = %s",
                [bare.session, bare.digest],
            ),
            ("SELECT * FROM bare.task WHERE session_id = %s ORDER BY position", [bare.session]),
        ):
            await (await connection.execute(query, values)).fetchall()
        new: dict[str, Any] = {"id": new_id(), "session_id": bare.session, "task_id": task}
        await _insert(connection, "submission", like.one("submission", **new))
        await connection.execute("UPDATE bare.task SET completed_at = %s WHERE id = %s", [at, task])
        unplaced = {"position": None, "leaf_hash": None}
        audit = like.one("audit", id=new_id(), session_id=bare.session, **unplaced)
        await _insert(connection, "audit", audit)
        await _insert(connection, "intent", like.one("intent", id=new_id()))
    return perf_counter() - begun


async def _insert(connection: AsyncConnection[Any], table: str, row: Values) -> None:
    values = [_sent(name, value) for name, value in row.items()]
    await connection.execute(_insertion(table, tuple(row)), values)


@cache
def _insertion(table: str, columns: tuple[str, ...]) -> bytes:
    query = sql.SQL("INSERT INTO bare.{} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    return query.as_bytes()


def _sent(name: str, value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) and name not in ARRAYS else value
