"""A real mailbox behind a real SMTP socket."""

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.embedded.ports import answers, free_port
from adapters.embedded.process import Child, Program, wait_until_ready
from adapters.mailbox.folder import MailFolder, ReceivedMail

_PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The running mailbox: where to send to, and what has arrived."""

    child: Child
    smtp_port: int
    http_port: int
    folder: MailFolder

    @property
    def smtp_url(self) -> str:
        """What the setting `smtp.url` takes."""
        return f"smtp://127.0.0.1:{self.smtp_port}"

    @property
    def url(self) -> str:
        """The mailbox's page."""
        return f"http://127.0.0.1:{self.http_port}"

    def mails(self, to: str) -> list[ReceivedMail]:
        """What has arrived for `to` so far, newest first."""
        return self.folder.mails(to)

    async def receive(self, to: str, *, subject: str = "", count: int = 1) -> ReceivedMail:
        """The newest mail to `to` with `subject` in its subject, once there are `count`."""
        give_up = time.monotonic() + _PATIENCE
        while time.monotonic() < give_up:
            found = [mail for mail in self.mails(to) if subject in mail.subject]
            if len(found) >= count:
                return found[0]
            await asyncio.sleep(0.02)
        pytest.fail(f"no mail to {to} with {subject!r}: {[m.subject for m in self.mails(to)]}")


def start_mailbox(folder: Path, *options: str) -> Mailbox:
    """A mailbox as its own process, keeping its mails in `folder`."""
    smtp_port, http_port = free_port(), free_port()
    command = [
        *(sys.executable, "-m", "adapters.mailbox", "--folder", str(folder)),
        *("--smtp-port", str(smtp_port), "--http-port", str(http_port), *options),
    ]
    child = Program(name="mailbox", command=command, log=folder / "mailbox.log").start()
    wait_until_ready(child, lambda: answers(smtp_port) and answers(http_port))
    return Mailbox(child, smtp_port, http_port, MailFolder(folder))


@pytest.fixture(scope="session")
def mailbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """One mailbox for the whole run."""
    mailbox = start_mailbox(tmp_path_factory.mktemp("mailbox"))
    yield mailbox
    mailbox.child.stop()


@pytest.fixture
def mailbox(mailbox_server: Mailbox) -> Mailbox:
    """The mailbox, emptied before this test."""
    mailbox_server.folder.clear()
    return mailbox_server
