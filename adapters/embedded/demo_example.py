"""What the demo prepares once: a workspace, a token, the procurement example, a vendor."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx2

from adapters.embedded.data_folder import DataFolder, write_private
from adapters.embedded.ports import LOOPBACK
from adapters.embedded.temporal_server import program

WORKSPACE = "demo"
EXAMPLE = Path(__file__).parents[2] / "examples/procurement"
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
    """Make workspace and token, load the example; raises `SetupError`."""
    gatepass(environ, "workspace", "create", WORKSPACE, "--name", "Demo", "--if-missing")
    if not folder.token.exists():
        token = gatepass(
            environ,
            *("token", "create", "--workspace", WORKSPACE, "--name", "demo"),
            *("--email", "buyer@marketplace.example", "--print-only-token"),
        )
        write_private(folder.token, token.strip() + "\n")
    gatepass(environ, "load", str(EXAMPLE), "--workspace", WORKSPACE)


def is_up(port: int) -> bool:
    """Whether the API says that everything it needs is up."""
    try:
        return httpx2.get(f"http://{LOOPBACK}:{port}/readyz", timeout=2, trust_env=False).is_success
    except httpx2.TransportError:
        return False


def create_vendor(folder: DataFolder, port: int) -> None:
    """A vendor, whose lifecycle issues `vendor-intake` at once; raises `SetupError`."""
    answer = httpx2.post(
        f"http://{LOOPBACK}:{port}/api/v1/parties",
        json=VENDOR,
        headers={
            "Authorization": f"Bearer {folder.token.read_text().strip()}",
            "Idempotency-Key": "demo-vendor",
        },
        timeout=30,
        trust_env=False,
    )
    if not answer.is_success:
        raise SetupError(f"creating the demo's vendor failed: {answer.status_code} {answer.text}")
    folder.prepared.touch()
