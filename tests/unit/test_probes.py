"""Our probes see what coverage's own tracer sees."""

import json
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from coverage.python import PythonFileReporter

from tests import probes

SOURCE = '''\
"""Words."""

from __future__ import annotations

import contextlib


def plain(call):
    return call


@contextlib.contextmanager
@plain
def opened(
    number: int,
):
    """Words."""
    try:
        yield number
    finally:
        number += 1


class Noun:
    """Words."""

    known = 1
    """Words, too."""

    @property
    @plain
    def half(self):
        if self.known > 1:
            return 0
        return 1


def conditions(number):
    if number == 1:
        known = "one"
    elif number == 2:
        @plain
        def inner():
            return 2
        known = inner()
    else:
        known = "many"
    if number:
        known = 1
    return known


def loops(number):
    for each in range(number):
        for other in range(each):
            if other == 1:
                break
        else:
            continue
        number += 1
    while number < 3:
        while number < 2:
            number += 1
        number += 1
    for each in range(1):
        if number == 3:
            pass
    with opened(number), opened(1):
        if number > 3:
            return number
        for each in (1, 2):
            number += each


async def asynchronous(number):
    async with contextlib.AsyncExitStack():
        async for each in numbers(number):
            if each == 2:
                return each
    return 0


async def numbers(number):
    for each in range(number):
        yield each


def errors(number):
    try:
        if number == 1:
            raise KeyError
        if number == 2:
            raise ValueError
    except KeyError:
        number = 0
    except (ValueError, TypeError) as error:
        if error:
            number = 3
    else:
        number = 4
    finally:
        if number == 4:
            number = 5
    return (
        number
    )


def cases(number):
    match number:
        case 0 | 1:
            known = 0
        case 2 if number:
            known = 2
        case [_, *_]:
            known = 3
    match number:
        case 1:
            return 1
        case _:
            return known if number < 3 else 0


def asynchronously(number):
    with contextlib.suppress(StopIteration):
        asynchronous(number).send(None)
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with every statement that leads somewhere."""
    found = tmp_path / "words.py"
    found.write_text(SOURCE)
    return found


def run(path: Path, loader: SourceFileLoader, parts: Iterable[tuple[str, int]]) -> None:
    """Some functions of the file with one number each, so that others stay unreached."""
    spec = spec_from_file_location("words", path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    for name, number in parts:
        getattr(module, name)(number)


def report(measure: Coverage, path: Path) -> dict[str, Any]:
    """What coverage says of the file."""
    to = path.with_suffix(".json")
    measure.json_report(outfile=str(to))
    [found] = json.loads(to.read_text())["files"].values()
    return {each: found[each] for each in ("missing_lines", "missing_branches", "summary")}


def measurement(path: Path) -> Coverage:
    """Coverage of the file alone."""
    return Coverage(data_file=None, config_file=False, branch=True, include=[str(path)])


ALL = tuple(product(("conditions", "loops", "asynchronously", "errors", "cases"), range(4)))


@pytest.mark.parametrize(
    "parts", [(), *((each,) for each in ALL), ALL], ids=lambda parts: f"{len(parts)} parts"
)
def test_probes_see_what_the_tracer_sees(path: Path, parts: tuple[tuple[str, int], ...]) -> None:
    traced = measurement(path)
    traced.start()
    try:
        run(path, SourceFileLoader("words", str(path)), parts)
    finally:
        traced.stop()
    run(path, probes.ProbedLoader("words", str(path)), parts)
    probed = measurement(path)
    notes = probes.reached.pop(str(path))
    probed.get_data().add_arcs({str(path): list(probes.arcs_of(str(path), notes, probed))})
    assert report(probed, path) == report(traced, path)


def test_whatever_can_be_reached_has_a_probe() -> None:
    """Else it would be told missing for ever, or a branch be told taken that was not."""
    measure = probes.measured()
    for path in measure.get_data().measured_files():
        judge = PythonFileReporter(path, measure)
        _, lines, branches = probes.probed(path, Path(path).read_text())
        whole = bytearray(b"\1" * (2 * lines))
        arcs = set(probes.arcs_of(path, whole, measure))
        forks = {line for line, count in judge.exit_counts().items() if count > 1}
        assert judge.lines() <= {to for _, to in arcs}
        assert forks <= set(branches)
        assert {(line, branches[line]) for line in forks} <= judge.arcs()
