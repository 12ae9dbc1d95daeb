"""One client, one thing at a time: how long a person waits."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID

from benchmarks import bare_sql, bare_temporal, party
from benchmarks.bench import Bench
from benchmarks.figures import Row, at_most_of_floor, median

PAUSE = 0.04
"""Seconds before each sample: what the one before left to do must not slow it."""
LONGEST = 30.0
"""Seconds after which a slow machine's samples are enough."""


@dataclass(slots=True)
class Samples:
    """Seconds of each sample, floors and ours taken in turn."""

    sql: list[float] = field(default_factory=list)
    update: list[float] = field(default_factory=list)
    task: list[float] = field(default_factory=list)
    signals: list[float] = field(default_factory=list)
    advanced: list[float] = field(default_factory=list)
    sessions: list[UUID] = field(default_factory=list)


async def measure(bench: Bench, sessions: int) -> Samples:
    """Floors and ours, sample by sample."""
    samples = Samples()
    like = await _original(bench)
    begun = perf_counter()
    while len(samples.sessions) < sessions and perf_counter() - begun < LONGEST:
        await _completions(bench, samples, like)
        await bench.quiet()
        samples.signals.append(await bench.bare.whole(PAUSE))
    return samples


async def _original(bench: Bench) -> bare_sql.Original:
    session, _ = await party.whole_session(bench.browsers[0], bench.office)
    await bench.advanced.seen(str(session))
    await bench.quiet()
    return await bare_sql.original(bench.pool, session)


async def _completions(bench: Bench, samples: Samples, like: bare_sql.Original) -> None:
    browser = bench.browsers[0]
    session = await party.verified(browser, bench.office)
    bare = await bare_sql.bare_session(bench.pool, like)
    asked = await bench.bare.start_asked()
    await bench.quiet()
    for number, task in enumerate(party.ANSWERS):
        await asyncio.sleep(PAUSE)
        done = bare_sql.complete(bench.pool, like, bare, number, datetime.now(UTC))
        samples.sql.append(await done)
        samples.update.append(await bare_temporal.ask(asked, number))
        await asyncio.sleep(PAUSE)
        samples.task.append(await party.complete(browser, session, task))
    answered_at = perf_counter()
    samples.advanced.append(await bench.advanced.seen(str(session)) - answered_at)
    samples.sessions.append(session)


def rows(samples: Samples) -> list[Row]:
    """What one client waits for."""
    task, update = _milliseconds(samples.task), _milliseconds(samples.update)
    return [
        Row(
            "complete a task, one client, p50; floor: bare update",
            "ms",
            task,
            update,
            at_most_of_floor(0.4),
        ),
        Row(
            "complete a task, one client, p50; floor: bare SQL",
            "ms",
            task,
            _milliseconds(samples.sql),
        ),
        Row(
            "last task answered to lifecycle advanced, p50; floor: bare signals",
            "ms",
            _milliseconds(samples.advanced),
            _milliseconds(samples.signals),
            at_most_of_floor(1.3),
        ),
    ]


def _milliseconds(samples: list[float]) -> float:
    return 1000 * median(samples)
