"""How far one signer of an agreement has come, and what keeps it, as its publisher is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.mail import MailState
from domain.public_session import EndReason


class SignerState(StrEnum):
    """What became of asking a signer: the same word in the API and on the console's page."""

    WAITING = "waiting"
    ASKED = "asked"
    OPENED = "opened"
    SIGNED = "signed"
    DECLINED = "declined"
    EXPIRED = "expired"
    REVOKED = "revoked"
    MAIL_REFUSED = "mail_refused"
    MAIL_BOUNCED = "mail_bounced"


ENDED = frozenset({SignerState.DECLINED, SignerState.EXPIRED, SignerState.REVOKED})
"""A dead end: nothing comes of it until the signer is asked again."""
_ENDS = {
    EndReason.DECLINED: SignerState.DECLINED,
    EndReason.BOUND_REACHED: SignerState.EXPIRED,
    EndReason.REVOKED: SignerState.REVOKED,
    EndReason.REISSUED: SignerState.REVOKED,
}
_UNDELIVERED = {
    MailState.REFUSED: SignerState.MAIL_REFUSED,
    MailState.BOUNCED: SignerState.MAIL_BOUNCED,
}


@dataclass(frozen=True, slots=True)
class Asking:
    """The public session a signer was asked through: why it is over if it is, and its mail."""

    end_reason: EndReason | None
    mail_state: MailState


def signer_state(
    asking: Asking | None, opened_at: datetime | None, signed_at: datetime | None
) -> SignerState:
    """How far a signer has come; `asking` is None for one who was not asked yet.

    An end counts more than having opened it, and that more than a mail which did not arrive: it
    may have been a later one.
    """
    if signed_at is not None:
        return SignerState.SIGNED
    if asking is None:
        return SignerState.WAITING
    if asking.end_reason in _ENDS:
        return _ENDS[asking.end_reason]
    if opened_at is not None:
        return SignerState.OPENED
    return _UNDELIVERED.get(asking.mail_state, SignerState.ASKED)
