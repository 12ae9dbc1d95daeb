"""The arrows between the rooms, and what the pure rooms may not touch."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import worker
from tests.architecture.product import PROGRAMS, ROOMS, ROOT, files, imports, name_of, tree

PURE_FORBIDDEN = {
    "os", "sys", "io", "pathlib", "socket", "subprocess", "random", "secrets", "time", "threading",
    "asyncio", "tempfile", "logging", "urllib", "http", "shutil", "signal",
}  # fmt: skip
PURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "globals", "breakpoint"}
IMPURE_MEMBERS = {
    "now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "random", "randint", "choice",
    "token_hex", "token_bytes", "urandom", "getenv", "environ", "sleep", "read_text",
    "write_text",
}  # fmt: skip


def test_the_contracts_hold() -> None:
    """By the program itself, and unmeasured: its threads and the tracer's greenlets fare badly."""
    unmeasured = {name: each for name, each in os.environ.items() if "COVERAGE" not in name}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(
        command, cwd=ROOT, env=unmeasured, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_contracts_say_what_the_design_says() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(contracts["root_packages"]) == set(ROOMS)
    layers = next(each for each in contracts["contracts"] if each["type"] == "layers")
    assert [set(each.split(" | ")) for each in layers["layers"]] == [
        {"api", "workflows", "command_line"},
        {"activities"},
        {"commands"},
        {"store", "adapters"},
        {"domain"},
    ]
    assert not layers.get("ignore_imports")
    pages = next(each for each in contracts["contracts"] if each.get("source_modules") == ["api"])
    assert set(pages["forbidden_modules"]) == {"activities", "workflows"}
    assert not any(each.get("ignore_imports") for each in contracts["contracts"])


@pytest.mark.parametrize("path", files("domain"), ids=name_of)
def test_the_domain_is_the_standard_library_and_itself(path: Path) -> None:
    outside = {
        each
        for each in imports(path)
        if each.split(".")[0] not in sys.stdlib_module_names | {"domain"}
    }
    assert not outside


@pytest.mark.parametrize("path", files("workflows"), ids=name_of)
def test_workflows_import_what_waits_and_what_is_pure(path: Path) -> None:
    ours = {"domain", "activities", "workflows"}
    allowed = sys.stdlib_module_names | {"temporalio", "typing_extensions"} | ours
    assert not {each for each in imports(path) if each.split(".")[0] not in allowed}


@pytest.mark.parametrize("path", files("domain", "workflows"), ids=name_of)
def test_pure_rooms_reach_for_nothing(path: Path) -> None:
    assert not {each for each in imports(path) if each.split(".")[0] in PURE_FORBIDDEN}
    assert impure(tree(path)) == []


def impure(module: ast.Module) -> list[str]:
    """Calls that read a clock, chance or the outside; `workflow.…` is Temporal's own."""
    found = []
    for node in ast.walk(module):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in PURE_CALLS:
            found.append(called.id)
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_MEMBERS:
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner != "workflow":
                found.append(f"{owner}.{node.attr}")
    return found


@pytest.mark.parametrize(
    "code",
    ["x = open('a')", "print(1)", "datetime.now()", "uuid4.hex; uuid.uuid4()", "os.environ['A']"],
)
def test_impurity_would_be_noticed(code: str) -> None:
    assert impure(ast.parse(code))


def test_nobody_imports_the_composition_root() -> None:
    found = [name_of(path) for path in files() if "worker" in set(imports(path))]
    assert not found, "worker.py makes everything and is imported by tests alone"


def test_the_sandbox_passes_every_module_of_ours_through() -> None:
    """A module of ours that ran inside the sandbox would exist twice."""
    ours = {
        each for path in files("workflows") for each in imports(path) if each.split(".")[0] in ROOMS
    }
    assert ours
    assert not {each for each in ours if not _passed(each)}


def _passed(module: str) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in worker.PASSED_THROUGH)


def test_every_program_and_room_is_looked_at() -> None:
    others = {"benchmarks", "tests"}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - others
    assert rooms == set(ROOMS)
    assert {path.name for path in ROOT.glob("*.py")} == set(PROGRAMS)
