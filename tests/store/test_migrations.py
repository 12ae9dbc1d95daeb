import pytest
from sqlalchemy import create_engine, inspect

from store import migrate
from store.tables import METADATA


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_up_and_down_and_up_again(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    assert tables(empty_database_url) == {*METADATA.tables, "alembic_version"}
    migrate.downgrade(empty_database_url, "base")
    assert tables(empty_database_url) == {"alembic_version"}
    migrate.upgrade(empty_database_url)
    migrate.upgrade(empty_database_url)
    assert tables(empty_database_url) == {*METADATA.tables, "alembic_version"}


def test_tables_and_migrations_do_not_drift(database_url: str) -> None:
    migrate.check(database_url)


def test_drift_would_be_noticed(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE party DROP COLUMN locale")
    engine.dispose()
    with pytest.raises(Exception, match="locale"):
        migrate.check(database_url)
