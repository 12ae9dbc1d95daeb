"""`python -m benchmarks`: measures, prints one table, writes `bench.json`, cleans up."""

import argparse
import asyncio
import gc
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

import uvloop

from adapters.logs import configure_logs
from benchmarks import (
    alone,
    documents,
    evidence,
    history,
    keys,
    party,
    sealing,
    signing,
    statements,
    timing,
    together,
    uploads,
)
from benchmarks.bench import Bench, opened
from benchmarks.figures import Row
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.stack import Stack, running
from benchmarks.table import table

Part: TypeAlias = Callable[[Bench], Awaitable[list[Row]]]
BEGUN = perf_counter()


PARTS: Mapping[str, Part] = {
    "sealing": sealing.rows,
    "files": uploads.rows,
    "evidence": evidence.rows,
    "keys": keys.rows,
    "documents": documents.rows,
    "signing": signing.rows,
}
"""What follows once the crowds are gone."""
ASKED_FOR: Mapping[str, Part] = {
    "sign-in": timing.sign_in_rows,
    "forgotten": timing.forgotten_rows,
}
"""What takes long and is measured only where it is named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs; returns 1 for goals not met if `--strict` was given."""
    options = _parser().parse_args(arguments)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.default_int_handler)
    configure_logs("warning")
    plan = QUICK if options.quick else FULL
    with _folder(options.data, options.out.parent) as folder, running(folder) as stack:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rows = runner.run(_measured(stack, plan, options.only))
        # The SDK's client can abort the interpreter at exit unless it is collected before.
        gc.collect()
    print(table(rows))
    _write(options.out, rows)
    return int(options.strict and any(row.met is False for row in rows))


@contextmanager
def _folder(wanted: Path | None, beside: Path) -> Iterator[Path]:
    """The folder that was asked for, which stays; else one on the same disk that goes."""
    if wanted is not None:
        yield wanted
        return
    beside.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=beside.absolute()))
    try:
        yield folder
    finally:
        _forget(folder)


def _forget(folder: Path) -> None:
    """Deletes the folder, and the cluster where PostgreSQL had to keep it elsewhere."""
    pointer = folder / "postgres" / "LOCATION"
    if pointer.exists():
        shutil.rmtree(pointer.read_text().splitlines()[0], ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


async def _measured(stack: Stack, plan: Plan, only: Sequence[str]) -> list[Row]:
    async with asyncio.timeout(plan.limit), opened(stack, plan) as bench:
        _say("warming up")
        await _warm_up(bench)
        found = [] if only else await _sessions(bench)
        for what in only or PARTS:
            _say(what)
            found.extend(await ({**PARTS, **ASKED_FOR})[what](bench))
        return found


async def _sessions(bench: Bench) -> list[Row]:
    """What people wait for and what the stack carries."""
    plan, crowds = bench.plan, together.Crowds()
    _say("one client")
    samples = await alone.measure(bench, plan.alone)
    for number in range(plan.rounds):
        if number == 0 or perf_counter() - BEGUN < plan.until:
            _say(f"{plan.crowd} clients, round {number + 1} of {plan.rounds}")
            await together.measure(bench, crowds)
    _say("counting")
    return [
        *alone.rows(samples),
        *together.rows(crowds, plan.crowd),
        *await history.rows(bench, samples.sessions),
        *await statements.rows(bench),
    ]


async def _warm_up(bench: Bench) -> None:
    """First times are slow everywhere: templates compiled, connections opened, caches filled."""
    for browser in bench.browsers[: bench.plan.warm_up]:
        session, _ = await party.whole_session(browser, bench.office)
        await bench.advanced.seen(str(session))
        await bench.bare.whole()
    await bench.quiet()


def _say(what: str) -> None:
    print(f"{perf_counter() - BEGUN:5.0f} s  {what} …", file=sys.stderr, flush=True)


def _write(path: Path, rows: Sequence[Row]) -> None:
    found = {"rows": [row.as_json() for row in rows]}
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    unfinished.rename(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples, under a minute")
    parts = [*PARTS, *ASKED_FOR]
    parser.add_argument("--only", nargs="+", choices=parts, default=(), help="these parts alone")
    parser.add_argument("--strict", action="store_true", help="fail when a goal is not met")
    parser.add_argument("--data", type=Path, help="new folder to keep data and logs in")
    parser.add_argument("--out", type=Path, default=Path(".gatepass/bench.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
