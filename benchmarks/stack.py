"""The embedded stack as `gatepass demo` starts it, each program a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from adapters.embedded.data_folder import DataFolder
from adapters.embedded.demo_example import is_up
from adapters.embedded.demo_ports import Ports
from adapters.embedded.demo_programs import (
    api_program,
    environ_of,
    mailbox_program,
    worker_program,
)
from adapters.embedded.ports import answers, free_port
from adapters.embedded.postgres import Postgres, start_postgres
from adapters.embedded.process import Child, Program, wait_until_ready
from adapters.embedded.temporal_server import NAMESPACE, TemporalServer, start_temporal
from adapters.root_key import create_key_file
from adapters.settings import load_settings
from domain.settings import Settings
from store.migrate import upgrade

API_NAME = "gatepass-api"
"""The API's connections carry this name, so that PostgreSQL's log tells its statements apart."""
READY = timedelta(seconds=60)
STOP = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs, and how it is reached."""

    folder: DataFolder
    ports: Ports
    settings: Settings
    postgres: Postgres
    temporal: TemporalServer
    children: dict[str, Child]

    @property
    def database(self) -> str:
        """The product's database as a libpq URL."""
        return self.postgres.url.replace("+psycopg", "")

    def floor_worker(self) -> Program:
        """The worker of the bare workflows."""
        command = [
            *(sys.executable, "-m", "benchmarks.floor_worker", "--namespace", NAMESPACE),
            *("--temporal", self.temporal.address, "--database", self.database),
            *("--pool", str(self.settings.database_pool)),
        ]
        log = self.folder.log_of("floor-worker")
        return Program(name="floor worker", command=command, log=log)


@contextmanager
def running(path: Path) -> Iterator[Stack]:
    """Starts everything on the new folder `path`; ends all of it, in the opposite order."""
    folder = DataFolder(path.absolute())
    with ExitStack() as ends:
        ends.enter_context(folder.held())
        create_key_file(folder.root_key)
        stack = _servers(folder, ends)
        upgrade(stack.postgres.url)
        _programs(stack, ends)
        yield stack


def _servers(folder: DataFolder, ends: ExitStack) -> Stack:
    postgres = start_postgres(folder.path / "postgres")
    ends.callback(postgres.stop)
    temporal = start_temporal(folder.path / "temporal")
    ends.callback(temporal.stop)
    ports = Ports(free_port(), free_port(), free_port(), temporal.port, 0)
    settings = load_settings(
        {
            name: value
            for name, value in environ_of(folder, ports, postgres.url).items()
            if name.startswith("GATEPASS_")
        }
    )
    children = {"PostgreSQL": postgres.child, "Temporal": temporal.child}
    return Stack(folder, ports, settings, postgres, temporal, children)


def _programs(stack: Stack, ends: ExitStack) -> None:
    folder, ports, url = stack.folder, stack.ports, stack.postgres.url
    named = environ_of(folder, ports, f"{url}?application_name={API_NAME}")
    programs = {
        "mailbox": mailbox_program(folder, ports),
        "API": api_program(folder, ports, named),
        "worker": worker_program(folder, environ_of(folder, ports, url)),
        "floor worker": stack.floor_worker(),
    }
    for name, program in programs.items():
        child = program.start()
        ends.callback(child.stop, STOP)
        stack.children[name] = child
    wait_until_ready(stack.children["mailbox"], lambda: answers(ports.smtp), READY)
    wait_until_ready(stack.children["API"], partial(is_up, ports.api), READY)
