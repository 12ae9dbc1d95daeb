from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from adapters.mail_message import AddressError, Attachment, Envelope, compose, is_address
from adapters.mail_rendering import RenderedMail

LINK = "https://gatepass.example/s/" + "x" * 90
PLAIN = RenderedMail("Vendor intake", f"Open it here:\n\n{LINK}\n", "<p>Open it</p>", "en")
UMLAUTS = RenderedMail("Prüfung", "Grüße\n", "<p>Grüße " + "ü" * 2000 + "</p>", "de")


def envelope(**changes: Any) -> Envelope:
    given: dict[str, Any] = {
        "sender": "Gatepass <no-reply@gatepass.test>",
        "recipient": "anna@weber.test",
        "message_id": "<0199@gatepass.test>",
        "date": datetime(2026, 11, 22, 14, 5, tzinfo=UTC),
    }
    return Envelope(**given | changes)


def read_back(message: EmailMessage) -> EmailMessage:
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_text_comes_before_html_and_both_arrive_whole() -> None:
    for rendered in (PLAIN, UMLAUTS):
        message = read_back(compose(rendered, envelope()))
        assert message["Subject"] == rendered.subject
        parts = list(message.iter_parts())
        assert [each.get_content_type() for each in parts] == ["text/plain", "text/html"]
        arrived = [each.get_content().replace("\r\n", "\n").rstrip() for each in parts]
        assert arrived == [rendered.text.rstrip(), rendered.html]


def test_lines_stay_within_what_mail_allows() -> None:
    for line in compose(UMLAUTS, envelope()).as_bytes().split(b"\r\n"):
        assert len(line) <= 998
        assert line.isascii()


def test_machines_are_told_that_a_machine_wrote_it() -> None:
    message = compose(PLAIN, envelope())
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == message["X-Entity-Ref-ID"] == "<0199@gatepass.test>"
    assert message["Date"] == "Sun, 22 Nov 2026 14:05:00 +0000"
    assert message["List-Unsubscribe"] is None
    assert message["Content-Language"] == "en"


def test_the_sender_shows_the_workspace() -> None:
    assert str(compose(PLAIN, envelope())["From"]) == "Gatepass <no-reply@gatepass.test>"
    shown = compose(PLAIN, envelope(on_behalf_of="Acme"))["From"]
    assert str(shown) == '"Acme (Gatepass)" <no-reply@gatepass.test>'
    bare = compose(PLAIN, envelope(sender="no-reply@gatepass.test", on_behalf_of="Acme"))["From"]
    assert str(bare) == "Acme <no-reply@gatepass.test>"


def test_names_cannot_add_headers() -> None:
    hostile = "Acme\r\nBcc: x@evil.test"
    rendered = RenderedMail(f"S\r\n{hostile}", "t", "<p>h</p>", "en")
    message = read_back(compose(rendered, envelope(on_behalf_of=hostile)))
    assert message["Bcc"] is None
    assert [each.addr_spec for each in message["From"].addresses] == ["no-reply@gatepass.test"]


def test_replies_go_where_somebody_reads() -> None:
    assert compose(PLAIN, envelope())["Reply-To"] is None
    assert compose(PLAIN, envelope(reply_to="help@acme.test"))["Reply-To"] == "help@acme.test"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("anna@straße.de", "anna@xn--strae-oqa.de"),
        ("anna@localhost", "anna@localhost"),
        ("jürgen@müller.test", "jürgen@xn--mller-kva.test"),
        ("o'neil+x@weber.test", "o'neil+x@weber.test"),
    ],
)
def test_domains_are_written_in_ascii(given: str, written: str) -> None:
    to = compose(PLAIN, envelope(recipient=given))["To"]
    assert [each.addr_spec for each in to.addresses] == [written]


@pytest.mark.parametrize(
    "given", ["", "anna", "@x.test", "a b@x.test", "a@b\r\nBcc: c@d", "a@x@y,z@q", "<a@b>", "x@-ü"]
)
def test_what_is_no_address_is_not_written_to(given: str) -> None:
    assert not is_address(given)
    assert is_address("anna@weber.test")
    with pytest.raises(AddressError, match="recipient"):
        compose(PLAIN, envelope(recipient=given))


RECEIPT = Attachment("receipt.pdf", "application/pdf", b"%PDF-1.7\n" + bytes(range(256)))


def test_files_follow_the_words_and_arrive_whole() -> None:
    proof = Attachment("receipt.json", "application/json", b"{}")
    message = read_back(compose(UMLAUTS, envelope(), (RECEIPT, proof)))
    assert message.get_content_type() == "multipart/mixed"
    assert message["Content-Language"] == "de"
    words, *files = message.iter_parts()
    assert words.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in words.iter_parts()] == ["text/plain", "text/html"]
    assert [each.get_content_type() for each in files] == ["application/pdf", "application/json"]
    assert [each.get_content() for each in files] == [RECEIPT.content, b"{}"]
    assert {each.get_content_disposition() for each in files} == {"attachment"}
    preferred = message.get_body()
    assert preferred is not None
    assert preferred.get_content_type() == "text/html"


def test_without_files_there_is_nothing_around_the_words() -> None:
    assert compose(PLAIN, envelope()).get_content_type() == "multipart/alternative"


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        ("receipt.pdf", "receipt.pdf"),
        ("Beleg für 上海.pdf", "Beleg für 上海.pdf"),
        ("../../etc/passwd", "..-..-etc-passwd"),
        ('a";\r\nBcc: x@evil.test;b=".pdf', "a-; Bcc- x@evil.test;b=-.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("ü" * 150 + ".pdf", "ü" * 150 + ".pdf"),
    ],
)
def test_a_file_name_arrives_as_it_was_or_harmless(given: str, arrives: str) -> None:
    """RFC 2231: other letters than ASCII are encoded, so that the header itself is ASCII."""
    sent = compose(PLAIN, envelope(), (Attachment(given, "application/pdf", b"x"),))
    head = next(each for each in sent.iter_attachments()).as_bytes().partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert max(len(line) for line in head.splitlines()) <= 78
    message = read_back(sent)
    assert message["Bcc"] is None
    assert [each.get_filename() for each in message.iter_attachments()] == [arrives]
