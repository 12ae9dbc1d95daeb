"""What every room of tests shares; the servers are in `tests/rooms/`."""

import gc
from pathlib import Path

import pytest
import structlog

pytest_plugins = [
    "tests.rooms.browser",
    "tests.rooms.mail",
    "tests.rooms.passwords",
    "tests.rooms.postgres",
    "tests.rooms.temporal",
]

_LOOPBACK = ["127.0.0.1", "::1", "localhost"]

# Unconfigured, structlog writes out every local variable of a traceback, megabytes of a file too.
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests reach nothing; the other rooms reach this machine only."""
    for item in items:
        room = Path(item.path).relative_to(Path(__file__).parent).parts[0]
        if room in {"unit", "architecture"}:
            item.add_marker(pytest.mark.disable_socket)
        else:
            item.add_marker(pytest.mark.allow_hosts(_LOOPBACK))


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it for garbage takes a twentieth of all tests' time.

    What tests leave is looked for less often than by default, for the same reason.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
