"""Temporal's development server from its wheel, run as our own child.

For evaluation and tests: it has no authorisation, so it listens on the loopback interface only.
"""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.embedded.ports import LOOPBACK, answers, free_port
from adapters.embedded.process import Child, ChildError, Program, wait_until_ready

NAMESPACE = "gatepass"
RETENTION = timedelta(days=30)
# With SQLite's defaults the 99th percentile at 20 clients is four times as long.
_PRAGMAS = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")
_NO_OUTSIDE_CONFIGURATION = ("--disable-config-file", "--disable-config-env")


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """A running server: `address` for clients, `ui_url` for people if it has pages."""

    child: Child
    port: int
    ui_port: int | None
    namespace: str
    retention: timedelta

    @property
    def address(self) -> str:
        """host:port of the frontend."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str | None:
        """The address of the server's pages."""
        return f"http://localhost:{self.ui_port}" if self.ui_port else None

    def wait_until_ready(self, within: timedelta = timedelta(seconds=60)) -> None:
        """Return when the namespace answers and keeps its history; raises `ChildError`."""
        wait_until_ready(self.child, self._is_ready, within)

    def stop(self, within: timedelta = timedelta(seconds=10)) -> None:
        """End the server; what it acknowledged is in its file."""
        self.child.stop(within)

    def _is_ready(self) -> bool:
        return answers(self.port) and self._retention_is_set()

    def _retention_is_set(self) -> bool:
        """Set how long closed workflows are kept: the server's own default is one day."""
        hours = int(self.retention.total_seconds() // 3600)
        command = [
            *(program("temporal"), "operator", "namespace", "update"),
            *("--namespace", self.namespace, "--retention", f"{hours}h"),
            *("--address", self.address, *_NO_OUTSIDE_CONFIGURATION),
        ]
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
        return done.returncode == 0


def start_temporal(
    folder: Path,
    port: int | None = None,
    ui_port: int | None = None,
    *,
    namespace: str = NAMESPACE,
    retention: timedelta = RETENTION,
) -> TemporalServer:
    """Start a server on the file in `folder`, new or as it was left, and wait for it.

    A free port is taken when none is given; there are pages when `ui_port` is. Raises
    `ChildError`.
    """
    server = launch_temporal(folder, port, ui_port, namespace=namespace, retention=retention)
    try:
        server.wait_until_ready()
    except BaseException:
        server.stop()
        raise
    return server


def launch_temporal(
    folder: Path,
    port: int | None = None,
    ui_port: int | None = None,
    *,
    namespace: str = NAMESPACE,
    retention: timedelta = RETENTION,
) -> TemporalServer:
    """As `start_temporal`, without waiting."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = port or free_port()
    command = [
        *(program("temporal"), "server", "start-dev", "--ip", LOOPBACK, "--port", str(port)),
        *("--namespace", namespace, "--log-level", "warn", "--log-format", "json"),
        *("--db-filename", str(folder / "temporal.db"), *_PRAGMAS),
        *_pages(ui_port),
        *_NO_OUTSIDE_CONFIGURATION,
    ]
    server = Program(name="Temporal", command=command, log=folder / "temporal.log", folder=folder)
    return TemporalServer(server.start(), port, ui_port, namespace, retention)


def program(name: str) -> str:
    """The path of a program that a wheel put beside this interpreter; raises `ChildError`."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise ChildError(f"{name} is not installed: pip install 'gatepass[demo]'")
    return found


def _pages(ui_port: int | None) -> Iterator[str]:
    if ui_port is None:
        yield "--headless"
    else:
        yield from ("--ui-ip", LOOPBACK, "--ui-port", str(ui_port))
