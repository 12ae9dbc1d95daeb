"""What is to be said in a mail and to whom, before it has words."""

from dataclasses import dataclass

from adapters.mail_message import Attachment
from adapters.mail_rendering import MailContent
from commands.receipt import GivenReceipt


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's content for its recipient, with the receipt and the files that go with it."""

    recipient: str
    content: MailContent
    receipt: GivenReceipt | None = None
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A mail that must not be sent any more, and why."""

    reason: str
