"""Embedded PostgreSQL: starts, continues, leaves nothing behind."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from socket import socket

import psycopg
import pytest

import adapters.embedded.postgres as subject
from adapters.embedded.place import place_for
from adapters.embedded.postgres import Postgres, start_postgres
from adapters.embedded.process import ChildError, Program, wait_until_ready

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about running as root")

HOLDER = """
import sys, time
from pathlib import Path
from adapters.embedded.postgres import start_postgres
server = start_postgres(Path(sys.argv[1]))
print(server.child.pid, flush=True)
time.sleep(60)
"""

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "postgres"
    yield folder
    pointer = folder / "LOCATION"
    if pointer.exists():
        subprocess.run(["rm", "-rf", pointer.read_text().splitlines()[0]], check=True)


def note(server: Postgres, text: str) -> None:
    with server.connect("gatepass") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def notes(server: Postgres) -> list[object]:
    with server.connect("gatepass") as connection:
        return [row[0] for row in connection.execute("SELECT text FROM note")]


def is_running(pid: int) -> bool:
    """Whether the process lives; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ended(pid: int, within: float = 5) -> bool:
    """Whether the process is gone within so many seconds."""
    deadline = time.monotonic() + within
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid)


def test_continues_with_its_data(folder: Path) -> None:
    first = start_postgres(folder)
    note(first, "kept")
    first.stop()
    second = start_postgres(folder)
    assert notes(second) == ["kept"]
    second.stop()


def test_a_killed_parent_leaves_no_server_and_no_damage(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    with holder, holder.stdout:
        pid = int(holder.stdout.readline())
        assert is_running(pid)
        holder.kill()
    assert ended(pid)
    again = start_postgres(folder)
    note(again, "after the crash")
    again.stop()


def test_a_killed_server_recovers_what_was_committed(folder: Path) -> None:
    server = start_postgres(folder)
    note(server, "committed")
    server.child.process.kill()
    server.child.process.wait()
    again = start_postgres(folder)
    assert notes(again) == ["committed"]
    again.stop()


def test_a_lock_file_that_names_a_stranger_is_forgotten(folder: Path) -> None:
    """After a restart of the machine the old process id may belong to anybody."""
    server = start_postgres(folder)
    server.stop()
    place = server.place
    lock = place.cluster / "postmaster.pid"
    place.write(lock, f"{os.getpid()}\n{place.cluster}\n")
    again = start_postgres(folder)
    again.stop()


def test_two_servers_on_one_cluster_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "_PREDECESSOR", timedelta(seconds=0.2))
    server = start_postgres(folder)
    with pytest.raises(ChildError, match="another PostgreSQL"):
        start_postgres(folder)
    server.stop()


def test_a_busy_port_is_an_error_with_the_servers_own_words(folder: Path) -> None:
    with closing(socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ChildError, match="Address already in use"):
            start_postgres(folder, taken.getsockname()[1])


def test_the_password_is_asked_for(folder: Path) -> None:
    server = start_postgres(folder)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host="127.0.0.1", port=server.port, user="gatepass", password="x", dbname="gatepass"
        )
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    server.stop()


@as_root
def test_root_keeps_private_folders_private(folder: Path, tmp_path: Path) -> None:
    """Neither the data folder nor its parents change their mode."""
    before = {path: path.stat().st_mode for path in (tmp_path, *tmp_path.parents)}
    server = start_postgres(folder)
    server.stop()
    assert {path: path.stat().st_mode for path in before} == before
    assert not server.place.root.is_relative_to(tmp_path)
    assert stat.S_IMODE(server.place.root.stat().st_mode) == 0o700


@as_root
def test_root_copies_programs_that_nobody_could_reach(folder: Path, tmp_path: Path) -> None:
    """The wheel may be in root's own folder."""
    package = subject._installation().parent
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for each in (package, package.with_name(package.name + ".libs")):
        subprocess.run(["cp", "-r", str(each), str(private)], check=True)
    place = place_for(folder, private / package.name / "pginstall18")
    assert place.account
    told = subprocess.run(
        [str(place.bin / "initdb"), "--version"],
        user=place.account.uid,
        group=place.account.gid,
        capture_output=True,
        text=True,
        check=True,
        cwd=place.root,
    )
    assert "PostgreSQL" in told.stdout
    assert place_for(folder, private / package.name / "pginstall18") == place


def test_stop_kills_what_does_not_listen(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEAF]
    child = Program(name="deaf", command=command, log=tmp_path / "deaf.log").start()
    wait_until_ready(child, lambda: "up" in child.tail())
    child.stop(timedelta(seconds=0.2))
    assert child.exit_code() == -signal.SIGKILL
