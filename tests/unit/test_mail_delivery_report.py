import random
from base64 import encodebytes

import pytest

from adapters.delivery_report import DeliveryReport, ReportedAction, read_report

OURS = "<01990000-0000-7000-8000-000000000001@gatepass.example>"

POSTFIX = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces@gatepass.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="A1/mx.example"

This is a MIME-encapsulated message.

--A1/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

I'm sorry to have to inform you that your message could not be delivered.

--A1/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 4F1C2A0B
Arrival-Date: Sun, 22 Nov 2026 14:05:30 +0000 (UTC)

Final-Recipient: rfc822; anna@weber.example
Original-Recipient: rfc822;anna@weber.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.weber.example
Diagnostic-Code: smtp; 550 5.1.1 <anna@weber.example>: Recipient address
    rejected: User unknown in local recipient table

--A1/mx.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: "Acme (Gatepass)" <no-reply@gatepass.example>
To: anna@weber.example
Message-ID: {OURS}
Subject: Vendor intake for Acme
Content-Type: text/plain

secret link
--A1/mx.example--
"""

EXCHANGE = f"""\
From: <postmaster@contoso.example>
To: <bounces@gatepass.example>
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="f8e2_contoso"
Content-Language: en-US
Message-ID: <reply-1@contoso.example>
In-Reply-To: {OURS}
References: {OURS}
Subject: Undeliverable: Vendor intake for Acme

--f8e2_contoso
Content-Type: multipart/alternative; differences=Content-Type; boundary="b2"

--b2
Content-Type: text/plain; charset="us-ascii"

Delivery has failed to these recipients or groups.

--b2--
--f8e2_contoso
Content-Type: message/delivery-status

Reporting-MTA: dns;DB7PR01.contoso.example
Received-From-MTA: dns;mx.gatepass.example
Arrival-Date: Sun, 22 Nov 2026 14:05:30 +0000

Final-Recipient: rfc822;anna@contoso.example
Action: failed (no forwarding)
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found
X-Display-Name: Anna

--f8e2_contoso--
"""

GMAIL = f"""\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>
To: bounces@gatepass.example
Subject: Delivery Status Notification (Delay)
References: {OURS}
X-Failed-Recipients: anna@gmail.example
Content-Type: multipart/report; boundary="0000000000"; report-type=delivery-status

--0000000000
Content-Type: multipart/related; boundary="11"

--11
Content-Type: text/plain; charset="UTF-8"

There was a temporary problem.

--11--
--0000000000
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.example
Arrival-Date: Sun, 22 Nov 2026 06:05:30 -0800 (PST)
X-Original-Message-ID: {OURS}

Final-Recipient: rfc822; anna@gmail.example
Action: delayed
Status: 4.2.2
Diagnostic-Code: smtp; 452-4.2.2 The email account that you tried to reach is over quota.
Will-Retry-Until: Tue, 24 Nov 2026 06:05:30 -0800 (PST)

--0000000000--
"""

AMAZON_SES = f"""\
From: MAILER-DAEMON@amazonses.example
To: bounces@gatepass.example
Subject: Delivery Status Notification (Failure)
Content-Type: multipart/report; boundary="P1"; report-type=delivery-status

--P1
Content-Type: text/plain; charset=us-ascii

An error occurred while trying to deliver the mail.

--P1
Content-Type: message/delivery-status

Reporting-MTA: dns; a8-31.smtp-out.amazonses.example

Action: failed
Final-Recipient: rfc822; anna@weber.example
Diagnostic-Code: smtp; 550 5.7.1 Message rejected
Status: 5.7.1

--P1
Content-Type: text/rfc822-headers

Received: from x
From: no-reply@gatepass.example
Message-ID: <0100019-replaced@email.amazonses.example>
X-Entity-Ref-ID: {OURS}
Subject: Vendor intake for Acme

--P1--
"""


def read(text: str) -> DeliveryReport:
    report = read_report(text.replace("\n", "\r\n").encode())
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("source", "recipient", "action", "status", "diagnostic"),
    [
        (
            POSTFIX,
            "anna@weber.example",
            "failed",
            "5.1.1",
            "550 5.1.1 <anna@weber.example>: Recipient address rejected: "
            "User unknown in local recipient table",
        ),
        (
            EXCHANGE,
            "anna@contoso.example",
            "failed",
            "5.1.10",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
        ),
        (
            GMAIL,
            "anna@gmail.example",
            "delayed",
            "4.2.2",
            "452-4.2.2 The email account that you tried to reach is over quota.",
        ),
        (AMAZON_SES, "anna@weber.example", "failed", "5.7.1", "550 5.7.1 Message rejected"),
    ],
    ids=["postfix", "exchange", "gmail", "amazon"],
)
def test_reports_of_known_servers(
    source: str, recipient: str, action: str, status: str, diagnostic: str
) -> None:
    """PS-37."""
    expected = DeliveryReport(OURS, recipient, ReportedAction(action), status, diagnostic)
    assert read(source) == expected
    assert read_report(source.encode()) == expected
    assert read(source).is_bounce is (action == "failed")


def test_the_recipient_that_failed_is_told() -> None:
    delivered = "Final-Recipient: rfc822; a@b.example\nAction: delivered\nStatus: 2.0.0\n\nFinal-"
    report = read(POSTFIX.replace("Final-", delivered, 1))
    assert (report.recipient, report.action) == ("anna@weber.example", ReportedAction.FAILED)


def status_part(source: str) -> tuple[str, str, str]:
    """A report up to its fields, the fields, and what follows them."""
    head, tail = source.split("Reporting-MTA", 1)
    fields, mark, rest = tail.partition("\n--")
    return head, f"Reporting-MTA{fields}", f"{mark}{rest}"


def test_a_report_in_utf_8_is_read() -> None:
    """RFC 6533."""
    head, fields, rest = status_part(POSTFIX)
    head = head.replace("message/delivery-status", "message/global-delivery-status")
    assert read(f"{head}{fields}{rest}") == read(POSTFIX)


def test_an_encoded_status_part_is_read() -> None:
    head, fields, rest = status_part(EXCHANGE)
    head = f"{head.rstrip()}\nContent-Transfer-Encoding: base64\n\n"
    encoded = encodebytes(fields.encode()).decode()
    assert read(f"{head}{encoded}{rest}") == read(EXCHANGE)


def test_a_diagnostic_is_one_line_of_a_bearable_length() -> None:
    report = read(POSTFIX.replace("User unknown", "x\x07 " + "long " * 200))
    assert len(report.diagnostic) == 300
    assert report.diagnostic.isprintable()


def test_a_report_without_the_mail_still_tells_the_recipient() -> None:
    report = read(EXCHANGE.replace(OURS, ""))
    assert report.message_id is None
    assert report.recipient == "anna@contoso.example"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 100,
        b"Subject: hello\n\nOut of office until Monday",
        b"Content-Type: message/delivery-status\n\nAction\n\n",
        b"Content-Type: multipart/report; boundary=\n\n--\n",
        b'Content-Type: multipart/report; boundary="x"\n\n--x\n' * 50,
        POSTFIX.replace("Action: failed", "Action: exploded").encode(),
        POSTFIX.replace("Action: failed", "Action:").encode(),
        POSTFIX.encode() + b"x" * 1024 * 1024,
    ],
)
def test_what_is_no_report_is_none(raw: bytes) -> None:
    assert read_report(raw) is None


def test_junk_never_raises() -> None:
    dice = random.Random(7)
    for source in (POSTFIX, EXCHANGE, GMAIL, AMAZON_SES):
        for _ in range(150):
            raw = bytearray(source.encode())
            for _ in range(dice.randrange(1, 40)):
                raw[dice.randrange(len(raw))] = dice.randrange(256)
            cut = dice.randrange(len(raw))
            read_report(bytes(raw[:cut]) if dice.random() < 0.5 else bytes(raw))
