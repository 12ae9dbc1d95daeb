"""Hands mails over to the mail server and says what came of it (PS-37)."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP

from adapters.smtp_answer import outcome_of_error
from domain.mail import SendOutcome
from domain.settings import Settings

KEPT_CONNECTIONS = 2
KEPT_FOR_SECONDS = 20.0
GOODBYE_SECONDS = 2.0

# Reports of failure are wanted, without the mail's text in them (RFC 3461).
_RETURN_HEADERS = ("RET=HDRS",)
_TELL_FAILURES = ("NOTIFY=FAILURE,DELAY",)


class SmtpUrlError(ValueError):
    """`smtp.url` cannot be used; the text says why and never repeats a password."""


class Security(StrEnum):
    """How the talk with the mail server is protected; the values are the URL's schemes."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this machine, where nobody listens in."""
        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return self.host == "localhost"


def server_of(url: str) -> MailServer:
    """The mail server of a URL such as `smtps://user:pass%40word@mail.example:465`.

    Raises `SmtpUrlError`, also when credentials would travel in clear to another machine.
    """
    try:
        parts = urlsplit(url)
        security = Security(parts.scheme)
        port = parts.port or _PORTS[security]
    except ValueError as error:
        raise SmtpUrlError("smtp.url must be smtp://, smtp+starttls:// or smtps://") from error
    if not parts.hostname:
        raise SmtpUrlError("smtp.url names no host")
    username, password = (
        unquote(each) if each else None for each in (parts.username, parts.password)
    )
    server = MailServer(parts.hostname, port, security, username, password)
    if username and security is Security.NONE and not server.is_loopback:
        raise SmtpUrlError("smtp:// would send the password in clear; use smtp+starttls or smtps")
    return server


def client_for(server: MailServer, public_url: str, timeout: float) -> SMTP:
    """An unconnected client; certificates are verified except on loopback. `timeout` in seconds."""
    return SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        local_hostname=_own_name(public_url),
        timeout=timeout,
        use_tls=server.security is Security.TLS,
        start_tls=server.security is Security.STARTTLS,
        validate_certs=not server.is_loopback,
    )


class SmtpSender:
    """Sends mails, keeping up to two idle connections for the next ones."""

    def __init__(self, settings: Settings) -> None:
        """Raises `SmtpUrlError`."""
        self._server = server_of(settings.smtp_url)
        self._public_url = settings.public_url
        self._timeout = settings.mail_timeout.total_seconds()
        self._bounce_address = settings.mail_bounce_address
        self._idle: list[tuple[SMTP, asyncio.TimerHandle]] = []

    async def send(self, message: EmailMessage) -> SendOutcome:
        """Hands one mail over within `mail.timeout`; never raises for what a server may do.

        A connection lost after the text but before the answer is tried again: the same Message-ID
        lets the receiving side see that it is the same mail (C14).
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self._hand_over(message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return outcome_of_error(error, message)
        return SendOutcome.sent()

    async def close(self) -> None:
        """Says goodbye on every kept connection."""
        while self._idle:
            client, timer = self._idle.pop()
            timer.cancel()
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=GOODBYE_SECONDS)
            client.close()

    async def _hand_over(self, message: EmailMessage) -> None:
        client = await self._connected()
        reports = client.supports_extension("dsn")
        try:
            await client.send_message(
                message,
                sender=self._bounce_address,
                recipients=[each.addr_spec for each in message["To"].addresses],
                mail_options=_RETURN_HEADERS if reports else (),
                rcpt_options=_TELL_FAILURES if reports else (),
            )
        except BaseException:
            client.close()
            raise
        self._keep(client)

    async def _connected(self) -> SMTP:
        while self._idle:
            client, timer = self._idle.pop()
            timer.cancel()
            if await _is_alive(client):
                return client
        client = client_for(self._server, self._public_url, self._timeout)
        try:
            await client.connect()
            await _greet(client)
        except BaseException:
            client.close()
            raise
        return client

    def _keep(self, client: SMTP) -> None:
        if len(self._idle) >= KEPT_CONNECTIONS:
            client.close()
            return
        timer = asyncio.get_running_loop().call_later(KEPT_FOR_SECONDS, self._drop, client)
        self._idle.append((client, timer))

    def _drop(self, client: SMTP) -> None:
        self._idle = [each for each in self._idle if each[0] is not client]
        client.close()


async def _greet(client: SMTP) -> None:
    """Learns what the server can; one that knows no EHLO is greeted the old way when sending."""
    if client.is_ehlo_or_helo_needed:
        with suppress(aiosmtplib.SMTPHeloError):
            await client.ehlo()


async def _is_alive(client: SMTP) -> bool:
    """Whether a kept connection still answers; one that does not is closed."""
    try:
        await client.noop()
    except (aiosmtplib.SMTPException, OSError):
        client.close()
        return False
    return True


def _own_name(public_url: str) -> str:
    """What we call ourselves in EHLO (RFC 5321 4.1.4), without asking DNS."""
    host = urlsplit(public_url).hostname or "localhost"
    with suppress(ValueError):
        address = ip_address(host)
        return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
    return host
