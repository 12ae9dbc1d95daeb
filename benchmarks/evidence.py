"""The audit log: how fast events are numbered, and how fast an auditor checks them offline."""

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from adapters import audit_verify
from adapters.checkpoint import Signer
from benchmarks.bench import Bench
from benchmarks.figures import Row, under
from domain.audit_export import (
    ExportHeader,
    Opening,
    checkpoint_line,
    end_line,
    event_line,
    header_line,
)
from domain.audit_leaf import Leaf, canonical_json, commitment_of
from domain.audit_tree import Frontier, leaf_hash

CHECKED_WITHIN = 5.0
"""Seconds for 100,000 events."""
NUMBERED = 20_000
"""At most so many are numbered by the worker."""
LONGEST = 120.0
UNNUMBERED = "SELECT count(*) FROM audit WHERE position IS NULL AND commitment IS NOT NULL"
COPY = """
    INSERT INTO audit SELECT made.* FROM audit, generate_series(1, %s) AS number,
        LATERAL jsonb_populate_record(audit, jsonb_build_object(
            'id', gen_random_uuid(), 'position', NULL, 'leaf_hash', NULL,
            'not a column', number)) AS made
    WHERE audit.id = (SELECT id FROM audit WHERE commitment IS NOT NULL LIMIT 1)
"""


async def rows(bench: Bench) -> list[Row]:
    """Numbering by the running worker, then checking by the program that auditors get."""
    events = min(bench.plan.events, NUMBERED)
    numbered = events / await _seconds_to_number(bench, events)
    path = bench.stack.folder.path / "exported-log.jsonl"
    written = bench.plan.events
    await asyncio.to_thread(_write_log, path, written)
    checked = await _seconds_to_check(path)
    goal = under(CHECKED_WITHIN * written / 100_000)
    return [
        Row("audit events numbered by a worker", "1/s", numbered),
        Row(f"check {written:,} exported events", "s", checked, goal=goal),
    ]


async def _seconds_to_number(bench: Bench, events: int) -> float:
    await bench.quiet()
    async with bench.pool.connection() as connection:
        await connection.execute(COPY, [events])
        await connection.commit()
        begun = perf_counter()
        async with asyncio.timeout(LONGEST):
            while await _left(connection):  # noqa: ASYNC110 - it is a worker that does it
                await asyncio.sleep(0.02)
    return perf_counter() - begun


async def _left(connection: AsyncConnection[TupleRow]) -> int:
    row = await (await connection.execute(UNNUMBERED)).fetchone()
    await connection.commit()
    return int(row[0]) if row else 0


async def _seconds_to_check(path: Path) -> float:
    """From the start of the program to its end, as an auditor waits for it."""
    begun = perf_counter()
    program = str(audit_verify.__file__)
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, str(path), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise AssertionError(said.decode())
    return perf_counter() - begun


def _write_log(path: Path, events: int) -> None:
    """A log of so many events, as it is exported, details included."""
    workspace = str(uuid4())
    signer = Signer(f"gatepass/{workspace}", os.urandom(32))
    openings = [_opening(number) for number in range(events)]
    leaves = [_leaf(workspace, each) for each in openings]
    hashes = [leaf_hash(each.canonical()) for each in leaves]
    root = Frontier().appending(hashes)[0].root
    note = signer.sign(f"gatepass/{workspace}", events, root)
    now = datetime.now(UTC)
    with path.open("w", encoding="utf-8") as file:
        header = ExportHeader(workspace, f"gatepass/{workspace}", signer.vkey, now, events, note)
        file.write(header_line(header))
        file.writelines(_lines(leaves, hashes, openings))
        file.write(checkpoint_line(note) + end_line(events))


def _lines(leaves: list[Leaf], hashes: list[bytes], openings: list[Opening]) -> Iterator[str]:
    for number, (leaf, found, opening) in enumerate(zip(leaves, hashes, openings, strict=True)):
        yield event_line(number, leaf, found, opening)


def _opening(number: int) -> Opening:
    told = {"actor_label": "", "details": {"task": "contact", "fence": number}, "reason": ""}
    return Opening(os.urandom(32), canonical_json(told))


def _leaf(workspace: str, opening: Opening) -> Leaf:
    return Leaf(
        workspace=workspace,
        id=str(uuid4()),
        event="task.completed",
        actor=f"party:{uuid4()}",
        at=datetime.now(UTC),
        session=str(uuid4()),
        party=str(uuid4()),
        subject="",
        commitment=commitment_of(opening.salt, opening.details),
    )
