"""The mailbox: a real SMTP talk in, mails out as pages and JSON."""

import json
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from smtplib import SMTP, SMTPDataError, SMTPRecipientsRefused
from threading import Thread
from typing import Any, ClassVar

import httpx2
import pytest
from playwright.async_api import BrowserContext

from tests.rooms.mail import Mailbox, start_mailbox


def a_mail(to: str, subject: str = "Hello", html: str = "<p>Dear <b>you</b></p>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "us@example.org", to, subject
    mail["Message-ID"], mail["Date"] = f"<{subject}@example.org>", "Tue, 03 Mar 2026 10:00:00 +0100"
    mail.set_content("Dear you — żółw\n")
    mail.add_alternative(html, subtype="html")
    return mail


def send(mailbox: Mailbox, mail: EmailMessage) -> None:
    with SMTP("127.0.0.1", mailbox.smtp_port, timeout=10) as talk:
        talk.send_message(mail, from_addr="bounces@example.org")


@pytest.fixture
def web(mailbox: Mailbox) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=mailbox.url) as client:
        yield client


def test_shows_what_arrived_as_json(mailbox: Mailbox, web: httpx2.Client) -> None:
    send(mailbox, a_mail("ann@example.com"))
    [mail] = web.get("/messages.json").json()
    assert mail.keys() == {"id", "to", "subject", "text", "html", "sent_at"}
    assert mail["to"] == "ann@example.com"
    assert mail["subject"] == "Hello"
    assert mail["text"].strip() == "Dear you — żółw"
    assert mail["html"].strip() == "<p>Dear <b>you</b></p>"
    assert mail["sent_at"] == "2026-03-03T09:00:00Z"


def test_newest_first_and_by_recipient(mailbox: Mailbox, web: httpx2.Client) -> None:
    for to, subject in (
        ("ann@example.com", "1"),
        ("bob@example.com", "2"),
        ("Ann@example.com", "3"),
    ):
        send(mailbox, a_mail(to, subject))
    everything = web.get("/messages.json").json()
    hers = web.get("/messages.json", params={"to": "ann@example.com"}).json()
    assert [mail["subject"] for mail in everything] == ["3", "2", "1"]
    assert [mail["subject"] for mail in hers] == ["3", "1"]


def test_refuses_the_refused(mailbox: Mailbox) -> None:
    with pytest.raises(SMTPRecipientsRefused) as refusal:
        send(mailbox, a_mail("refused-1@example.com"))
    assert refusal.value.recipients["refused-1@example.com"][0] == 550


def test_defers_the_first_try_of_each_mail(mailbox: Mailbox) -> None:
    for subject in ("first", "second"):
        with pytest.raises(SMTPDataError) as refusal:
            send(mailbox, a_mail("later@example.com", subject))
        assert refusal.value.smtp_code == 451
        send(mailbox, a_mail("later@example.com", subject))
    assert [mail.subject for mail in mailbox.mails("later@example.com")] == ["second", "first"]


def test_mails_survive_a_restart_and_stop_is_quick(tmp_path: Path) -> None:
    first = start_mailbox(tmp_path)
    send(first, a_mail("ann@example.com"))
    with httpx2.Client(base_url=first.url) as keeps_its_connection:
        keeps_its_connection.get("/")
        asked_at = time.monotonic()
        first.child.stop()
    assert time.monotonic() - asked_at < 1
    assert first.child.exit_code() == 0
    second = start_mailbox(tmp_path)
    mails = httpx2.get(f"{second.url}/messages.json").json()
    second.child.stop()
    assert [mail["subject"] for mail in mails] == ["Hello"]


class Api(BaseHTTPRequestHandler):
    """Away at first, then takes the report."""

    received: ClassVar[Queue[tuple[str, str, str, bytes]]] = Queue()
    answers: ClassVar = [503, 204]

    def do_POST(self) -> None:
        """Keep what came."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind, token = self.headers["Content-Type"], self.headers["Authorization"]
        self.send_response(self.answers.pop(0))
        self.end_headers()
        if not self.answers:
            self.received.put((self.path, kind, token, body))


def test_reports_what_bounced(tmp_path: Path) -> None:
    """PS-37: a later bounce is a real RFC 3464 report, with the mail's Message-ID."""
    api = HTTPServer(("127.0.0.1", 0), Api)
    Thread(target=api.serve_forever, daemon=True).start()
    (tmp_path / "token").write_text("secret\n")
    options = f"--report-to http://127.0.0.1:{api.server_port} --token-file {tmp_path / 'token'}"
    mailbox = start_mailbox(tmp_path / "mails", *options.split())
    send(mailbox, a_mail("bounced@example.com"))
    path, kind, token, body = Api.received.get(timeout=10)
    mailbox.child.stop()
    api.shutdown()
    api.server_close()
    report = message_from_bytes(body, policy=policy.default)
    assert (path, kind, token) == ("/api/v1/mail/bounces", "message/rfc822", "Bearer secret")
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["To"] == "bounces@example.org"
    parts: Any = report.get_payload()
    _, status, headers = parts
    assert status.get_content_type() == "message/delivery-status"
    _, on_recipient = status.get_payload()
    assert on_recipient["Final-Recipient"] == "rfc822; bounced@example.com"
    assert (on_recipient["Action"], on_recipient["Status"]) == ("failed", "5.1.1")
    assert headers.get_content_type() == "text/rfc822-headers"
    assert "Message-ID: <Hello@example.org>" in headers.get_payload()
    assert [mail.subject for mail in mailbox.mails("bounced@example.com")] == ["Hello"]


def test_other_sites_can_neither_read_nor_delete(mailbox: Mailbox, web: httpx2.Client) -> None:
    send(mailbox, a_mail("ann@example.com"))
    assert web.get("/messages.json", headers={"Host": "evil.example"}).status_code == 421
    assert web.post("/clear", headers={"Origin": "https://evil.example"}).status_code == 403
    assert len(mailbox.mails("ann@example.com")) == 1
    assert web.post("/clear", headers={"Origin": mailbox.url}).status_code == 303
    assert mailbox.mails("ann@example.com") == []


@pytest.mark.parametrize(
    "path", ["/messages/nothing", "/messages/..%2Ftoken", "/messages/nothing/html"]
)
def test_an_unknown_mail_is_not_found(web: httpx2.Client, path: str) -> None:
    assert web.get(path).status_code == 404


async def test_a_person_reads_a_mail_and_follows_its_link(
    mailbox: Mailbox, browser_context: BrowserContext
) -> None:
    """The mail's scripts stay dead, its links open a tab of their own."""
    target = f"{mailbox.url}/messages.json"
    html = f"<script>document.title='bad'</script><p id=p>Hi</p><a href='{target}'>Begin</a>"
    send(mailbox, a_mail("ann@example.com", "Your form", html))
    page = await browser_context.new_page()
    await page.goto(mailbox.url)
    await page.get_by_text("Your form").click()
    frame = page.frame_locator("iframe")
    assert await frame.locator("#p").inner_text() == "Hi"
    async with browser_context.expect_page() as opened:
        await frame.get_by_role("link", name="Begin").click()
    tab = await opened.value
    [mail] = json.loads(await tab.inner_text("body"))
    assert mail["subject"] == "Your form"
    await page.goto(mailbox.url)
    await page.get_by_role("button", name="Delete all").click()
    await page.get_by_text("No mail yet").wait_for()
