"""A signer over HTTP: opening a window, taking over, signing; beside an update of a workflow."""

import asyncio
import re
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks import bare_temporal, party
from benchmarks.bench import Bench
from benchmarks.figures import Goal, Row, at_most_of_floor, median
from benchmarks.http_client import Browser

TEMPLATE = "one-signature"
PAUSE = 0.04
"""Seconds before each sample: what the one before left to do must not slow it."""
HIDDEN = re.compile(rb'name="(window|fence|version|sha256)"[^>]*value="([^"]*)"')


@dataclass(slots=True)
class Samples:
    """Seconds of each sample, the floor's and ours taken in turn."""

    update: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    signed: list[float] = field(default_factory=list)


async def rows(bench: Bench) -> list[Row]:
    """What a signer waits for at each step."""
    samples = Samples()
    for _ in range(bench.plan.alone):
        await _one(bench, samples)
    update = 1000 * median(samples.update)
    named = {"open": samples.opened, "take over": samples.taken, "sign": samples.signed}
    return [
        Row(f"{name}, p50; floor: bare update", "ms", 1000 * median(each), update, _goal())
        for name, each in named.items()
    ]


def _goal() -> Goal:
    return at_most_of_floor(0.5)


async def _one(bench: Bench, samples: Samples) -> None:
    browser = bench.browsers[0]
    session = await party.verified(browser, bench.office, TEMPLATE)
    asked = await bench.bare.start_asked()
    await bench.quiet()
    task = f"/sessions/{session}/tasks/sign"
    posts = (
        (samples.opened, f"{task}/open", {"window": "one"}),
        (samples.taken, f"{task}/open", {"window": "two", "take_over": "yes"}),
    )
    for number, (into, path, fields) in enumerate(posts):
        await asyncio.sleep(PAUSE)
        samples.update.append(await bare_temporal.ask(asked, number))
        await asyncio.sleep(PAUSE)
        into.append(await _timed(browser, path, fields))
    page = await browser.get(f"{task}?window=two")
    sent = {name.decode(): value.decode() for name, value in HIDDEN.findall(page.body)}
    await asyncio.sleep(PAUSE)
    samples.signed.append(await _timed(browser, task, sent | _answers(page.body)))


def _answers(page: bytes) -> dict[str, str]:
    """A name, a date, a typed signature and the consent, by the names of the page's fields."""
    keys = {each.decode() for each in re.findall(rb'name="field:([a-z0-9-]+)"', page)}
    typed = {each.decode() for each in re.findall(rb'name="typed:([a-z0-9-]+)"', page)}
    entered = {f"field:{key}": "2026-05-31" for key in keys}
    return entered | {f"typed:{key}": "Supplier" for key in typed} | {"consent": "yes"}


async def _timed(browser: Browser, path: str, fields: dict[str, str]) -> float:
    begun = perf_counter()
    await browser.post_form(path, fields)
    return perf_counter() - begun
