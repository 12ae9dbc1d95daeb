"""What became of asking a signer, by the facts of its public session."""

from datetime import UTC, datetime

import pytest

from domain.agreement_signer import Asking, SignerState, signer_state
from domain.mail import MailState
from domain.public_session import EndReason

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
OPEN = Asking(None, MailState.SENT)


def over(reason: EndReason) -> Asking:
    return Asking(reason, MailState.BOUNCED)


@pytest.mark.parametrize(
    ("asking", "opened_at", "signed_at", "state"),
    [
        (None, None, None, SignerState.WAITING),
        (OPEN, None, None, SignerState.ASKED),
        (Asking(None, MailState.QUEUED), None, None, SignerState.ASKED),
        (Asking(None, MailState.REFUSED), None, None, SignerState.MAIL_REFUSED),
        (Asking(None, MailState.BOUNCED), None, None, SignerState.MAIL_BOUNCED),
        (Asking(None, MailState.BOUNCED), AT, None, SignerState.OPENED),
        (over(EndReason.DECLINED), AT, None, SignerState.DECLINED),
        (over(EndReason.BOUND_REACHED), AT, None, SignerState.EXPIRED),
        (over(EndReason.REVOKED), None, None, SignerState.REVOKED),
        (over(EndReason.REISSUED), None, None, SignerState.REVOKED),
        (over(EndReason.COMPLETED), AT, AT, SignerState.SIGNED),
        (over(EndReason.REVOKED), AT, AT, SignerState.SIGNED),
    ],
)
def test_a_signers_state_is_the_one_that_decides(
    asking: Asking | None,
    opened_at: datetime | None,
    signed_at: datetime | None,
    state: SignerState,
) -> None:
    assert signer_state(asking, opened_at, signed_at) == state
