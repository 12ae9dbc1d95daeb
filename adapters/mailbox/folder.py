"""Received mails as files: one `.eml` each, named so that names sort by arrival."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

_SENDER, _RECIPIENT = "X-MailFrom", "X-RcptTo"


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One received mail: `to` are the envelope's recipients, `sent_at` is RFC 3339 in UTC."""

    id: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: str

    def as_json(self) -> dict[str, object]:
        """The mail as `/messages.json` shows it: `to` as one string, comma separated."""
        return {**asdict(self), "to": ", ".join(self.to)}


@dataclass(frozen=True, slots=True)
class MailFolder:
    """The mails in one folder of the disk."""

    path: Path

    def keep(self, content: bytes, sender: str, recipients: Sequence[str], at: datetime) -> str:
        """Keep a mail with its envelope; returns its id once it is whole in the folder."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        mail_id = f"{at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        unfinished = self.path / f"{mail_id}.part"
        unfinished.write_bytes(_envelope(sender, recipients) + content)
        unfinished.rename(self.path / f"{mail_id}.eml")
        return mail_id

    def mails(self, to: str | None = None) -> list[ReceivedMail]:
        """The mails, newest first; only those to the address `to` when it is given."""
        found = (_read(path) for path in sorted(self.path.glob("*.eml"), reverse=True))
        return [mail for mail in found if to is None or _same(to, mail.to)]

    def message(self, mail_id: str) -> EmailMessage:
        """One mail with all its headers; raises `KeyError` when there is none of that id."""
        path = self.path / f"{mail_id}.eml"
        if path.parent != self.path or not path.is_file():
            raise KeyError(mail_id)
        return _parse(path)

    def mail(self, mail_id: str) -> ReceivedMail:
        """One mail; raises `KeyError` when there is none of that id."""
        return _received(mail_id, self.message(mail_id))

    def clear(self) -> None:
        """Delete every mail."""
        for path in self.path.glob("*.eml"):
            path.unlink(missing_ok=True)


def _envelope(sender: str, recipients: Sequence[str]) -> bytes:
    lines = [f"{_SENDER}: {sender}", *(f"{_RECIPIENT}: {each}" for each in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _same(wanted: str, recipients: Sequence[str]) -> bool:
    return wanted.casefold() in {each.casefold() for each in recipients}


def _read(path: Path) -> ReceivedMail:
    return _received(path.stem, _parse(path))


def _parse(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes; for the types
    return message


def _received(mail_id: str, message: EmailMessage) -> ReceivedMail:
    return ReceivedMail(
        id=mail_id,
        to=tuple(str(each) for each in message.get_all(_RECIPIENT, [])),
        subject=str(message.get("Subject", "")),
        text=part_of(message, "plain"),
        html=part_of(message, "html"),
        sent_at=_sent_at(mail_id, message).isoformat().replace("+00:00", "Z"),
    )


def part_of(message: EmailMessage, kind: str) -> str:
    """The text of the `plain` or `html` part, empty when there is none."""
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""


def headers_of(message: EmailMessage) -> Iterator[tuple[str, str]]:
    """The mail's own headers, without the envelope kept in front of them."""
    for name, value in message.items():
        if name not in {_SENDER, _RECIPIENT}:
            yield name, str(value)


def _sent_at(mail_id: str, message: EmailMessage) -> datetime:
    """When it says it was sent; when it arrived if it does not say, or nonsense."""
    arrived_at = datetime.strptime(mail_id.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    stated = message.get("Date")
    try:
        sent_at = parsedate_to_datetime(str(stated)) if stated else arrived_at
    except ValueError:
        return arrived_at
    return sent_at.astimezone(UTC) if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
