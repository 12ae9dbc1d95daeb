"""Checks a mail set-up as `gatepass mail test` reports it: the server, then what receivers look up.

Words are for administrators and in English, like every message of the command line.
"""

from datetime import UTC, datetime
from uuid import uuid4

import aiosmtplib

from adapters.finding import Finding, Level
from adapters.mail_domain import TextRecords, check_domains, domain_of, text_records
from adapters.mail_message import AddressError, Envelope, compose
from adapters.mail_rendering import RenderedMail
from adapters.smtp import MailServer, Security, SmtpSender, SmtpUrlError, client_for, server_of
from adapters.smtp_answer import fault_of, said
from domain.mail import SendOutcome, Verdict, message_id_of
from domain.settings import Settings


async def check_mail_setup(
    settings: Settings,
    recipient: str | None = None,
    *,
    dkim_selector: str | None = None,
    look_up: TextRecords = text_records,
) -> tuple[Finding, ...]:
    """Everything worth knowing about the mail settings, in the order it would be mended.

    With a `recipient` a test mail is sent there, if the server can be talked to.
    """
    try:
        server = server_of(settings.smtp_url)
    except SmtpUrlError as error:
        return (Finding(Level.ERROR, str(error), "Correct GATEPASS_SMTP_URL."),)
    talked = await _check_server(server, settings)
    reachable = all(each.level is not Level.ERROR for each in talked)
    sent = (await _send_test(settings, recipient),) if recipient and reachable else ()
    return (*talked, *sent, *await check_domains(settings, dkim_selector, look_up))


async def _check_server(server: MailServer, settings: Settings) -> tuple[Finding, ...]:
    where = f"{server.host}:{server.port}"
    client = client_for(server, settings.public_url, settings.mail_timeout.total_seconds())
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        offers_tls = client.supports_extension("starttls")
        takes_unicode = client.supports_extension("smtputf8")
        await client.quit()
    except aiosmtplib.SMTPResponseException as error:
        return (_refused(where, error),)
    except (aiosmtplib.SMTPException, OSError) as error:
        to_do = "Check host, port, firewall and the kind of TLS in GATEPASS_SMTP_URL."
        return (Finding(Level.ERROR, f"{where}: {fault_of(error)}.", to_do),)
    finally:
        client.close()
    return (
        Finding(Level.OK, f"{where} answers."),
        protection(server, offers_tls=offers_tls),
        _credentials(server),
        _unicode(takes_unicode=takes_unicode),
    )


def _refused(where: str, error: aiosmtplib.SMTPResponseException) -> Finding:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        to_do = "Correct user and password in GATEPASS_SMTP_URL; @ : / are %40 %3A %2F there."
        return Finding(Level.ERROR, f"{where} refused the credentials: {said(error)}", to_do)
    to_do = "Ask its administrator to accept mail from this machine."
    return Finding(Level.ERROR, f"{where} refused the connection: {said(error)}", to_do)


def protection(server: MailServer, *, offers_tls: bool) -> Finding:
    """Who could read mails and codes on their way to the server."""
    if server.is_loopback:
        return Finding(Level.OK, "The connection stays on this machine; no certificate is checked.")
    if server.security is not Security.NONE:
        return Finding(Level.OK, "The connection is encrypted and the certificate is valid.")
    to_do = "Use a mail server with TLS, or keep this one in a network you trust."
    if offers_tls:
        to_do = "It offers TLS: use smtp+starttls:// in GATEPASS_SMTP_URL."
    return Finding(Level.WARNING, "Mails and codes travel in clear to the mail server.", to_do)


def _credentials(server: MailServer) -> Finding:
    if server.username:
        return Finding(Level.OK, f"The credentials of {server.username} are accepted.")
    return Finding(Level.OK, "No credentials are set and none were asked for so far.")


def _unicode(*, takes_unicode: bool) -> Finding:
    if takes_unicode:
        return Finding(Level.OK, "Addresses with letters outside ASCII can be written to.")
    to_do = "Switch SMTPUTF8 on, if you have parties with such addresses."
    return Finding(Level.WARNING, "Addresses with letters outside ASCII are not taken.", to_do)


async def _send_test(settings: Settings, recipient: str) -> Finding:
    words = "This is a test mail of Gatepass. If you can read it, mail leaves and arrives."
    rendered = RenderedMail("Test mail of Gatepass", f"{words}\n", f"<p>{words}</p>", "en")
    domain = domain_of(settings.mail_from) or "localhost"
    try:
        message = compose(
            rendered,
            Envelope(
                sender=settings.mail_from,
                recipient=recipient,
                message_id=message_id_of(uuid4(), domain),
                date=datetime.now(UTC),
            ),
        )
    except AddressError as error:
        return Finding(Level.ERROR, f"No test mail was sent: {error}.", "Correct the address.")
    sender = SmtpSender(settings)
    outcome = await sender.send(message)
    await sender.close()
    return _test_finding(outcome, recipient)


def _test_finding(outcome: SendOutcome, recipient: str) -> Finding:
    match outcome.verdict:
        case Verdict.SENT:
            to_do = "See whether it arrived, and not among the spam."
            return Finding(Level.OK, f"A test mail for {recipient} was taken over.", to_do)
        case Verdict.RETRY:
            to_do = "A mail would be tried again; if this stays, see what the answer asks for."
            return Finding(Level.WARNING, f"The test mail was put off: {outcome.reason}", to_do)
        case Verdict.REFUSED:
            to_do = "See what the answer asks for."
            return Finding(Level.ERROR, f"The test mail was refused: {outcome.reason}", to_do)
