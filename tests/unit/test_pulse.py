"""The sign of life of a long activity."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.pulse import pulse


async def work_for(seconds: float) -> str:
    async with pulse():
        await asyncio.sleep(seconds)
    return "done"


@pytest.mark.parametrize(
    ("expected", "seconds", "least", "most"),
    [
        (timedelta(milliseconds=60), 0.15, 2, 7),
        (timedelta(seconds=15), 0.01, 0, 0),
        (None, 0.01, 0, 0),
    ],
    ids=["beats while it works", "is silent when quick", "is silent where none is expected"],
)
async def test_beats(expected: timedelta | None, seconds: float, least: int, most: int) -> None:
    """RELIABILITY 32: a dead worker is noticed by its silence; quick work costs no call."""
    environment, beats = ActivityEnvironment(), list[object]()
    environment.info = replace(environment.info, heartbeat_timeout=expected)
    environment.on_heartbeat = lambda *_: beats.append(1)
    assert await environment.run(work_for, seconds) == "done"
    seen = len(beats)
    assert least <= seen <= most
    await asyncio.sleep(0.06)
    assert len(beats) == seen


async def test_outside_an_activity_it_is_nothing() -> None:
    assert await work_for(0) == "done"
