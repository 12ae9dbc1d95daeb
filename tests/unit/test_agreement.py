from datetime import UTC, datetime
from itertools import product

import pytest

from domain.agreement import (
    CANCELLABLE,
    OUT,
    TRANSITIONS,
    Agreement,
    AgreementState,
    NextStep,
    Pinned,
    Signer,
)
from domain.agreement_errors import (
    AgreementClosed,
    AgreementFaulty,
    AgreementSigned,
    AgreementStale,
    CertificateRefused,
    ChangesUnconfirmed,
    NoSigningCertificate,
    SignerHasTurn,
    StepUpNeeded,
    WindowHeld,
    WindowLost,
)
from domain.fault import Fault

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = Pinned(2, "two")
ENDED = tuple(each for each in AgreementState if each not in CANCELLABLE)


def agreement(
    state: AgreementState = AgreementState.SENT,
    *,
    signed: tuple[int, ...] = (),
    invited: tuple[int, ...] = (),
    ordered: bool = True,
) -> Agreement:
    signers = tuple(
        Signer(each, each in invited, AT if each in signed else None) for each in (1, 2)
    )
    return Agreement(state, NOW, ordered, signers)


def test_the_states_and_their_order() -> None:
    # EX-23
    reached = {AgreementState.DRAFT}
    for _ in AgreementState:
        reached |= {new for old, new in TRANSITIONS if old in reached}
    assert reached == set(AgreementState)
    assert not [old for old, _ in TRANSITIONS if old in ENDED]


@pytest.mark.parametrize("given", [Pinned(1, "one"), Pinned(2, "one"), Pinned(3, "two")])
def test_a_write_for_another_version_or_content_is_refused(given: Pinned) -> None:
    # EX-1, EX-20
    for refusal in (
        agreement().refuses_version(given),
        agreement().refuses_signing(1, given),
    ):
        assert isinstance(refusal, AgreementStale)
        assert (refusal.given, refusal.current) == (given.version, 2)
        assert "version" in str(refusal)
    assert agreement().refuses_version(NOW) is None


def test_signers_sign_in_their_order() -> None:
    refusal = agreement().refuses_signing(2, NOW)
    assert isinstance(refusal, SignerHasTurn)
    assert (refusal.position, str(refusal)) == (1, "Signer 1 signs before.")
    assert agreement().refuses_signing(1, NOW) is None
    assert agreement(ordered=False).refuses_signing(2, NOW) is None
    assert agreement(signed=(1,)).refuses_signing(2, NOW) is None


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("given", [NOW, Pinned(1, "one")])
def test_a_signer_signs_once(given: Pinned, *, ordered: bool) -> None:
    # EX-1: a second signature would overwrite the values, the evidence and the time of the first.
    refusal = agreement(signed=(1,), ordered=ordered).refuses_signing(1, given)
    assert isinstance(refusal, AgreementClosed)
    assert (refusal.state, refusal.verb) == ("signed", "sign")
    assert agreement(signed=(1,), ordered=ordered).refuses_signing(2, NOW) is None


@pytest.mark.parametrize("state", AgreementState)
def test_what_each_state_allows(state: AgreementState) -> None:
    # EX-23
    one = agreement(state)
    assert (one.refuses_signing(1, NOW) is None) == (state in OUT)
    assert (one.refuses_edit() is None) == (state in CANCELLABLE)
    assert (one.refuses_cancel() is None) == (state in CANCELLABLE)
    assert (one.refuses_send() is None) == (state == AgreementState.DRAFT)
    assert one.opened().state == (AgreementState.ACTIVE if state == AgreementState.SENT else state)


def test_nothing_is_changed_under_a_signature() -> None:
    # EX-1
    refusal = agreement(AgreementState.ACTIVE, signed=(1,)).refuses_edit()
    assert isinstance(refusal, AgreementSigned)
    assert "1 signer(s)" in str(refusal)


def test_what_all_have_signed_is_not_cancelled_while_it_is_sealed() -> None:
    refusal = agreement(AgreementState.ACTIVE, signed=(1, 2)).refuses_cancel()
    assert isinstance(refusal, AgreementClosed)
    assert str(refusal) == "This agreement is active: nothing to cancel."


def test_signatures_end_it() -> None:
    one = agreement().signed_by(1, AT)
    assert (one.state, one.is_signed) == (AgreementState.ACTIVE, False)
    assert one.signed_by(2, AT).is_signed
    assert not Agreement(AgreementState.ACTIVE, NOW, True, ()).is_signed


@pytest.mark.parametrize(
    ("one", "positions"),
    [
        (agreement(), [1]),
        (agreement(invited=(1,)), []),
        (agreement(invited=(1,), signed=(1,)), [2]),
        (agreement(ordered=False), [1, 2]),
        (agreement(ordered=False, invited=(1,)), [2]),
        (agreement(AgreementState.DRAFT), []),
        (agreement(AgreementState.CANCELLED), []),
    ],
)
def test_whose_turn_it_is(one: Agreement, positions: list[int]) -> None:
    assert [each.position for each in one.to_invite] == positions


@pytest.mark.parametrize(
    ("state", "signed", "is_sealed"),
    list(product(AgreementState, ((), (1, 2)), (False, True))),
)
def test_what_its_workflow_does_next(
    state: AgreementState, signed: tuple[int, ...], is_sealed: bool
) -> None:
    # N3: what all have signed is sealed and finished, never left.
    step = agreement(state, signed=signed).next_step(is_sealed=is_sealed)
    if state not in OUT:
        assert step == NextStep.OVER
    elif not signed:
        assert step == NextStep.WAIT
    else:
        assert step == (NextStep.FINISH if is_sealed else NextStep.SEAL)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (WindowHeld(AT, "Anna"), "by Anna"),
        (WindowLost("inactive"), "inactive"),
        (AgreementFaulty((Fault("/title", "is missing"),)), "1 fault"),
        (ChangesUnconfirmed(("page-1",)), "1 change"),
        (StepUpNeeded(), "code"),
        (NoSigningCertificate(), "certificate"),
        (CertificateRefused("expired", "It has expired."), "expired"),
    ],
)
def test_refusals_say_what_to_do(error: Exception, words: str) -> None:
    assert words in str(error)
