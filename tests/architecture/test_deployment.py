"""The files that describe production: no secret in them, nobody runs as root."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("api", "worker", "migrate")


def environment() -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
    ]


def test_no_credential_is_in_the_file() -> None:
    """Each must be given from outside; none has a default."""
    secrets = [(n, v) for n, v in environment() if re.search("PASSWORD|PWD|DATABASE_URL", n)]
    assert len(secrets) >= 6
    for name, value in secrets:
        assert re.search(r"\$\{[A-Z_]+:\?\}", value), f"{name} is written out or optional"
    assert COMPOSE["secrets"]["root_key"]["file"] == "${ROOT_KEY_FILE:?}"


def test_every_setting_of_the_file_exists() -> None:
    from adapters.settings import variable_of
    from domain.settings import Settings

    known = {variable_of(name) for name in Settings.__dataclass_fields__}
    named = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert named <= known


def test_api_and_workers_are_two_each() -> None:
    for name in ("api", "worker"):
        assert SERVICES[name]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["secrets"] == ["root_key"]


def test_only_this_machine_reaches_the_published_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_runs_as_nobody_special_and_from_hashed_packages() -> None:
    steps = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER gatepass$", steps, re.MULTILINE)
    assert steps.index("USER gatepass") < steps.index("CMD [")
    installs = [line for line in steps.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def test_everything_that_is_imported_is_shipped() -> None:
    """The wheel and the image list their rooms by name."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    copied = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert rooms | {"cli.py", "worker.py", "email_templates", "examples"} == shipped
    assert shipped <= copied


@pytest.mark.parametrize("name", ["runtime", "demo", "dev", "build"])
def test_the_locks_pin_by_hash_and_name_no_index(name: str) -> None:
    lock = (ROOT / f"requirements/{name}.txt").read_text()
    pins = re.findall(r"^[a-z0-9._-]+(?:\[.*\])?==\S+.*\\$", lock, re.MULTILINE)
    assert len(pins) >= 5
    assert lock.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"index-url|find-links|file:|https?://", lock)
