"""Which mails there are, what a mail server's answer means, and when to try again (PS-37)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID


class MailKind(StrEnum):
    """Every mail; each is a folder of `email_templates/`."""

    INVITATION = "invitation"
    CODE = "code"
    SIGNING_CODE = "signing_code"
    REMINDER = "reminder"
    SIGNATURE_REQUEST = "signature_request"
    CONFIRMATION_REQUEST = "confirmation_request"
    SIGNED_COPY = "signed_copy"
    COMPLETED = "completed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ISSUER_COMPLETED = "issuer_completed"
    ISSUER_EXPIRED = "issuer_expired"
    ISSUER_DECLINED = "issuer_declined"
    ISSUER_BOUNCED = "issuer_bounced"
    ISSUER_SIGNED = "issuer_signed"
    MEMBER_INVITATION = "member_invitation"
    MEMBER_PASSWORD_RESET = "member_password_reset"  # noqa: S105 - a kind, not a secret
    MEMBER_ACCOUNT_DELETION = "member_account_deletion"
    MEMBER_PASSWORD_CHANGED = "member_password_changed"  # noqa: S105 - as above
    MEMBER_SECOND_FACTOR_CHANGED = "member_second_factor_changed"
    MEMBER_LOCKED = "member_locked"
    MEMBER_NEW_DEVICE = "member_new_device"

    @property
    def to_issuer(self) -> bool:
        """Whether the member or token owner who issued is told, not the party."""
        return self.startswith("issuer_")

    @property
    def to_member(self) -> bool:
        """Whether it is about a member's own account."""
        return self.startswith("member_")


CODES = (MailKind.CODE, MailKind.SIGNING_CODE)
"""Those that bring a code: to come in, or to sign. Limits count them together (C12)."""


AGREEMENT_REQUESTS = (MailKind.SIGNATURE_REQUEST, MailKind.CONFIRMATION_REQUEST)
"""Those that bring an agreement to somebody: to sign it, or only to read and confirm (PS-42)."""


class MailState(StrEnum):
    """How far a mail came: `queued → sent → bounced`, or `queued → refused`."""

    QUEUED = "queued"
    SENT = "sent"
    REFUSED = "refused"
    BOUNCED = "bounced"


class Verdict(StrEnum):
    """What one attempt at handing a mail over came to."""

    SENT = "sent"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """One attempt's verdict, its reason for an administrator, and the least wait before the next.

    The reason names neither code nor link nor anything of the mail's text.
    """

    verdict: Verdict
    reason: str = ""
    after: timedelta = timedelta()

    @classmethod
    def sent(cls) -> Self:
        """The server took the mail over."""
        return cls(Verdict.SENT)

    @classmethod
    def retry(cls, reason: str, after: timedelta = timedelta()) -> Self:
        """Not now; try again, `after` this long at the soonest."""
        return cls(Verdict.RETRY, reason, after)

    @classmethod
    def refused(cls, reason: str) -> Self:
        """Not ever to this address; trying again would only harm the sender's standing."""
        return cls(Verdict.REFUSED, reason)


RETRY_WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)
RETRY_EVERY = timedelta(minutes=30)
MAILBOX_FULL_WAIT = timedelta(minutes=30)

MAILBOX_FULL_CODE, MAILBOX_FULL_STATUS = 552, "5.2.2"
TOO_LARGE_STATUS = "5.3.4"
OURS_TO_MEND = frozenset({530, 534, 535, 538})
"""Refused credentials (RFC 4954): the address is not at fault, so the mail waits."""


def classify(code: int, enhanced: str | None = None) -> Verdict:
    """What an answer to a recipient or a message means (RFC 5321 4.2, RFC 3463).

    `code` is the three-digit reply, `enhanced` its status such as "5.1.1" where the server gives
    one. An answer that makes no sense is tried again.
    """
    if 200 <= code < 300:
        return Verdict.SENT
    refused = 500 <= code < 600 and code not in OURS_TO_MEND and not mailbox_full(code, enhanced)
    return Verdict.REFUSED if refused else Verdict.RETRY


def mailbox_full(code: int, enhanced: str | None) -> bool:
    """Whether the recipient has no room, which passes although servers answer it with 5xx."""
    return enhanced == MAILBOX_FULL_STATUS or (
        code == MAILBOX_FULL_CODE and enhanced != TOO_LARGE_STATUS
    )


def outcome_of(code: int, enhanced: str | None, reason: str) -> SendOutcome:
    """An answer of the server as an outcome; a full mailbox is left alone for a while."""
    verdict = classify(code, enhanced)
    if verdict is Verdict.SENT:
        return SendOutcome.sent()
    if verdict is Verdict.REFUSED:
        return SendOutcome.refused(reason)
    after = MAILBOX_FULL_WAIT if mailbox_full(code, enhanced) else timedelta()
    return SendOutcome.retry(reason, after)


def wait_before_retry(attempts: int, at_least: timedelta = timedelta()) -> timedelta:
    """The wait after `attempts` (from 1) attempts in vain, `at_least` as the outcome said."""
    planned = RETRY_WAITS[attempts - 1] if 0 < attempts <= len(RETRY_WAITS) else RETRY_EVERY
    return max(planned, at_least)


PROOF_WAITS = (timedelta(seconds=2), timedelta(seconds=20))
"""How long until a mail that waits for its receipt's proof looks again: at first, and later."""
PROOF_SOON = 30
"""So often it looks soon, for a minute: a worker at work signs in two seconds."""
PROOF_PATIENCE = timedelta(minutes=10)


def wait_for_proof(looks: int) -> timedelta:
    """The wait after `looks` (from 1) looks in vain."""
    return PROOF_WAITS[looks > PROOF_SOON]


def waits_for_proof(queued_at: datetime, at: datetime) -> bool:
    """Whether a mail still waits for its receipt's proof; after that it goes without, and says so.

    A worker signs within two seconds of a completion, so that it waits only while none works.
    """
    return at - queued_at < PROOF_PATIENCE


def is_given_up(queued_at: datetime, at: datetime, give_up_after: timedelta) -> bool:
    """Whether a mail has waited so long that it now counts as refused."""
    return at - queued_at >= give_up_after


def message_id_of(mail_id: UUID, host: str) -> str:
    """The Message-ID of a mail's row: every retry carries the same one (C14)."""
    return f"<{mail_id}@{host}>"


def mail_id_of(message_id: str) -> UUID | None:
    """The mail's row that a Message-ID belongs to, or None when it is not one of ours."""
    local = message_id.strip().strip("<>").partition("@")[0]
    try:
        return UUID(local)
    except ValueError:
        return None
