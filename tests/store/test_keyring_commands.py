"""`gatepass keyring`: what it shows, asks, refuses, and how far it says it is."""

import asyncio
import base64
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

import cli
from adapters.settings import load_settings
from store import database, migrate
from store.rotation import sole_rotation
from tests.rooms.first_release import leave
from tests.rooms.house import KEYRING
from tests.rooms.keys import root_file, root_lines

OTHER = bytes(range(32, 64))
HURRY = (
    "from datetime import timedelta as t; import commands.rotation as r, commands.keyring as k;"
    "r.HEARD_AFTER = t(seconds=30); r.READ_EVERY = k.READ_EVERY = 0.0;"
)
HEARS = "import signal as s; s.signal(s.SIGINT, s.default_int_handler);"
"""What a shell puts in the background ignores Ctrl-C, and so does all that this starts."""


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process runs that would have to hear of anything."""
    monkeypatch.setattr("commands.rotation.HEARD_AFTER", timedelta(0))
    monkeypatch.setattr("commands.rotation.READ_EVERY", 0.0)
    monkeypatch.setattr("commands.keyring.READ_EVERY", 0.0)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return root_file(tmp_path).path


@pytest.fixture
def environ(database_url: str, key: Path) -> dict[str, str]:
    """A workspace's database, and the root key file."""
    found = {"GATEPASS_DATABASE_URL": database_url, "GATEPASS_ROOT_KEY_FILE": str(key)}
    made = CliRunner().invoke(cli.app, ["workspace", "create", "acme", "--name", "Acme"], env=found)
    assert made.exit_code == 0, made.output
    return found


def gatepass(environ: dict[str, str], *arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli.app, ["keyring", *arguments], env=environ, input=given)


def words(result: Result) -> str:
    """What was said, its spaces made one."""
    return " ".join(result.output.split())


def sql(environ: dict[str, str], statement: str) -> None:
    url = environ["GATEPASS_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_a_key_is_made_with_words_about_what_follows(tmp_path: Path) -> None:
    answer = gatepass({}, "create", str(tmp_path / "new.key"))
    assert (answer.exit_code, "Without it nothing can be read" in answer.output) == (0, True)


def test_status_shows_epochs_versions_and_what_lies_in_clear(environ: dict[str, str]) -> None:
    said = words(gatepass(environ, "status"))
    assert "epoch since workspace keys installation keys state" in said
    assert "1 2 newest" in said
    assert "workspace version epoch state data keys acme 1 1 primary 1" in said
    assert "Nothing lies in clear." in said


@pytest.mark.usefixtures("_quick")
def test_an_epoch_is_begun_kept_and_destroyed(environ: dict[str, str], key: Path) -> None:
    rotated = gatepass(environ, "rotate")
    assert rotated.exit_code == 0, rotated.output
    assert "Processes hear of new keys within 15 seconds" in rotated.output
    assert "Every key is wrapped by epoch 2. Back the root key up now." in rotated.output
    assert "Epoch 1 may be destroyed from" in rotated.output
    assert len(key.read_text().splitlines()) == 2
    assert "may be destroyed from" in gatepass(environ, "status").output
    early = gatepass(environ, "destroy-epoch", "1", "--yes")
    assert (early.exit_code, "may be destroyed from" in early.output) == (1, True)
    shortened = environ | {"GATEPASS_KEY_EPOCH_KEPT_FOR": "P1D"}
    sql(environ, "UPDATE installation_key SET created_at = created_at - interval '2 days'")
    done = gatepass(shortened, "destroy-epoch", "1", "--yes")
    assert (done.exit_code, "Epoch 1 is destroyed" in done.output) == (0, True)
    assert [each.split()[0] for each in key.read_text().splitlines()] == ["2"]
    assert "1 " in words(gatepass(environ, "status"))
    assert "destroyed" in gatepass(environ, "status").output


@pytest.mark.usefixtures("_quick")
def test_a_destruction_is_confirmed_by_typing_the_number(
    environ: dict[str, str], key: Path
) -> None:
    gatepass(environ, "rotate")
    for given in ("2\n", "yes\n", "\n"):
        answer = gatepass(environ, "destroy-epoch", "1", "--now", given=given)
        assert (answer.exit_code, "Nothing was destroyed" in answer.output) == (1, True)
    assert len(key.read_text().splitlines()) == 2
    answer = gatepass(environ, "destroy-epoch", "1", "--now", given="1\n")
    assert (answer.exit_code, "cannot be undone" in answer.output) == (0, True)
    assert len(key.read_text().splitlines()) == 1


def test_the_newest_and_unknown_epochs_are_refused_before_anything_is_asked(
    environ: dict[str, str],
) -> None:
    newest = gatepass(environ, "destroy-epoch", "1", "--now")
    assert (newest.exit_code, "is the newest" in newest.output) == (1, True)
    unknown = gatepass(environ, "destroy-epoch", "9", "--now")
    assert (unknown.exit_code, "There is no epoch 9" in unknown.output) == (1, True)


@pytest.mark.usefixtures("_quick")
def test_an_epoch_in_use_says_how_many_keys_must_be_none(
    environ: dict[str, str], key: Path
) -> None:
    gatepass(environ, "rotate")
    sql(environ, "UPDATE workspace_key SET state = 'decrypt' WHERE version = 2")
    sql(environ, "UPDATE workspace_key SET state = 'primary' WHERE version = 1")
    answer = gatepass(environ, "destroy-epoch", "1", "--now")
    assert (answer.exit_code, "still wraps 1 keys, which must be 0" in answer.output) == (1, True)
    assert "1 keys in use" in gatepass(environ, "status").output
    assert len(key.read_text().splitlines()) == 2


@pytest.mark.usefixtures("_quick")
def test_one_workspace_is_rotated_alone(environ: dict[str, str], key: Path) -> None:
    answer = gatepass(environ, "rotate", "--workspace", "acme")
    assert (answer.exit_code, "by its newest version" in answer.output) == (0, True)
    assert len(key.read_text().splitlines()) == 1
    assert "acme 2 1 primary 1" in words(gatepass(environ, "status"))
    missing = gatepass(environ, "rotate", "--workspace", "nobody")
    assert (missing.exit_code, missing.output.count("no such workspace")) == (1, 1)


@pytest.mark.usefixtures("_quick")
def test_with_the_environment_the_version_is_added_and_removed_by_hand(
    environ: dict[str, str],
) -> None:
    text = root_lines(KEYRING.roots).strip().replace(" ", ":")
    mine = environ | {"GATEPASS_ROOT_KEY": text}
    answer = gatepass(mine, "rotate")
    assert (answer.exit_code, "Add `,2:`" in answer.output) == (1, True)
    assert text not in answer.output
    both = mine | {"GATEPASS_ROOT_KEY": f"{text},2:{base64.b64encode(OTHER).decode()}"}
    assert gatepass(both, "rotate").exit_code == 0
    told = gatepass(both, "destroy-epoch", "1", "--now", "--yes")
    assert (told.exit_code, "Remove it from GATEPASS_ROOT_KEY" in told.output) == (1, True)
    last = mine | {"GATEPASS_ROOT_KEY": f"2:{base64.b64encode(OTHER).decode()}"}
    done = gatepass(last, "destroy-epoch", "1", "--now", "--yes")
    assert (done.exit_code, "is destroyed" in done.output) == (0, True)
    lost = gatepass(mine, "status")
    assert (lost.exit_code, "Version 2 of the root key is missing here" in lost.output) == (1, True)


@pytest.mark.usefixtures("_quick")
def test_with_a_key_service_the_same_by_its_command(
    environ: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept-by-the-service"
    kept.write_text(root_lines(KEYRING.roots))
    mine = environ | {"GATEPASS_ROOT_KEY_COMMAND": f"cat {kept}"}
    answer = gatepass(mine, "rotate")
    assert "Have the key service keep a version 2" in answer.output
    kept.write_text(kept.read_text() + root_lines({2: OTHER}))
    assert gatepass(mine, "rotate").exit_code == 0
    answer = gatepass(mine, "destroy-epoch", "1", "--now", "--yes")
    assert "Have the key service destroy it" in answer.output
    kept.write_text(root_lines({2: OTHER}))
    assert gatepass(mine, "destroy-epoch", "1", "--now", "--yes").exit_code == 0
    assert gatepass(mine, "status").exit_code == 0


def test_another_installations_key_is_refused_in_words(
    environ: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other.key"
    other.write_text(root_lines({1: OTHER}))
    answer = gatepass(environ | {"GATEPASS_ROOT_KEY_FILE": str(other)}, "status")
    assert (answer.exit_code, "not the one of this database" in answer.output) == (1, True)


def test_a_database_that_is_not_migrated_is_said(
    empty_database_url: str, environ: dict[str, str]
) -> None:
    answer = gatepass(environ | {"GATEPASS_DATABASE_URL": empty_database_url}, "status")
    assert (answer.exit_code, "run `gatepass migrate` first" in answer.output) == (1, True)


@pytest.fixture
def upgraded(empty_database_url: str, key: Path) -> dict[str, str]:
    """What release 0.1 left, with this release's tables."""
    leave(empty_database_url, KEYRING.roots)
    migrate.upgrade(empty_database_url)
    return {"GATEPASS_DATABASE_URL": empty_database_url, "GATEPASS_ROOT_KEY_FILE": str(key)}


def test_clear_text_is_left_until_the_files_are_rewritten(upgraded: dict[str, str]) -> None:
    said = words(gatepass(upgraded, "status"))
    assert "in clear rows token 1 party 1" in said
    assert "A worker seals them by itself" in said
    in_files = "No row lies in clear, but the tables' files still hold clear copies"
    quick = gatepass(upgraded, "seal", "--no-rewrite")
    assert (quick.exit_code, in_files in words(quick)) == (0, True)
    said = words(gatepass(upgraded, "status"))
    assert (in_files in said, "in clear rows" in said) == (True, False)
    whole = words(gatepass(upgraded, "seal"))
    for each in (whole, words(gatepass(upgraded, "status"))):
        assert "Nothing lies in clear; the tables' files were rewritten on 20" in each
    assert "WAL segments, archives and backups" in whole


def test_rows_that_no_release_left_are_told_and_not_sealed(environ: dict[str, str]) -> None:
    sql(
        environ,
        "UPDATE audit SET sealed = NULL, commitment = NULL, unsealed = jsonb_build_object('text',"
        ' \'{"details": {}, "actor_label": "operator", "reason": "kanarie"}\')',
    )
    said = words(gatepass(environ, "status"))
    assert "audit 1 No older release left these rows: somebody wrote them" in said
    answer = gatepass(environ, "seal")
    assert (answer.exit_code, "(1 of audit)" in answer.output) == (1, True)
    assert "audit 1" in words(gatepass(environ, "status"))


def test_two_commands_at_once_are_refused(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.rotation.LOCK_WAIT", timedelta(seconds=0.2))
    held, release = threading.Event(), threading.Event()

    async def hold() -> None:
        chosen = load_settings(environ)
        engine = database.connect(chosen)
        async with sole_rotation(engine):
            held.set()
            await asyncio.to_thread(release.wait, 20)
        await engine.dispose()

    holder = threading.Thread(target=asyncio.run, args=(hold(),))
    holder.start()
    held.wait(10)
    try:
        answer = gatepass(environ, "rotate")
    finally:
        release.set()
        holder.join()
    assert (answer.exit_code, "Another `gatepass keyring` command" in answer.output) == (1, True)


def test_ctrl_c_stops_it_with_words_and_the_next_run_goes_on(
    environ: dict[str, str], key: Path
) -> None:
    """On a terminal, where the line changes in place."""
    screen, terminal = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", f"{HEARS} {HURRY} import cli; cli.main()", "keyring", "rotate"],
        env=os.environ | environ,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        close_fds=True,
    )
    os.close(terminal)
    try:
        seen = _read_until(screen, "waiting until every process has heard: ")
        program.send_signal(signal.SIGINT)
        seen += _read_until(screen, "it goes on where it stopped.")
        assert program.wait(10) == 130
    finally:
        program.kill()
        program.wait()
        os.close(screen)
    assert "\r\x1b[K[####" in seen or "\r\x1b[K[....." in seen
    assert len(key.read_text().splitlines()) == 2
    sql(environ, "UPDATE installation_key SET active_at = created_at")
    again = gatepass(environ, "rotate")
    assert (again.exit_code, "by epoch 2" in again.output) == (0, True), again.output
    assert len(key.read_text().splitlines()) == 2


def _read_until(screen: int, words: str) -> str:
    seen, until = "", time.monotonic() + 30
    while words not in seen and time.monotonic() < until:
        seen += os.read(screen, 4096).decode(errors="replace")
    assert words in seen
    return seen
