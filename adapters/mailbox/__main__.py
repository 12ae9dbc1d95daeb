"""`python -m adapters.mailbox`: the mailbox as a process of its own, until SIGTERM."""

import argparse
import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from typing_extensions import override

from adapters.embedded.ports import LOOPBACK
from adapters.mailbox.folder import MailFolder
from adapters.mailbox.page import create_page
from adapters.mailbox.report import Reporter, no_report
from adapters.mailbox.smtp import Postbox, smtp_protocol


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    asyncio.run(serve(_parser().parse_args(arguments)))


async def serve(options: argparse.Namespace) -> None:
    """Serve SMTP and pages as `options` say until a signal asks to stop."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    folder = MailFolder(options.folder)
    postbox = Postbox(folder, _bounce(options.report_to, options.token_file))
    smtp = await loop.create_server(partial(smtp_protocol, postbox), LOOPBACK, options.smtp_port)
    pages = _PageServer(
        uvicorn.Config(
            create_page(folder),
            host=LOOPBACK,
            port=options.http_port,
            lifespan="off",
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(pages.serve())
    await asyncio.wait(
        {serving, asyncio.create_task(stopped.wait())}, return_when="FIRST_COMPLETED"
    )
    smtp.close()
    pages.should_exit = True
    await serving


class _PageServer(uvicorn.Server):
    """uvicorn without its own signal handlers: one signal stops both servers."""

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield


def _bounce(report_to: str | None, token_file: Path | None) -> Callable[[bytes, str, str], None]:
    if report_to is None or token_file is None:
        return no_report
    return Reporter(report_to, token_file).bounce


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mailbox", description="A mailbox for demo and tests.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept")
    parser.add_argument("--report-to", help="base URL of the API that is told of bounced mails")
    parser.add_argument("--token-file", type=Path, help="file with that API's bearer token")
    return parser


if __name__ == "__main__":
    main()
