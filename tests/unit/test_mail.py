from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.mail import (
    PROOF_PATIENCE,
    MailKind,
    SendOutcome,
    Verdict,
    classify,
    is_given_up,
    mail_id_of,
    message_id_of,
    outcome_of,
    wait_before_retry,
    wait_for_proof,
    waits_for_proof,
)

MAIL_ID = UUID("01990000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("code", "enhanced", "verdict"),
    [
        (250, "2.0.0", Verdict.SENT),
        (251, None, Verdict.SENT),
        (421, None, Verdict.RETRY),
        (451, "4.7.1", Verdict.RETRY),
        (450, None, Verdict.RETRY),
        (550, "5.1.1", Verdict.REFUSED),
        (553, None, Verdict.REFUSED),
        (554, "5.7.1", Verdict.REFUSED),
        (552, None, Verdict.RETRY),
        (552, "5.2.2", Verdict.RETRY),
        (550, "5.2.2", Verdict.RETRY),
        (552, "5.3.4", Verdict.REFUSED),
        (535, "5.7.8", Verdict.RETRY),
        (354, None, Verdict.RETRY),
        (-1, None, Verdict.RETRY),
        (600, None, Verdict.RETRY),
        (199, None, Verdict.RETRY),
    ],
)
def test_an_answer_is_classified(code: int, enhanced: str | None, verdict: Verdict) -> None:
    """PS-37: only an answer about this address or mail refuses; what may pass is tried again."""
    assert classify(code, enhanced) is verdict
    assert outcome_of(code, enhanced, "because").verdict is verdict


def test_a_full_mailbox_is_left_alone_for_a_while() -> None:
    assert outcome_of(552, None, "full") == SendOutcome.retry("full", timedelta(minutes=30))
    assert outcome_of(451, None, "greylisted") == SendOutcome.retry("greylisted")
    assert outcome_of(250, None, "ok") == SendOutcome.sent()
    assert outcome_of(550, None, "unknown") == SendOutcome.refused("unknown")


def test_waits_grow_and_then_stay() -> None:
    seconds = [wait_before_retry(attempts).total_seconds() for attempts in range(1, 8)]
    assert seconds == [5, 30, 120, 600, 1800, 1800, 1800]
    assert wait_before_retry(0) == timedelta(minutes=30)


def test_an_outcome_may_ask_for_a_longer_wait_but_not_a_shorter() -> None:
    assert wait_before_retry(1, timedelta(minutes=30)) == timedelta(minutes=30)
    assert wait_before_retry(4, timedelta(seconds=1)) == timedelta(minutes=10)


def test_a_mail_is_given_up_after_its_time() -> None:
    queued_at = datetime(2026, 11, 22, 14, tzinfo=UTC)
    day = timedelta(days=1)
    assert not is_given_up(queued_at, queued_at + day - timedelta(microseconds=1), day)
    assert is_given_up(queued_at, queued_at + day, day)


def test_a_retry_keeps_the_message_id_and_another_mail_has_another() -> None:
    """C14."""
    first = message_id_of(MAIL_ID, "gatepass.example")
    assert first == message_id_of(MAIL_ID, "gatepass.example")
    assert first != message_id_of(UUID(int=MAIL_ID.int + 1), "gatepass.example")
    assert mail_id_of(first) == MAIL_ID
    assert mail_id_of(f" {first}\n") == MAIL_ID


@pytest.mark.parametrize("other", ["", "<>", "<abc@x>", "<010001-0001@email.amazonses.com>"])
def test_a_foreign_message_id_is_nobodys(other: str) -> None:
    assert mail_id_of(other) is None


def test_issuer_mails_go_to_the_issuer() -> None:
    assert [kind for kind in MailKind if kind.to_issuer] == [
        MailKind.ISSUER_COMPLETED,
        MailKind.ISSUER_EXPIRED,
        MailKind.ISSUER_DECLINED,
        MailKind.ISSUER_BOUNCED,
        MailKind.ISSUER_SIGNED,
    ]


@pytest.mark.parametrize(("seconds", "waits"), [(0, True), (599, True), (600, False)])
def test_a_mail_waits_for_a_proof_for_ten_minutes(seconds: int, waits: bool) -> None:
    queued_at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert waits_for_proof(queued_at, queued_at + timedelta(seconds=seconds)) is waits


def test_a_proof_is_looked_for_soon_at_first() -> None:
    """So that ten minutes without a worker cost few events."""
    waits = [wait_for_proof(each) for each in range(1, 61)]
    assert waits[:30] == [timedelta(seconds=2)] * 30
    assert waits[30:] == [timedelta(seconds=20)] * 30
    assert sum(waits, timedelta()) >= PROOF_PATIENCE
