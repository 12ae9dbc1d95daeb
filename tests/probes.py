"""`python -m pytest -p tests.probes`: which lines and branches of the product the tests reach.

Coverage's tracer makes Python report every line it runs, in all libraries too, which doubles the
time of a test; on Python 3.11 there is no other. So the product's modules are compiled with probes
in them: each statement first notes that it was reached, which costs as much as one assignment and
is the same in every thread and greenlet. What was reached becomes coverage's own data, which it
reports and holds against its gates. Programs that tests start are few, and coverage traces them.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import takewhile
from operator import or_
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, ClassVar

import pytest
from coverage import Coverage
from coverage.python import PythonFileReporter
from typing_extensions import override

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "PROBES_FOLDER"
"""The environment's name for the folder that each process leaves its notes in."""
NOTES = "__reached__"
"""What a module calls its notes: one byte for each line, and as many for branches not entered."""
Branches = dict[int, int]
"""The first line of what is done when a condition holds, by the line of the condition."""
reached: dict[str, bytearray] = {}
"""The notes of this process, by file."""


class Probes(ast.NodeTransformer):
    """Puts a probe before each statement, and where a condition that did not hold leads."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.branches: Branches = {}

    def _note(self, place: int, like: ast.AST) -> ast.stmt:
        line = getattr(like, "lineno", 1)
        probe = ast.parse(f"{NOTES}[{place}] = 1").body[0]
        for each in ast.walk(probe):
            each.lineno = each.end_lineno = line  # type: ignore[attr-defined]  # it has them
            each.col_offset = each.end_col_offset = 0  # type: ignore[attr-defined]  # as above
        return probe

    def _left(self, condition: int, like: ast.AST) -> ast.stmt:
        return self._note(self.lines + condition, like)

    def _probed(self, body: list[ast.stmt]) -> list[ast.stmt]:
        head = list(takewhile(_stands_first, body))
        done = [*map(self.visit, head), *(note for each in head for note in self._notes(each))]
        for each in body[len(head) :]:
            done += [*self._notes(each), self.visit(each)]
        return done

    def _notes(self, statement: ast.stmt) -> list[ast.stmt]:
        return [self._note(line, statement) for line in lines_of(statement)]

    @override
    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                setattr(node, name, self._probed(body))
        return node

    def _tried(self, node: Any) -> Any:
        lines = [each.lineno for each in node.handlers]
        for at, each in enumerate(node.handlers):
            tried = [self._note(line, each) for line in lines[: at + 1]]
            each.body = [*tried, *self._probed(each.body)]
        return self.generic_visit(node)

    def _condition(self, node: Any) -> Any:
        self.branches[node.lineno] = min(lines_of(node.body[0]))
        self.generic_visit(node)
        node.orelse.insert(0, self._left(node.lineno, node))
        return node

    visit_Try = visit_TryStar = _tried  # noqa: N815 - ast's names
    visit_If = visit_For = visit_AsyncFor = visit_While = _condition  # noqa: N815 - ast's names

    @override
    def visit_Match(self, node: ast.Match) -> ast.AST:
        lines = [each.pattern.lineno for each in node.cases]
        self.branches |= {each.pattern.lineno: min(lines_of(each.body[0])) for each in node.cases}
        for at, each in enumerate(node.cases):
            tried = [self._note(line, node) for line in lines[: at + 1]]
            left = [self._left(line, node) for line in lines[:at]]
            each.body = [*tried, *left, *self._probed(each.body)]
        if not _takes_all(node.cases[-1]):
            nothing = [put(line, node) for line in lines for put in (self._note, self._left)]
            node.cases.append(ast.match_case(ast.MatchAs(**_places(node)), body=nothing))
        return node


def _places(node: ast.AST) -> dict[str, Any]:
    return {each: getattr(node, each) for each in node._attributes}


def lines_of(statement: ast.stmt) -> list[int]:
    """The lines where a statement begins: its own, and those of its decorators."""
    marks = getattr(statement, "decorator_list", [])
    return [*(each.lineno for each in marks), statement.lineno]


def _stands_first(statement: ast.stmt) -> bool:
    """A docstring, or an import from the future: nothing may come before it."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _takes_all(case: ast.match_case) -> bool:
    pattern = case.pattern
    while isinstance(pattern, ast.MatchOr):
        pattern = pattern.patterns[-1]
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def probed(path: str, source: str) -> tuple[CodeType, int, Branches]:
    """The code of a file with its probes, how many lines it has, and its branches."""
    probes = Probes(source.count("\n") + 2)
    tree = probes.visit(ast.parse(source, path))
    return compile(tree, path, "exec", dont_inherit=True), probes.lines, probes.branches


class ProbedLoader(SourceFileLoader):
    """Loads a module with its probes. Temporal's sandbox loads some of them many times."""

    known: ClassVar[dict[str, CodeType]] = {}

    @override
    def exec_module(self, module: ModuleType) -> None:
        if self.path not in self.known:
            source = Path(self.path).read_text(encoding="utf-8")
            self.known[self.path], lines, _ = probed(self.path, source)
            reached[self.path] = bytearray(2 * lines)
        module.__dict__[NOTES] = reached[self.path]
        exec(self.known[self.path], module.__dict__)


class Finder(MetaPathFinder):
    """Finds what is measured before anybody else does."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.rooms = {Path(each).relative_to(ROOT).parts[0].removesuffix(".py") for each in files}

    @override
    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] not in self.rooms:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found and found.origin in self.files:
            found.loader = ProbedLoader(name, found.origin)
        return found


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of the tests imports the product."""
    # Starting coverage tells programs that tests start to measure themselves.
    sys.meta_path.insert(0, Finder(set(measured().get_data().measured_files())))


def pytest_unconfigure() -> None:
    """Leaves what this process noted."""
    notes = {path: each.hex() for path, each in reached.items()}
    Path(os.environ[FOLDER], f"{os.getpid()}.json").write_text(json.dumps(notes))


def write_coverage(folder: Path) -> None:
    """Makes coverage's data, in a file of its own, of what every process noted in `folder`."""
    whole: dict[str, bytearray] = {}
    for each in folder.iterdir():
        for path, notes in json.loads(each.read_text()).items():
            news = bytes.fromhex(notes)
            known = whole.setdefault(path, bytearray(len(news)))
            known[:] = bytes(map(or_, known, news))
    measure = measured()
    measure.get_data().add_arcs(
        {path: list(arcs_of(path, notes, measure)) for path, notes in whole.items()}
    )
    measure.save()


def measured() -> Coverage:
    """Coverage that has seen nothing yet, but knows of every file that its settings name."""
    measure = Coverage()
    measure.set_option("run:disable_warnings", ["no-data-collected"])
    measure.start()
    measure.stop()
    return measure


def arcs_of(path: str, notes: bytearray, measure: Coverage) -> Iterator[tuple[int, int]]:
    """What was reached, as the steps from line to line that coverage knows of."""
    _, lines, branches = probed(path, Path(path).read_text(encoding="utf-8"))
    yield from ((-1, line) for line in range(lines) if notes[line])
    for line, to in PythonFileReporter(path, measure).arcs():
        if line in branches:
            entered = to == branches[line]
            if notes[to if entered else lines + line]:
                yield line, to
