"""A real PostgreSQL, and for each test a database cloned from a migrated template, or swept."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from psycopg import sql
from psycopg.types.json import Json
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.embedded.postgres import Postgres, start_postgres

TEMPLATE = "template_migrated"
MOST_LENDINGS = 40
ALL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
TABLES = """
SELECT (SELECT count(*) FROM pg_class),
       (SELECT count(*) FROM pg_attribute WHERE NOT attisdropped),
       (SELECT count(*) FROM pg_constraint),
       (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O')
"""
SEND_AWAY = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SWEEP = f"""
DO $$
DECLARE
  here text;
  is_used boolean;
BEGIN
  -- Tables come in any order, so no foreign key is asked.
  SET LOCAL session_replication_role = replica;
  FOR here IN {ALL_TABLES} LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', here) INTO is_used;
    IF is_used THEN
      EXECUTE format('DELETE FROM %I', here);
    END IF;
  END LOOP;
END $$
"""
SEED = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s)")
_numbers = count(1)


@dataclass(slots=True)
class Databases:
    """One migrated database after the other, swept between tests, which costs less than a copy.

    Rows that are gone still take room and time, so after a while there is a new copy.
    """

    server: Postgres
    template: str
    name: str = ""
    tables: tuple[object, ...] | None = ()
    seeds: Mapping[str, object] = field(default_factory=dict)
    lendings: int = 0

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a database with nothing in it but what migrations put there."""
        if self.lendings == MOST_LENDINGS:
            self.drop()
        if not self.name:
            self._make()
        self.lendings += 1
        yield self.server.url_of(self.name)
        self._sweep()

    def drop(self) -> None:
        """Ends the one that there is."""
        if self.name:
            _drop(self.server, self.name)
        self.name, self.lendings = "", 0

    def _make(self) -> None:
        self.name = f"swept_{next(_numbers)}"
        _create(self.server, self.name, self.template)
        with self.server.connect(self.name) as connection:
            self.tables = connection.execute(TABLES).fetchone()
            named = connection.execute(ALL_TABLES).fetchall()
            whole = sql.SQL("SELECT json_agg(each) FROM {} AS each")
            rows = {
                str(name): connection.execute(whole.format(sql.Identifier(str(name)))).fetchone()
                for (name,) in named
            }
        self.seeds = {name: found[0] for name, found in rows.items() if found and found[0]}

    def _sweep(self) -> None:
        """Sends everybody away and deletes all rows; a changed table is nobody else's."""
        with self.server.connect(self.name) as connection:
            connection.execute(SEND_AWAY)
            changed = connection.execute(TABLES).fetchone() != self.tables
            if not changed:
                connection.execute(SWEEP)
                for name, rows in self.seeds.items():
                    connection.execute(SEED.format(sql.Identifier(name)), [Json(rows)])
        if changed:
            self.drop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server for the whole run, which forgets everything at its end."""
    server = start_postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    yield server
    server.stop()
    server.place.remove()


@pytest.fixture(scope="session")
def database_template(postgres_server: Postgres) -> str:
    """The name of a database with every migration applied."""
    from store.migrate import upgrade

    _create(postgres_server, TEMPLATE, "template0")
    upgrade(postgres_server.url_of(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Each test has engines of its own; a statement is compiled once for all of this process.

    SQLAlchemy keeps what it compiled by dialect, and the dialect of the first engine that connected
    is as good for the others: there is one server.
    """
    known: list[Engine] = []

    def sharing(*args: Any, **more: Any) -> AsyncEngine:
        engine = create_async_engine(*args, **more)
        connected = [each for each in known if each.dialect.server_version_info]
        known[:] = connected[:1] or [*known, engine.sync_engine]
        if connected:
            engine.sync_engine.dialect = connected[0].dialect
            engine.sync_engine._compiled_cache = connected[0]._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("store.database.create_async_engine", sharing)
        yield


@pytest.fixture
def database_url(postgres_server: Postgres, database_template: str) -> Iterator[str]:
    """The SQLAlchemy URL of a migrated database of this test's own."""
    yield from cloned(postgres_server, database_template)


@pytest.fixture
def empty_database_url(postgres_server: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of this test's own."""
    yield from cloned(postgres_server, "template0")


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres, database_template: str) -> Iterator[Databases]:
    """Migrated databases that tests have one after the other."""
    kept = Databases(postgres_server, database_template)
    yield kept
    kept.drop()


@pytest.fixture
def swept_database_url(databases: Databases) -> Iterator[str]:
    """As `database_url`, after another test that had it; for rooms that change no tables."""
    with databases.lent() as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_server: Postgres, database_template: str) -> Iterator[str]:
    """The SQLAlchemy URL of a migrated database that the tests of one file share."""
    yield from cloned(postgres_server, database_template)


def cloned(server: Postgres, template: str) -> Iterator[str]:
    """The URL of a copy of `template`, dropped afterwards whoever is still connected."""
    name = f"test_{next(_numbers)}"
    _create(server, name, template)
    yield server.url_of(name)
    _drop(server, name)


def _drop(server: Postgres, name: str) -> None:
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _create(server: Postgres, name: str, template: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with server.connect() as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
