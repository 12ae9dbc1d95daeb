"""How far something is: what is shown, and that Ctrl-C ends it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest

from command_line.progress import bar_of, line_of, shown
from commands.progress import Progress


async def _steps() -> AsyncGenerator[Progress]:
    for done in range(4):
        yield Progress("data keys", done, 3)
    yield Progress("rows", 5)


async def test_where_lines_cannot_change_the_first_and_last_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await shown(_steps())
    assert capsys.readouterr().err.splitlines() == [
        "data keys: 0 of 3",
        "data keys: 3 of 3",
        "rows: 5",
    ]


def test_a_bar_is_as_long_as_what_is_done() -> None:
    assert bar_of(Progress("x", 1, 2)).count("#") == 12
    assert bar_of(Progress("x", 2, 2)).count(".") == 0
    assert bar_of(Progress("x", 2)) == ""
    assert line_of(Progress("x", 2)) == "x: 2"


async def test_a_step_that_swallows_ctrl_c_is_the_last_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As `asyncio.wait_for` of Python 3.11 does; and the steps are ended, with what they hold."""
    ended: list[bool] = []

    async def steps() -> AsyncGenerator[Progress]:
        try:
            for done in range(9):
                yield Progress("rows", done, 9)
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.1)
        finally:
            ended.append(True)

    task = asyncio.create_task(shown(steps()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended
    assert capsys.readouterr().err.splitlines() == ["rows: 0 of 9", "rows: 1 of 9"]
