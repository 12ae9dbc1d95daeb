"""A real PostgreSQL, and for each test a database cloned from a migrated template."""

from collections.abc import Iterator
from itertools import count

import pytest
from psycopg import sql

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
