"""Answers that leave after one and the same time, whatever finding them took (ASVS 6.3.8)."""

import asyncio

ANSWERS_AFTER = 0.5
"""Seconds from the question on, longer than any of these answers takes on a busy machine."""


def answers_at() -> float:
    """When the answer to what was asked just now leaves, by the event loop's clock."""
    return asyncio.get_running_loop().time() + ANSWERS_AFTER


async def leaves_at(at: float) -> None:
    """Waits for that time; one that is over is no wait."""
    await asyncio.sleep(at - asyncio.get_running_loop().time())
