"""How the code reads, as far as it can be measured."""

import ast
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.architecture.product import files, name_of, tree

LONGEST_FILE = 300
LONGER_WITH_REASON = {
    "domain/settings.py": "the one catalogue of every setting",
    "store/migrations/versions/0001_first_tables.py": "every table, written by Alembic",
    "store/migrations/versions/0002_sealed_contents.py": "every table changed, written by Alembic",
    "store/migrations/versions/0007_members.py": "ten tables, written by Alembic",
}


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_no_file_is_too_long(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    if name_of(path) not in LONGER_WITH_REASON:
        assert lines <= LONGEST_FILE, "which noun is hiding in here?"


def test_functions_are_short() -> None:
    lengths = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in files()
        if "migrations" not in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert median(lengths) <= 9
    assert quantiles(lengths, n=10)[-1] <= 25


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_no_file_is_named_for_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "manager", "data", "info"}


def test_everything_public_says_what_it_means() -> None:
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in files()
        if "migrations" not in path.parts
        for node in ast.iter_child_nodes(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent
