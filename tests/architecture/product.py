"""The product's own source, read and not run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = (
    "domain", "store", "adapters", "commands", "activities", "workflows", "api", "command_line",
)  # fmt: skip
PROGRAMS = ("worker.py", "cli.py")


@cache
def files(*rooms: str) -> tuple[Path, ...]:
    """The Python files of some rooms; of all rooms and programs if none is named."""
    found = [path for room in rooms or ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return (*found, *(() if rooms else (ROOT / each for each in PROGRAMS)))


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(path.read_text(), str(path))


@cache
def text(*rooms: str) -> str:
    """Everything that is written in some rooms, but migrations."""
    return "\n".join(path.read_text() for path in files(*rooms) if "migrations" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    """The modules a file imports, wherever it does."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def name_of(path: Path) -> str:
    """A file as it is named in a message."""
    return str(path.relative_to(ROOT))
