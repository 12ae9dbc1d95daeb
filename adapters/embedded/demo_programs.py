"""The programs of the demo that are our own, and the settings they get."""

import os
import sys
from collections.abc import Mapping

from adapters.embedded.data_folder import DataFolder
from adapters.embedded.demo_ports import Ports
from adapters.embedded.ports import LOOPBACK
from adapters.embedded.process import Program
from adapters.embedded.temporal_server import NAMESPACE
from adapters.settings import variable_of


def mailbox_program(folder: DataFolder, ports: Ports) -> Program:
    """The mailbox, which reports bounced mails to the API."""
    command = [
        *(sys.executable, "-m", "adapters.mailbox", "--folder", str(folder.path / "mails")),
        *("--smtp-port", str(ports.smtp), "--http-port", str(ports.mailbox)),
        *("--report-to", f"http://{LOOPBACK}:{ports.api}", "--token-file", str(folder.token)),
    ]
    return Program(name="mailbox", command=command, log=folder.log_of("mailbox"))


def api_program(folder: DataFolder, ports: Ports, environ: Mapping[str, str]) -> Program:
    """The API, for this machine alone."""
    command = [sys.executable, "-m", "api", "--host", LOOPBACK, "--port", str(ports.api)]
    return Program(name="API", command=command, log=folder.log_of("api"), environ=environ)


FIRST_LINK_GOOD_FOR = 30 * 24 * 3600
"""Seconds; the first administrator's link is printed at every start."""
WORKER_READY = "worker_ready"
"""What a worker logs once it takes work."""


def worker_program(folder: DataFolder, environ: Mapping[str, str]) -> Program:
    """One worker."""
    command = [sys.executable, "-m", "worker"]
    return Program(name="worker", command=command, log=folder.log_of("worker"), environ=environ)


def environ_of(folder: DataFolder, ports: Ports, database_url: str) -> dict[str, str]:
    """The settings of API, worker and commands: this run's addresses, else a person's own."""
    preferred = {
        variable_of("public_url"): f"http://localhost:{ports.api}",
        variable_of("link_invitation"): str(FIRST_LINK_GOOD_FOR),
    }
    addresses = {
        "database_url": database_url,
        "temporal_address": f"{LOOPBACK}:{ports.temporal}",
        "temporal_namespace": NAMESPACE,
        "smtp_url": f"smtp://{LOOPBACK}:{ports.smtp}",
        "root_key_file": str(folder.root_key),
        "object_store": str(folder.objects),
    }
    settings = {variable_of(name): value for name, value in addresses.items()}
    return {**preferred, **os.environ, **settings}
