"""What one test leaves in a database that is swept, the next one does not find."""

from collections.abc import Iterator

import psycopg
import pytest

from adapters.embedded.postgres import Postgres
from tests.rooms.postgres import MOST_LENDINGS, Databases


@pytest.fixture
def swept(postgres_server: Postgres, database_template: str) -> Iterator[Databases]:
    """Databases of this test's own."""
    kept = Databases(postgres_server, database_template)
    yield kept
    kept.drop()


def connected(swept: Databases) -> "psycopg.Connection[tuple[object, ...]]":
    return swept.server.connect(swept.name)


def test_rows_are_gone_and_those_of_migrations_are_back(swept: Databases) -> None:
    with swept.lent() as url, connected(swept) as connection:
        [installation] = connection.execute("SELECT id FROM installation").fetchall()
        connection.execute("DELETE FROM installation")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    with swept.lent() as again, connected(swept) as connection:
        assert again == url
        assert connection.execute("SELECT id FROM installation").fetchall() == [installation]
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_whoever_is_still_connected_is_sent_away(swept: Databases) -> None:
    with swept.lent():
        left = connected(swept)
        left.autocommit = False
        left.execute("LOCK TABLE party")
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (said text)",
        "ALTER TABLE party DROP COLUMN locale",
        "ALTER TABLE party ADD CONSTRAINT more CHECK (true)",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
    ],
)
def test_changed_tables_are_nobody_elses(swept: Databases, change: str) -> None:
    with swept.lent() as url, connected(swept) as connection:
        connection.execute(change)
    with swept.lent() as again:
        assert again != url


def test_after_a_while_it_is_a_new_one(swept: Databases) -> None:
    lent = []
    for _ in range(MOST_LENDINGS + 1):
        with swept.lent() as url:
            lent.append(url)
    assert len(set(lent[:-1])) == 1
    assert lent[-1] != lent[0]
