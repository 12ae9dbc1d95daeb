"""The demo's second start skips the migrations, but only when there is nothing to migrate."""

from pathlib import Path

from adapters.embedded import demo_tables
from adapters.embedded.postgres import start_postgres


def test_the_fingerprint_follows_every_migration(tmp_path: Path) -> None:
    (tmp_path / "0001_first.py").write_text("one")
    first = demo_tables.fingerprint(tmp_path)
    assert demo_tables.fingerprint(tmp_path) == first
    (tmp_path / "0002_second.py").write_text("two")
    second = demo_tables.fingerprint(tmp_path)
    (tmp_path / "0002_second.py").write_text("changed")
    assert len({first, second, demo_tables.fingerprint(tmp_path)}) == 3


def test_it_is_remembered_with_the_database_and_lost_with_it(tmp_path: Path) -> None:
    server = start_postgres(tmp_path, durable=False)
    try:
        assert demo_tables.are_missing(server)
        assert not demo_tables.are_current(server)
        demo_tables.note_current(server)
        assert demo_tables.are_current(server)
        assert not demo_tables.are_missing(server)
        with server.connect() as connection:
            connection.execute("DROP DATABASE gatepass")
            connection.execute("CREATE DATABASE gatepass")
        assert not demo_tables.are_current(server)
    finally:
        server.stop()
        if server.place.account:
            server.place.remove()
