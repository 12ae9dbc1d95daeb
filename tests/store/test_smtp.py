import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from time import monotonic
from typing import Any

import pytest
from aiosmtpd import smtp as aiosmtpd
from aiosmtpd.smtp import AuthResult, LoginPassword

from adapters.mail_message import Envelope, compose
from adapters.mail_rendering import RenderedMail
from adapters.smtp import KEPT_CONNECTIONS, SmtpSender, SmtpUrlError, client_for, server_of
from domain.mail import MAILBOX_FULL_WAIT, SendOutcome, Verdict
from domain.settings import Settings

CODE, LINK = "4821 0937", "https://gatepass.test/s/abcdefghijklmnopqrstuvwxyz012345"
TEXT = f"Hello Anna,\n\n{LINK}\n\nYour code is {CODE}, type it in.\n"


@dataclass
class Inbox:
    """An aiosmtpd handler that keeps what it takes and answers as told."""

    answer: str = "250 OK"
    to_recipient: str = "250 OK"
    taken: list[Any] = field(default_factory=list)
    options: list[Any] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        return self.answer


def message(recipient: str = "anna@weber.test") -> EmailMessage:
    """A mail to Anna with a link and a code in it."""
    rendered = RenderedMail("Vendor intake", TEXT, f"<p>{LINK} {CODE}</p>", "en")
    return compose(
        rendered,
        Envelope(
            sender="Gatepass <no-reply@gatepass.test>",
            recipient=recipient,
            message_id="<0199@gatepass.test>",
            date=datetime(2026, 11, 22, 14, 5, tzinfo=UTC),
        ),
    )


def settings(port: int, *, scheme: str = "smtp", login: str = "", **changes: Any) -> Settings:
    return Settings(smtp_url=f"{scheme}://{login}127.0.0.1:{port}", **changes)


@asynccontextmanager
async def serving(protocol: Callable[[], asyncio.Protocol]) -> AsyncIterator[int]:
    """A server on a free port of this machine; yields the port."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def mail_server(inbox: Inbox, **options: Any) -> AsyncIterator[int]:
    made: list[aiosmtpd.SMTP] = []

    def accept() -> aiosmtpd.SMTP:
        made.append(aiosmtpd.SMTP(inbox, hostname="mx.test", **{"enable_SMTPUTF8": True} | options))
        return made[-1]

    async with serving(accept) as port:
        yield port
    for each in made:
        if each.transport is not None:
            each.transport.close()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(talk: Talk) -> AsyncIterator[int]:
    """A server that says what `talk` says, however rude."""
    async with AsyncExitStack() as ends:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ends.callback(writer.close)
            await talk(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ends.callback(server.close)
        yield server.sockets[0].getsockname()[1]


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, until: bytes
) -> list[bytes]:
    """Plays a polite server until a command that begins with `until`; what was said to it."""
    writer.write(b"220 mx.test\r\n")
    heard = []
    while line := await reader.readline():
        heard.append(line)
        if line.upper().startswith(until):
            return heard
        if line.upper().startswith(b"EHLO"):
            writer.write(b"250-mx.test\r\n250-DSN\r\n250 SIZE 1000000\r\n")
        elif line.upper().startswith(b"DATA"):
            writer.write(b"354 go on\r\n")
            heard.append(await reader.readuntil(b"\r\n.\r\n"))
            if until == b".":
                return heard
        else:
            writer.write(b"250 OK\r\n")
    return heard


async def send(port: int, mail: EmailMessage | None = None, **changes: Any) -> SendOutcome:
    sender = SmtpSender(settings(port, **changes))
    try:
        return await sender.send(mail or message())
    finally:
        await sender.close()


async def test_a_mail_is_handed_over_whole() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        assert await send(port) == SendOutcome.sent()
    (taken,) = inbox.taken
    assert taken.mail_from == "bounces@gatepass.localhost"
    assert taken.rcpt_tos == ["anna@weber.test"]
    assert LINK.encode() in taken.content
    assert b"Message-ID: <0199@gatepass.test>" in taken.content


@pytest.mark.parametrize(
    ("said", "verdict", "after"),
    [
        ("421 closing down", Verdict.RETRY, timedelta()),
        ("450 4.2.0 greylisted, come back", Verdict.RETRY, timedelta()),
        ("451 4.7.1 try later", Verdict.RETRY, timedelta()),
        ("550 5.1.1 no such user", Verdict.REFUSED, timedelta()),
        ("552 5.2.2 mailbox full", Verdict.RETRY, MAILBOX_FULL_WAIT),
        ("554 5.7.1 rejected", Verdict.REFUSED, timedelta()),
    ],
)
@pytest.mark.parametrize("where", ["recipient", "text"])
async def test_an_answer_is_understood(
    where: str, said: str, verdict: Verdict, after: timedelta
) -> None:
    """PS-37: at the recipient or after the text."""
    inbox = Inbox(to_recipient=said) if where == "recipient" else Inbox(answer=said)
    async with mail_server(inbox) as port:
        outcome = await send(port)
    assert outcome == SendOutcome(verdict, said, after)


async def test_a_refusal_of_the_sender_does_not_blame_the_recipient() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, until=b"MAIL")
        writer.write(b"550 5.7.1 sender not allowed\r\n")
        await reader.readline()  # RSET
        writer.write(b"250 OK\r\n")

    async with scripted(refuse) as port:
        outcome = await send(port)
    assert outcome.verdict is Verdict.RETRY
    assert outcome.reason == (
        "The mail server refused our sender address: 550 5.7.1 sender not allowed"
    )


@pytest.mark.parametrize(
    "echo",
    [
        f"550 5.7.1 spam: {LINK} is listed",
        "550 5.7.1 spam: gatepass.test/s/abcdef is listed",
        f"550 5.7.1 contains {CODE} which looks like spam",
        "550 5.7.1 contains 48210937 which looks like spam",
        "550 5.7.1 contains abcdefghijklmnopqrstuvwxyz012345",
        "550 5.7.1 rejected for: Your code is 4821 0937, type it in.",
    ],
)
async def test_what_the_server_repeats_of_the_mail_is_not_passed_on(echo: str) -> None:
    async with mail_server(Inbox(answer=echo)) as port:
        outcome = await send(port)
    assert outcome.verdict is Verdict.REFUSED
    assert outcome.reason.startswith("550 5.7.1")
    for secret in ("abcdef", "4821", "0937", "Your code is"):
        assert secret not in outcome.reason


async def test_a_stalling_server_costs_no_more_than_the_time_allowed() -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, until=b"DATA")
        await reader.read()

    async with scripted(stall) as port:
        started = monotonic()
        outcome = await send(port, mail_timeout=timedelta(seconds=0.3))
    assert outcome == SendOutcome.retry("The mail server did not answer in time")
    assert monotonic() - started < 2


@pytest.mark.parametrize("pause", [0.01, 0.1])
async def test_a_server_that_drips_is_cut_off_as_a_whole(pause: float) -> None:
    """A byte at a time: whether one answer takes too long or each is in time, the talk is not."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = b"220 mx.test is slow today\r\n"
        while said:
            for each in said:
                writer.write(bytes([each]))
                await asyncio.sleep(pause)
            heard = await reader.readline()
            said = b"250 OK, and slow as ever\r\n" if heard else b""

    async with scripted(drip) as port:
        started = monotonic()
        outcome = await send(port, mail_timeout=timedelta(seconds=0.5))
    assert outcome == SendOutcome.retry("The mail server did not answer in time")
    assert monotonic() - started < 3


async def test_a_loss_before_the_answer_is_tried_again_with_the_same_message_id() -> None:
    """C14: nobody can know whether it was taken, so the second one must be the same mail."""
    heard: list[bytes] = []

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await answer(reader, writer, until=b"."))
        writer.close()

    mail = message()
    async with scripted(drop) as port:
        outcomes = [await send(port, mail) for _ in range(2)]
    assert outcomes == [SendOutcome.retry("The mail server ended the connection")] * 2
    texts = [each for each in heard if b"Message-ID: <0199@gatepass.test>" in each]
    assert len(texts) == 2


async def test_reports_are_asked_for_without_the_text() -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await answer(reader, writer, until=b"."))
        writer.write(b"250 taken\r\n")
        await reader.readline()  # QUIT
        writer.write(b"221 bye\r\n")

    async with scripted(listen) as port:
        assert (await send(port)).verdict is Verdict.SENT
    assert any(b"RET=HDRS" in each for each in heard if each.startswith(b"MAIL"))
    assert any(b"NOTIFY=FAILURE,DELAY" in each for each in heard if each.startswith(b"RCPT"))
    assert heard[0] == b"EHLO localhost\r\n"


async def test_nobody_listening_is_tried_again() -> None:
    async with mail_server(Inbox()) as port:
        pass
    assert await send(port) == SendOutcome.retry("The mail server could not be reached")


async def test_a_greeting_that_refuses_is_tried_again() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 your network is not welcome\r\n")
        await reader.read()

    async with scripted(refuse) as port:
        outcome = await send(port)
    assert outcome.verdict is Verdict.RETRY
    assert outcome.reason.startswith("The mail server refused the connection: 554")


async def test_nonsense_is_tried_again() -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with scripted(chatter) as port:
        assert (await send(port)).verdict is Verdict.RETRY


async def test_without_starttls_nothing_is_said_in_clear() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        outcome = await send(port, scheme="smtp+starttls", login="anna:secret@")
    assert outcome.verdict is Verdict.RETRY
    assert "STARTTLS" in outcome.reason
    assert inbox.taken == []


async def test_tls_with_a_server_that_has_none_is_tried_again() -> None:
    async with mail_server(Inbox()) as port:
        outcome = await send(port, scheme="smtps", mail_timeout=timedelta(seconds=2))
    assert outcome.verdict is Verdict.RETRY
    assert outcome.reason


def accept_only(username: bytes, password: bytes) -> Callable[..., AuthResult]:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and given == LoginPassword(username, password)
        return AuthResult(success=right, handled=False)

    return check


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_credentials_are_percent_decoded() -> None:
    inbox = Inbox()
    options = {
        "authenticator": accept_only(b"anna@x", b"p:w/d"),
        "auth_require_tls": False,
        "auth_required": True,
    }
    async with mail_server(inbox, **options) as port:
        assert (await send(port, login="anna%40x:p%3Aw%2Fd@")).verdict is Verdict.SENT
        refused = await send(port, login="anna%40x:wrong@")
        unsigned = await send(port)
    assert refused.verdict is Verdict.RETRY
    assert refused.reason.startswith("The mail server refused our credentials: 535")
    assert "wrong" not in refused.reason
    assert unsigned.verdict is Verdict.RETRY
    assert len(inbox.taken) == 1


async def test_letters_outside_ascii_are_written_where_the_server_can() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        assert (await send(port, message("jürgen@müller.test"))).verdict is Verdict.SENT
    assert inbox.taken[0].rcpt_tos == ["jürgen@xn--mller-kva.test"]
    assert inbox.taken[0].smtp_utf8


async def test_letters_outside_ascii_are_refused_where_it_cannot() -> None:
    inbox = Inbox()
    async with mail_server(inbox, enable_SMTPUTF8=False) as port:
        outcome = await send(port, message("jürgen@weber.test"))
        only_domain = await send(port, message("anna@müller.test"))
    assert outcome.verdict is Verdict.REFUSED
    assert "SMTPUTF8" in outcome.reason
    assert only_domain.verdict is Verdict.SENT


async def test_connections_are_kept_and_reused() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        sender = SmtpSender(settings(port))
        for _ in range(5):
            assert (await sender.send(message())).verdict is Verdict.SENT
        assert inbox.connections == 1
        await asyncio.gather(*(sender.send(message()) for _ in range(10)))
        kept = inbox.connections
        await asyncio.gather(*(sender.send(message()) for _ in range(KEPT_CONNECTIONS)))
        assert inbox.connections == kept
        await sender.close()
    assert len(inbox.taken) == 15 + KEPT_CONNECTIONS


async def test_a_kept_connection_that_died_is_replaced() -> None:
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await answer(reader, writer, until=b".")
        writer.write(b"250 taken\r\n")
        await reader.readline()  # what comes next gets no answer
        writer.close()

    async with scripted(once) as port:
        sender = SmtpSender(settings(port))
        assert [(await sender.send(message())).verdict for _ in range(3)] == [Verdict.SENT] * 3
        await sender.close()
    assert served == 3


async def test_an_idle_connection_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.smtp.KEPT_FOR_SECONDS", 0.05)
    inbox = Inbox()
    async with mail_server(inbox) as port:
        sender = SmtpSender(settings(port))
        await sender.send(message())
        await asyncio.sleep(0.2)
        assert sender._idle == []
        await sender.send(message())
        await sender.close()
    assert inbox.connections == 2


async def test_an_address_smtp_cannot_carry_is_refused() -> None:
    mail = message()
    del mail["To"]
    mail["To"] = "anna weber <>"
    async with mail_server(Inbox()) as port:
        assert (await send(port, mail)).verdict is Verdict.REFUSED


async def test_a_failed_connection_is_not_kept() -> None:
    async with mail_server(Inbox(answer="451 later")) as port:
        sender = SmtpSender(settings(port))
        await sender.send(message())
        assert sender._idle == []


@pytest.mark.parametrize(
    ("url", "host", "port", "loopback"),
    [
        ("smtp://mail.test", "mail.test", 25, False),
        ("smtp+starttls://u:p@mail.test", "mail.test", 587, False),
        ("smtps://u:p@mail.test", "mail.test", 465, False),
        ("smtp://u:p@localhost:1025", "localhost", 1025, True),
        ("smtp://u:p@[::1]:1025", "::1", 1025, True),
    ],
)
def test_a_url_names_the_server(url: str, host: str, port: int, *, loopback: bool) -> None:
    server = server_of(url)
    assert (server.host, server.port, server.is_loopback) == (host, port, loopback)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://anna:hunter2@mail.test",
        "http://anna:hunter2@mail.test",
        "smtp://",
        "smtp://anna:hunter2@mail.test:99999",
        "mail.test",
    ],
)
def test_an_unusable_url_is_refused_without_its_password(url: str) -> None:
    """Also when the password would travel in clear."""
    with pytest.raises(SmtpUrlError) as refused:
        server_of(url)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(server_of("smtps://anna:hunter2@mail.test"))


@pytest.mark.parametrize(
    ("url", "verified", "from_the_start", "upgraded"),
    [
        ("smtp://mail.test", True, False, False),
        ("smtp+starttls://mail.test", True, False, True),
        ("smtps://mail.test", True, True, False),
        ("smtps://127.0.0.1", False, True, False),
    ],
)
def test_certificates_are_verified_except_on_this_machine(
    url: str, *, verified: bool, from_the_start: bool, upgraded: bool
) -> None:
    client = client_for(server_of(url), "https://[2001:db8::1]:8443", timeout=5)
    assert client.validate_certs is verified
    assert client.use_tls is from_the_start
    assert client._start_tls_on_connect is upgraded
    assert client.local_hostname == "[IPv6:2001:db8::1]"
