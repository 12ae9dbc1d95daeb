"""Delivery reports (RFC 3464) for mails to `bounced…`, posted to the API.

A real server mails them to the envelope's sender; the demo has no way in for mail, so its mailbox
hands the same message to the API over HTTP.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, make_msgid
from pathlib import Path

import httpx2

from adapters.mailbox.smtp import HOSTNAME

PATH = "/api/v1/mail/bounces"
_TRIES = 8
_FIRST_PAUSE = 0.5

_log = logging.getLogger(__name__)


def delivery_report(content: bytes, sender: str, recipient: str, at: datetime) -> bytes:
    """A report that the mail `content` from `sender` could not be delivered to `recipient`."""
    report = MIMEMultipart("report")
    report.set_param("report-type", "delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{HOSTNAME}>"
    report["To"] = sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = make_msgid(domain=HOSTNAME)
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"Your message could not be delivered to {recipient}.\n"))
    report.attach(_status(recipient, at))
    report.attach(_original_headers(content))
    return report.as_bytes()


def _status(recipient: str, at: datetime) -> Message:
    """The part for machines: a block on the report, a block on the recipient (RFC 3464, 2.1)."""
    on_report, on_recipient = Message(), Message()
    on_report["Reporting-MTA"] = f"dns; {HOSTNAME}"
    on_report["Arrival-Date"] = format_datetime(at)
    on_recipient["Final-Recipient"] = f"rfc822; {recipient}"
    on_recipient["Action"] = "failed"
    on_recipient["Status"] = "5.1.1"
    on_recipient["Diagnostic-Code"] = "smtp; 550 5.1.1 No such mailbox here"
    part = MIMEBase("message", "delivery-status")
    part.set_payload([on_report, on_recipient])
    return part


def _original_headers(content: bytes) -> Message:
    original = message_from_bytes(content, policy=policy.compat32)
    part = MIMEBase("text", "rfc822-headers")
    part.set_payload("".join(f"{name}: {value}\n" for name, value in original.items()))
    return part


@dataclass(frozen=True, slots=True)
class Reporter:
    """Posts reports to the API at `url`, again while it is away.

    `token_file` holds the bearer token; it is read when needed, and may be written after the start.
    """

    url: str
    token_file: Path
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def bounce(self, content: bytes, sender: str, recipient: str) -> None:
        """Report in the background that a mail did not reach its recipient."""
        report = delivery_report(content, sender, recipient, datetime.now(UTC))
        task = asyncio.get_running_loop().create_task(self._post(report))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _post(self, report: bytes) -> None:
        pause = _FIRST_PAUSE
        async with httpx2.AsyncClient(base_url=self.url, timeout=10, trust_env=False) as client:
            for _ in range(_TRIES):
                if await self._posted(client, report):
                    return
                await asyncio.sleep(pause)
                pause *= 2
        _log.error("gave up reporting an undelivered mail to %s", self.url)

    async def _posted(self, client: httpx2.AsyncClient, report: bytes) -> bool:
        try:
            token = self.token_file.read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"}
            answer = await client.post(PATH, content=report, headers=headers)
        except (httpx2.TransportError, FileNotFoundError) as error:
            _log.warning("the API is not there yet: %s", type(error).__name__)
            return False
        if answer.is_client_error:
            _log.error("the API refused a delivery report: %s", answer.status_code)
        return not answer.is_server_error


def no_report(_content: bytes, _sender: str, _recipient: str) -> None:
    """What happens to bounced mails when there is nobody to report to: nothing."""
