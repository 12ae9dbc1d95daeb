"""What a mail server's answer, or its silence, means for one mail, in words for an administrator.

The words never hold a code, a link or anything else of the mail's text, whatever a server repeats.
"""

import re
import ssl
from collections.abc import Iterator
from email.message import EmailMessage

import aiosmtplib

from domain.mail import SendOutcome, outcome_of

LONGEST_REASON = 300

_AT_FAULT_OURSELVES = {
    aiosmtplib.SMTPAuthenticationError: "The mail server refused our credentials",
    aiosmtplib.SMTPSenderRefused: "The mail server refused our sender address",
    aiosmtplib.SMTPHeloError: "The mail server refused our greeting",
    aiosmtplib.SMTPConnectResponseError: "The mail server refused the connection",
}
_NOT_UNDERSTOOD = "The mail server's answer was not understood"
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_TELLING = re.compile(r"\S*(?:/|\d[\d \u00a0-]{3,}\d|[A-Za-z0-9_-]{20})\S*")
"""Words that may be a link, a code or a token."""
_ECHO_WORDS = 4


def outcome_of_error(error: Exception, message: EmailMessage) -> SendOutcome:
    """What a failed attempt means: only an answer about the recipient or the text can refuse."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refusal, *_]):
            return _answered(refusal, message)
        case aiosmtplib.SMTPDataError():
            return _answered(error, message)
        case aiosmtplib.SMTPResponseException():
            stage = _AT_FAULT_OURSELVES.get(type(error), _NOT_UNDERSTOOD)
            return SendOutcome.retry(f"{stage}: {said(error, message)}")
        case aiosmtplib.SMTPNotSupported():
            return SendOutcome.refused("The mail server takes ASCII addresses only (no SMTPUTF8)")
        case aiosmtplib.SMTPException() | OSError():
            return SendOutcome.retry(fault_of(error))
        case _:
            return SendOutcome.refused("The address cannot be used in a mail")


def said(error: aiosmtplib.SMTPResponseException, message: EmailMessage | None = None) -> str:
    """The server's answer in one line, without anything that could be of the mail's text."""
    words = " ".join(error.message.split())
    if message is not None and any(phrase in words for phrase in _phrases(message)):
        status = _STATUS.match(words)
        words = f"{status.group() if status else ''} (it repeats the mail's text)".strip()
    return f"{error.code} {_TELLING.sub('[…]', words)}"[:LONGEST_REASON]


def fault_of(error: Exception) -> str:
    """A failure without an answer, in words."""
    match error:
        case ssl.SSLError():
            return f"TLS with the mail server failed: {error.reason or 'no reason given'}"
        case TimeoutError():
            return "The mail server did not answer in time"
        case aiosmtplib.SMTPServerDisconnected():
            return "The mail server ended the connection"
        case OSError():
            return "The mail server could not be reached"
        case _:
            return "The mail server lacks what smtp.url asks for (STARTTLS, or a way to sign in)"


def _answered(error: aiosmtplib.SMTPResponseException, message: EmailMessage) -> SendOutcome:
    status = _STATUS.match(error.message)
    return outcome_of(error.code, status and status.group(), said(error, message))


def _phrases(message: EmailMessage) -> Iterator[str]:
    """Every run of four words of the mail's text."""
    body = message.get_body(("plain",))
    words = (body.get_content() if body else "").split()
    for start in range(len(words) - _ECHO_WORDS + 1):
        yield " ".join(words[start : start + _ECHO_WORDS])
