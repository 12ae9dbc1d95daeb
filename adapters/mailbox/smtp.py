"""The SMTP side: takes everybody's mail, and plays a bad recipient when asked to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.mailbox.folder import MailFolder

HOSTNAME = "mailbox.localhost"
LARGEST_MAIL = 32 * 1024 * 1024


# No slots: aiosmtpd looks at every member, and before Python 3.11.3 a dataclass with slots has one
# that cannot be looked at (CPython issue 102069).
@dataclass(frozen=True)
class Postbox:
    """What aiosmtpd calls for each command of a talk.

    `bounce(content, sender, recipient)` is told of each mail that could "not be delivered".
    """

    folder: MailFolder
    bounce: Callable[[bytes, str, str], None]
    deferred: set[str] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Refuse `refused…`, take everybody else."""
        if _plays("refused", address):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail; defer the first try of each to `later…`; report those to `bounced…`."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        if self._defers(content, envelope.rcpt_tos):
            return "451 4.7.1 Try again later"
        sender = envelope.mail_from or ""
        self.folder.keep(content, sender, envelope.rcpt_tos, datetime.now(UTC))
        for address in envelope.rcpt_tos:
            if _plays("bounced", address):
                self.bounce(content, sender, address)
        return "250 2.0.0 Kept"

    def _defers(self, content: bytes, recipients: list[str]) -> bool:
        if not any(_plays("later", address) for address in recipients):
            return False
        message_id = str(message_from_bytes(content, policy=policy.default).get("Message-ID", ""))
        first_try = message_id not in self.deferred
        self.deferred.add(message_id)
        return first_try


def smtp_protocol(postbox: Postbox) -> SMTP:
    """One talk's protocol, for `loop.create_server`."""
    return SMTP(
        postbox,
        hostname=HOSTNAME,
        enable_SMTPUTF8=True,
        data_size_limit=LARGEST_MAIL,
        ident="ESMTP",
    )


def _plays(part: str, address: str) -> bool:
    return address.partition("@")[0].casefold().startswith(part)
