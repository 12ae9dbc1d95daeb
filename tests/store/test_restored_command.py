"""`gatepass restored`: what it asks, refuses, and says was done."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

import cli
from adapters.object_notes import ObjectNotes
from adapters.objects import ObjectStore
from commands.object_claim import MARK, Mark
from store.columns import new_id
from tests.rooms.keys import root_file

BACKUP = "2026-03-02T09:00:00"


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """A workspace's database, its root key and its object store."""
    found = {
        "GATEPASS_DATABASE_URL": database_url,
        "GATEPASS_ROOT_KEY_FILE": str(root_file(tmp_path).path),
        "GATEPASS_OBJECT_STORE": str(tmp_path / "objects"),
    }
    made = CliRunner().invoke(cli.app, ["workspace", "create", "acme", "--name", "Acme"], env=found)
    assert made.exit_code == 0, made.output
    return found


def gatepass(environ: dict[str, str], *arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli.app, ["restored", *arguments], env=environ, input=given)


def mark(environ: dict[str, str]) -> None:
    """As a worker has marked the store before the backup was put back."""
    url = environ["GATEPASS_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        (found,) = connection.execute("SELECT id FROM installation").fetchone() or (new_id(),)
    notes = ObjectNotes.beside(ObjectStore.at(environ["GATEPASS_OBJECT_STORE"]))
    seen_at = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
    asyncio.run(notes.write(MARK, Mark(found, seen_at).text()))


def test_it_says_what_it_did_and_until_when_it_knows(environ: dict[str, str]) -> None:
    mark(environ)
    answer = gatepass(environ, "--since", BACKUP, given="y\n")
    assert answer.exit_code == 0, answer.output
    assert "Are the API and all workers stopped" in answer.output
    assert "0 open sessions: their parties type a new code." in answer.output
    assert "0 members who were signed in" in answer.output
    assert "are kept for 30 days" in answer.output
    assert "is known until 2026-03-02 09:10:00 UTC, not later" in answer.output
    assert gatepass(environ, "--since", BACKUP, "--yes").exit_code == 0


def test_nothing_is_done_unless_it_is_confirmed(environ: dict[str, str]) -> None:
    answer = gatepass(environ, "--since", BACKUP, given="n\n")
    assert (answer.exit_code, "open sessions" in answer.output) == (1, False)


def test_a_store_that_cannot_tell_and_a_backup_of_tomorrow_are_refused(
    environ: dict[str, str],
) -> None:
    answer = gatepass(environ, "--since", BACKUP, "--yes")
    assert (answer.exit_code, "--revoke-open" in answer.output) == (1, True)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    answer = gatepass(environ, "--since", tomorrow, "--yes")
    assert (answer.exit_code, "lies in the future" in answer.output) == (1, True)
    assert gatepass(environ, "--since", BACKUP, "--yes", "--revoke-open").exit_code == 0


def test_a_store_that_is_away_is_said(environ: dict[str, str]) -> None:
    away = environ | {"GATEPASS_OBJECT_STORE": "/proc/nowhere/objects"}
    answer = gatepass(away, "--since", BACKUP, "--yes")
    assert (answer.exit_code, "object store cannot be reached" in answer.output) == (1, True)
