"""A real PostgreSQL, and for each test a database cloned from a migrated template."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.embedded.postgres import Postgres, start_postgres

TEMPLATE = "template_migrated"
_numbers = count(1)


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


@pytest.fixture(scope="module")
def module_database_url(postgres_server: Postgres, database_template: str) -> Iterator[str]:
    """The SQLAlchemy URL of a migrated database that the tests of one file share."""
    yield from cloned(postgres_server, database_template)


def cloned(server: Postgres, template: str) -> Iterator[str]:
    """The URL of a copy of `template`, dropped afterwards whoever is still connected."""
    name = f"test_{next(_numbers)}"
    _create(server, name, template)
    yield server.url_of(name)
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _create(server: Postgres, name: str, template: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with server.connect() as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
