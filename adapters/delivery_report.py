"""Reads what mail servers report about a mail they took over and could not deliver (RFC 3464).

Anybody can send a report: it may only mark a mail as bounced, never decide about access.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from enum import StrEnum

LONGEST_DIAGNOSTIC = 300
LARGEST_REPORT = 128 * 1024
"""Bytes; more than this is no report that anybody would read."""
ORIGINAL_ID = ("X-Entity-Ref-ID", "Message-ID")
"""Of the mail that came back: ours first, because some relays replace the Message-ID."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


class ReportedAction(StrEnum):
    """What became of the mail, in the words of RFC 3464 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a server reports of one mail and recipient.

    `message_id` is the reported mail's in angle brackets, as far as the report names it; `status`
    is an enhanced status such as "5.1.1"; `diagnostic` is one line of at most 300 characters.
    """

    message_id: str | None
    recipient: str | None
    action: ReportedAction
    status: str | None
    diagnostic: str

    @property
    def is_bounce(self) -> bool:
        """Whether the mail will not arrive any more."""
        return self.action is ReportedAction.FAILED


def read_report(raw: bytes) -> DeliveryReport | None:
    """The report in a received mail, or None when it is none or cannot be understood.

    Of several recipients the first that failed is told. Never raises, whatever it is given.
    """
    if len(raw) > LARGEST_REPORT:
        return None
    try:
        message = message_from_bytes(raw, policy=compat32)
        return _read(message)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # The parser of the standard library fails in these ways on hostile or broken mails.
        return None


def _read(message: Message) -> DeliveryReport | None:
    parts = list(message.walk())
    recipients = [
        fields
        for part in parts
        if part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}
        for fields in _blocks(part)
        if "action" in fields
    ]
    if not recipients:
        return None
    told = next((each for each in recipients if _action(each) == "failed"), recipients[0])
    return DeliveryReport(
        message_id=_original_id(message, parts),
        recipient=_recipient(told),
        action=ReportedAction(_action(told)),
        status=_found(_STATUS, told.get("status", "")),
        diagnostic=_one_line(told.get("diagnostic-code", "")),
    )


def _blocks(part: Message) -> Iterator[Mapping[str, str]]:
    """The groups of fields of a delivery-status part, which parsers take for nested messages."""
    payload = part.get_payload()
    nested = payload if isinstance(payload, list) else [payload]
    text = "\n\n".join(str(each) for each in nested)
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        text = b64decode(text).decode("utf-8", "replace")
    for block in re.split(r"\r?\n(?:[ \t]*\r?\n)+", text.strip()):
        yield _fields(HeaderParser().parsestr(block))


def _fields(block: Message) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in block.items()}


def _action(fields: Mapping[str, str]) -> str:
    """The action without the comments some servers add: "failed (permanently)"."""
    words = fields["action"].replace("(", " ").split()
    return words[0].lower() if words else ""


def _recipient(fields: Mapping[str, str]) -> str | None:
    """The address we wrote to, not the one it was forwarded to: "rfc822; anna@x.example"."""
    named = fields.get("original-recipient") or fields.get("final-recipient") or ""
    return named.rpartition(";")[2].strip().strip("<>") or None


def _original_id(message: Message, parts: list[Message]) -> str | None:
    """The reported mail's id, from the headers that came back or from what the report answers."""
    for headers in _returned(message, parts):
        for name in ORIGINAL_ID:
            found = _found(_MESSAGE_ID, str(headers.get(name, "")))
            if found:
                return found
    answered = f"{message.get('In-Reply-To', '')} {message.get('References', '')}"
    return _found(_MESSAGE_ID, answered)


def _returned(message: Message, parts: list[Message]) -> Iterator[Message]:
    """The mail that came back, whole or its headers only, also where it was sent as plain text."""
    for part in parts:
        kind = part.get_content_type()
        payload = part.get_payload()
        if kind == "message/rfc822" and isinstance(payload, list):
            yield from (each for each in payload if isinstance(each, Message))
        elif kind in {"text/rfc822-headers", "message/rfc822-headers"} and part is not message:
            decoded = part.get_payload(decode=True)
            text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
            yield HeaderParser().parsestr(text.lstrip())


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match.group() if match else None


def _one_line(diagnostic: str) -> str:
    """ "smtp; 550 5.1.1 no such user" without the type in front, folded lines joined."""
    _, mark, said = diagnostic.partition(";")
    words = " ".join((said if mark else diagnostic).split())
    return "".join(each for each in words if each.isprintable())[:LONGEST_DIAGNOSTIC]
