"""The demo's supervisor: restarts clients, gives up on servers, ends everything in time."""

import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.embedded.process import Child, ChildError, Program
from adapters.embedded.supervisor import Supervisor

SLEEPS = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPS


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Supervisor:
    return Supervisor(said.append)


def program(folder: Path, code: str, name: str = "API") -> Program:
    return Program(name=name, command=[sys.executable, "-c", code], log=folder / f"{name}.log")


def gone(child: Child) -> Child:
    child.process.wait(10)
    return child


def test_restarts_a_client_and_shows_the_end_of_its_log(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    supervisor.start(program(tmp_path, "print('last words', flush=True); import os; os.abort()"))
    gone(supervisor.clients[0][1])
    supervisor.check()
    [(_, again)] = supervisor.clients
    gone(again)
    assert "API ended by itself (SIGABRT)" in said[0]
    assert "last words" in said[0]
    assert "Starting API again." in said[0]


def test_gives_up_on_a_client_that_keeps_ending(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    supervisor.start(program(tmp_path, "raise SystemExit(3)"))
    for _ in range(5):
        gone(supervisor.clients[0][1])
        supervisor.check()
    gone(supervisor.clients[0][1])
    with pytest.raises(ChildError, match=r"(?s)exit code 3.*too often"):
        supervisor.check()
    assert len(said) == 5


def test_says_which_server_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.servers.append(gone(program(tmp_path, "print('no disk')", "Temporal").start()))
    with pytest.raises(ChildError, match=r"(?s)Temporal ended by itself.*no disk"):
        supervisor.check()


def test_a_running_child_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start(program(tmp_path, SLEEPS))
    supervisor.check()
    assert supervisor.clients[0][1] is child
    supervisor.stop(timedelta(seconds=1), timedelta(seconds=1))
    assert child.exit_code() is not None


def test_ends_in_time_whoever_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    deaf = [program(tmp_path, DEAF, f"deaf-{number}") for number in range(3)]
    children = [supervisor.start(each) for each in deaf]
    supervisor.servers.append(program(tmp_path, DEAF, "server").start())
    time.sleep(0.3)
    asked_at = time.monotonic()
    supervisor.stop(timedelta(seconds=0.4), timedelta(seconds=0.4))
    assert time.monotonic() - asked_at < 1.2
    assert all(child.exit_code() is not None for child in (*children, *supervisor.servers))
