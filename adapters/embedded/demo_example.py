"""What the demo prepares once: a workspace, a token, the procurement example, a vendor."""

import json
import subprocess
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from adapters.embedded.data_folder import DataFolder, write_private
from adapters.embedded.ports import LOOPBACK
from adapters.embedded.temporal_server import program

WORKSPACE = "demo"
COMPANY = ("--name", "Northfield Marketplace", "--contact", "suppliers@northfield.example")
EXAMPLE = Path(__file__).parents[2] / "examples/procurement"
ADMIN = "anna@northfield.example"
VENDOR = {
    "kind": "vendor",
    "name": "Northwind Textiles",
    "email": "maria@northwind-textiles.example",
    "locale": "en",
}


class SetupError(Exception):
    """A command or call of the set-up failed; the text carries its answer."""


def gatepass(environ: Mapping[str, str], *arguments: str) -> str:
    """What `gatepass …` prints; raises `SetupError`."""
    command = [program("gatepass"), *arguments]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise SetupError(f"gatepass {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def load_example(folder: DataFolder, environ: Mapping[str, str]) -> None:
    """Make workspace, token and a first administrator, load the example; raises `SetupError`."""
    gatepass(environ, "workspace", "create", WORKSPACE, *COMPANY, "--if-missing")
    if not folder.token.exists():
        token = gatepass(
            environ,
            *("token", "create", "--workspace", WORKSPACE, "--name", "demo"),
            *("--email", "buyer@marketplace.example", "--print-only-token"),
        )
        write_private(folder.token, token.strip() + "\n")
    if not folder.admin_link.exists():
        link = gatepass(
            environ,
            *("member", "invite", ADMIN, "--workspace", WORKSPACE, "--name", "Anna Berg"),
            "--print-only-link",
        )
        write_private(folder.admin_link, link.strip() + "\n")
    gatepass(environ, "load", str(EXAMPLE), "--workspace", WORKSPACE)


def is_up(port: int) -> bool:
    """Whether the API says that everything it needs is up."""
    try:
        return _call(Request(f"http://{LOOPBACK}:{port}/readyz"), 2) == HTTPStatus.OK
    except (HTTPError, URLError, TimeoutError, HTTPException):
        return False


def _call(request: Request, seconds: float) -> int:
    """The status of a call to this machine, past any proxy that the environment names."""
    with build_opener(ProxyHandler({})).open(request, timeout=seconds) as answer:
        status: int = answer.status
        return status


def create_vendor(folder: DataFolder, port: int) -> None:
    """A vendor, whose lifecycle issues `vendor-intake` at once; raises `SetupError`."""
    headers = {
        "Authorization": f"Bearer {folder.token.read_text().strip()}",
        "Content-Type": "application/json",
        "Idempotency-Key": "demo-vendor",
    }
    body = json.dumps(VENDOR).encode()
    request = Request(f"http://{LOOPBACK}:{port}/api/v1/parties", body, headers)
    try:
        _call(request, 30)
    except HTTPError as error:
        text = error.read().decode(errors="replace")
        raise SetupError(f"creating the demo's vendor failed: {error.code} {text}") from error
    folder.prepared.touch()
