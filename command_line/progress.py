"""Shows how far something is: one line that changes on a terminal, else a line now and then."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import typer

from commands.progress import Progress

EVERY = 5.0
"""Seconds between two lines about the same thing, where lines cannot be replaced."""
BAR = 24
CLEAR = "\r\x1b[K"


async def shown(steps: AsyncGenerator[Progress]) -> None:
    """Goes through all steps and shows them on the standard error stream; Ctrl-C ends it."""
    display = _Terminal() if sys.stderr.isatty() else _Lines()
    try:
        async with aclosing(steps):
            async for each in steps:
                display.show(each)
                _stop_if_cancelled()
    finally:
        display.end()


def _stop_if_cancelled() -> None:
    """Raises what a step may have swallowed.

    `asyncio.wait_for` of Python 3.11, in which psycopg waits for PostgreSQL, goes on with what it
    has when its task is cancelled just as that comes (https://github.com/python/cpython/issues/86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class _Terminal:
    def __init__(self) -> None:
        self._what = ""

    def show(self, step: Progress) -> None:
        if self._what not in {"", step.what}:
            typer.echo(err=True)
        self._what = step.what
        typer.echo(f"{CLEAR}{bar_of(step)}{line_of(step)}", err=True, nl=False)

    def end(self) -> None:
        if self._what:
            typer.echo(err=True)


class _Lines:
    def __init__(self) -> None:
        self._last: Progress | None = None
        self._shown: Progress | None = None
        self._shown_at = 0.0

    def show(self, step: Progress) -> None:
        if self._last and self._last.what != step.what:
            self._show_last()
        self._last = step
        if self._shown is None or self._shown.what != step.what or self._is_time():
            self._show_last()

    def _is_time(self) -> bool:
        return time.monotonic() - self._shown_at >= EVERY

    def _show_last(self) -> None:
        if self._last is not None and self._last != self._shown:
            typer.echo(line_of(self._last), err=True)
            self._shown, self._shown_at = self._last, time.monotonic()

    def end(self) -> None:
        self._show_last()


def bar_of(step: Progress) -> str:
    """A bar as long as what is done."""
    if not step.total:
        return ""
    whole = BAR * min(step.done, step.total) // step.total
    return f"[{'#' * whole}{'.' * (BAR - whole)}] "


def line_of(step: Progress) -> str:
    """What is done, in words."""
    return f"{step.what}: {step.done}" + ("" if step.total is None else f" of {step.total}")
