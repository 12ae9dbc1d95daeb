"""A rendered mail as a message that can be handed over: headers, parts, addresses."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import idna

from adapters.mail_rendering import RenderedMail, one_line

LONGEST_LINE = 990
"""Of a message unencoded: RFC 5322 2.1.1 allows 998."""

_PATH = re.compile(r'[\\/:*?"<>|]')
"""What a file name holds nowhere, or that would lead into another folder."""
_LOCAL = re.compile(r'[^\s@<>(),:;"\\\[\]\x00-\x1f\x7f]+')
_DOMAIN = re.compile(r"[\w.-]+")


class AddressError(ValueError):
    """A sender or recipient is no mail address; the text names which, not its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Between whom a mail goes. `sender` may be "Name <address>", the others are bare addresses.

    `on_behalf_of` is a name put before the sender's own: a party knows the workspace, not Gatepass.
    `message_id` is the same at every attempt (C14), in angle brackets.
    """

    sender: str
    recipient: str
    message_id: str
    date: datetime
    on_behalf_of: str = ""
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; `media_type` is such as "application/pdf"."""

    name: str
    media_type: str
    content: bytes


def compose(
    rendered: RenderedMail, envelope: Envelope, attachments: tuple[Attachment, ...] = ()
) -> EmailMessage:
    """The message of a mail, text before HTML, marked as sent by a machine (RFC 3834).

    Files follow the text and the HTML. There is no List-Unsubscribe: these mails are not of a list.
    Raises `AddressError`.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _sender(envelope)
    message["To"] = _address(envelope.recipient, "recipient")
    message["Subject"] = one_line(rendered.subject)
    message["Date"] = format_datetime(envelope.date)
    message["Message-ID"] = envelope.message_id
    if envelope.reply_to:
        message["Reply-To"] = _address(envelope.reply_to, "reply address")
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    # Some relays replace the Message-ID; this one comes back in their delivery reports.
    message["X-Entity-Ref-ID"] = envelope.message_id
    message.set_content(rendered.text, cte=_encoding(rendered.text))
    message.add_alternative(rendered.html, subtype="html", cte=_encoding(rendered.html))
    for each in attachments:
        _attach(message, each)
    # Last: a header about content goes with the content when a file is put beside it.
    message["Content-Language"] = rendered.language
    return message


def is_address(text: str) -> bool:
    """Whether `compose` can write to or name this address."""
    try:
        return bool(_address(text, "text"))
    except AddressError:
        return False


def ascii_domain(domain: str) -> str:
    """A domain in ASCII (RFC 5891), so that only a local part may need SMTPUTF8."""
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    main, _, sub = attachment.media_type.partition("/")
    name = _PATH.sub("-", one_line(attachment.name))
    message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=name)


def _sender(envelope: Envelope) -> Address:
    name, address = parseaddr(envelope.sender)
    shown = f"{envelope.on_behalf_of} ({name})" if envelope.on_behalf_of and name else name
    return _address(address, "sender", shown or envelope.on_behalf_of)


def _address(address: str, what: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    if not (_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise AddressError(f"the {what} is not a mail address")
    try:
        domain = ascii_domain(domain)
    except idna.IDNAError as error:
        raise AddressError(f"the {what} has an impossible domain") from error
    return Address(one_line(name), local, domain)


def _encoding(text: str) -> str:
    plain = text.isascii() and max(map(len, text.splitlines()), default=0) <= LONGEST_LINE
    return "7bit" if plain else "quoted-printable"
