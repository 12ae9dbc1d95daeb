"""`python -m api`: serves the application until it is told to stop."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from typing_extensions import override

from adapters.keyring import open_keyring
from adapters.linux import close_memory
from adapters.logs import configure_logs
from adapters.root_key import KeyFileError
from adapters.settings import SettingsError, load_settings
from api.app import create_app
from domain.settings import Settings

GRACE_SECONDS = 1
"""Requests under way have this long to end; open event streams end at once."""
REFUSED = 2
STOPS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """Tells open event streams that the process ends, before waiting for their connections."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        """Takes what to serve and the event that streams watch."""
        super().__init__(config)
        self._stopping = stopping

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Unlike uvicorn's own, this does not raise the signal again: a stop that went well is 0.
        before = {each: signal.signal(each, self.handle_exit) for each in STOPS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        # The loop runs in this thread and ticks ten times a second: it sees the event then.
        self._stopping.set()


def main() -> int:
    """Serves; returns the exit status."""
    close_memory()
    options = _options()
    try:
        settings = load_settings(os.environ)
        open_keyring(settings)
        server = _server(settings, options)
    except (SettingsError, KeyFileError) as error:
        sys.stderr.write(f"gatepass api: {error}\n")
        return REFUSED
    server.run()
    return 0 if server.started else 1


def _server(settings: Settings, options: argparse.Namespace) -> Server:
    configure_logs(settings.log_level)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config, app.state.stopping)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api", description="Serves Gatepass over HTTP")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
