"""`gatepass demo`: everything on this machine with one command.

PostgreSQL, Temporal and a mailbox as our own children, the API and a worker in front of them, the
procurement example loaded, and a first session issued to a vendor that does not exist.
"""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from adapters.embedded import demo_tables
from adapters.embedded.data_folder import Addresses, AlreadyRunningError, DataFolder
from adapters.embedded.demo_example import (
    ADMIN,
    VENDOR,
    WORKSPACE,
    SetupError,
    create_vendor,
    gatepass,
    is_up,
    load_example,
)
from adapters.embedded.demo_ports import Ports, choose_ports
from adapters.embedded.demo_programs import (
    WORKER_READY,
    api_program,
    environ_of,
    mailbox_program,
    worker_program,
)
from adapters.embedded.ports import LOOPBACK, NoFreePortError, answers
from adapters.embedded.postgres import Postgres, launch_postgres
from adapters.embedded.process import ChildError, end_with_parent, wait_until_ready
from adapters.embedded.supervisor import Say, Supervisor
from adapters.embedded.temporal_server import launch_temporal
from adapters.root_key import create_key_file

# Together under the three seconds that Ctrl-C may take.
_CLIENTS_STOP = timedelta(seconds=0.6)
_SERVERS_STOP = timedelta(seconds=1.0)
_API_READY = timedelta(seconds=60)
_WATCH = 0.2

Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What a person may choose; a busy port is replaced by the next free one."""

    data: Path
    ports: Ports
    end_with_parent: bool = False


def demo(  # noqa: PLR0913 - one option each
    data: Annotated[Path, typer.Option(help="Folder for everything it keeps.")] = Path(".gatepass"),
    port: Annotated[int, typer.Option(help="Port of the API and of the party's pages.")] = 8000,
    mailbox_port: Annotated[int, typer.Option(help="Port of the mailbox's page.")] = 8025,
    smtp_port: Annotated[int, typer.Option(help="Port that mail is handed over to.")] = 1025,
    temporal_port: Annotated[int, typer.Option(help="Port of Temporal.")] = 7233,
    temporal_ui_port: Annotated[int, typer.Option(help="Port of Temporal's pages.")] = 8233,
    *,
    end_with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run everything on this machine, with an example, until Ctrl-C."""
    ports = Ports(port, mailbox_port, smtp_port, temporal_port, temporal_ui_port)
    options = DemoOptions(data=data, ports=ports, end_with_parent=end_with_parent)
    raise typer.Exit(run_demo(options))


def run_demo(options: DemoOptions, say: Say | None = None) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; returns the exit code, 1 when something failed."""
    say = say or partial(typer.echo, err=False)
    if options.end_with_parent:
        end_with_parent()
    # SIGINT too: shells start background jobs with it ignored.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.default_int_handler)
    folder = DataFolder(options.data.absolute())
    try:
        with folder.held():
            return _run(folder, options, say)
    except AlreadyRunningError as error:
        say(str(error))
        return 1


def _run(folder: DataFolder, options: DemoOptions, say: Say) -> int:
    supervisor = Supervisor(say)
    try:
        ports = choose_ports(options.ports, say)
        addresses = _start(folder, ports, supervisor, say)
        say(_welcome(addresses, folder))
        while True:
            time.sleep(_WATCH)
            supervisor.check()
    except KeyboardInterrupt:
        say("\nStopping.")
        return 0
    except (ChildError, NoFreePortError, SetupError) as error:
        say(f"\n{error}")
        return 1
    finally:
        _ignore_further_signals()
        supervisor.stop(_CLIENTS_STOP, _SERVERS_STOP)


def _ignore_further_signals() -> None:
    """A second Ctrl-C must not interrupt the second and a half that ending takes."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)


def _start(folder: DataFolder, ports: Ports, supervisor: Supervisor, say: Say) -> Addresses:
    """Start everything, in the order in which one needs the other."""
    step = partial(_step, say)
    if not folder.root_key.exists():
        create_key_file(folder.root_key)
    mailbox = mailbox_program(folder, ports).start()
    supervisor.servers.append(mailbox)
    with step("PostgreSQL and Temporal"):
        postgres = _servers(folder, ports, supervisor)
    environ = environ_of(folder, ports, postgres.url)
    if demo_tables.are_missing(postgres):
        folder.forget_example()
    if not demo_tables.are_current(postgres):
        with step("Tables"):
            gatepass(environ, "migrate")
            demo_tables.note_current(postgres)
    _serve(folder, ports, environ, supervisor, step)
    wait_until_ready(mailbox, lambda: answers(ports.smtp) and answers(ports.mailbox))
    folder.publish(addresses := _addresses(folder, ports))
    return addresses


def _serve(
    folder: DataFolder, ports: Ports, environ: Mapping[str, str], supervisor: Supervisor, step: Step
) -> None:
    """Start the worker, meanwhile load what is loaded once, then start the API."""
    worker = supervisor.start(worker_program(folder, environ))
    if not (folder.prepared.exists() and folder.admin_link.exists()):
        with step("Workspace and the procurement example"):
            load_example(folder, environ)
    with step("Worker and API"):
        # The API comes last: when it says that it is ready, everything is up.
        wait_until_ready(worker, partial(worker.has_said, WORKER_READY), _API_READY)
        api = supervisor.start(api_program(folder, ports, environ))
        wait_until_ready(api, partial(is_up, ports.api), _API_READY)
    if not folder.prepared.exists():
        with step("A first session for a vendor"):
            create_vendor(folder, ports.api)


def _addresses(folder: DataFolder, ports: Ports) -> Addresses:
    return Addresses(
        api=f"http://localhost:{ports.api}",
        token=folder.token.read_text().strip(),
        mailbox=f"http://localhost:{ports.mailbox}",
        temporal=f"{LOOPBACK}:{ports.temporal}",
        temporal_ui=f"http://localhost:{ports.temporal_ui}",
    )


@contextmanager
def _step(say: Say, what: str) -> Iterator[None]:
    say(f"{what} …")
    began = time.monotonic()
    yield
    say(f"  ready after {time.monotonic() - began:.1f} s")


def _servers(folder: DataFolder, ports: Ports, supervisor: Supervisor) -> Postgres:
    """Both at once, then wait for each."""
    postgres = launch_postgres(folder.path / "postgres")
    supervisor.servers.append(postgres.child)
    temporal = launch_temporal(folder.path / "temporal", ports.temporal, ports.temporal_ui)
    supervisor.servers.append(temporal.child)
    postgres.wait_until_ready()
    temporal.wait_until_ready()
    return postgres


def _welcome(addresses: Addresses, folder: DataFolder) -> str:
    return f"""
Gatepass is running, with its data in {folder.path}.

  1. Open the mailbox: {addresses.mailbox}
     {VENDOR["name"]}, a vendor, has mail at {VENDOR["email"]}.
     Open it and press its button.
  2. On the page that opens, ask for a code. It arrives in the same mailbox: type it in.
  3. Do the tasks. Afterwards the vendor moves on, and the mailbox shows the next invitation.

  Console      {addresses.api}/console/{WORKSPACE}
               {ADMIN} chooses a password first, once:
               {folder.admin_link.read_text().strip()}
  API          {addresses.api}/api/openapi.json
  Its token    in {folder.addresses}
  Temporal     {addresses.temporal_ui}

Everything stays on this machine. Ctrl-C stops it; starting it again goes on where you were.
"""
