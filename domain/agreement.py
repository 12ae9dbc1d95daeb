"""An agreement: one living transaction on a document, with its signers (EX-23).

`draft → sent → active → done / cancelled`. Each update makes a version; a signature is on exactly
one, and lands only while that one is current, by its number and its hash (EX-1, EX-20).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.agreement_errors import (
    AgreementClosed,
    AgreementSigned,
    AgreementStale,
    SignerHasTurn,
)
from domain.errors import DomainError


class AgreementState(StrEnum):
    """Where an agreement stands: `active` once a signer has opened it (EX-23)."""

    DRAFT = "draft"
    SENT = "sent"
    ACTIVE = "active"
    DONE = "done"
    CANCELLED = "cancelled"


OUT = frozenset({AgreementState.SENT, AgreementState.ACTIVE})
"""With its signers."""
CANCELLABLE = frozenset({AgreementState.DRAFT}) | OUT
TRANSITIONS: frozenset[tuple[AgreementState, AgreementState]] = frozenset(
    {
        (AgreementState.DRAFT, AgreementState.SENT),
        (AgreementState.SENT, AgreementState.ACTIVE),
        (AgreementState.ACTIVE, AgreementState.DONE),
    }
    | {(old, AgreementState.CANCELLED) for old in CANCELLABLE}
)

SIGNED = "signed"
"""In a refusal's place of a state: open to others, but this signer has signed."""


def subject_of(agreement: UUID) -> str:
    """What the audit calls an agreement."""
    return f"agreement:{agreement}"


class NextStep(StrEnum):
    """What its workflow does next."""

    WAIT = "wait"
    SEAL = "seal"
    FINISH = "finish"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Pinned:
    """The version a write was made for: its number, and the hash of everything in it."""

    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Signer:
    """One signer, by position from 1; `invited` once it was asked."""

    position: int
    invited: bool = False
    signed_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has signed."""
        return self.signed_at is not None


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement as its row and its signers' rows say at this moment."""

    state: AgreementState
    current: Pinned
    ordered: bool
    signers: tuple[Signer, ...]

    def refuses_version(self, given: Pinned) -> DomainError | None:
        """Why a write made for this version is refused: there is another, or another content."""
        if given == self.current:
            return None
        return AgreementStale(given.version, self.current.version)

    def refuses_edit(self) -> DomainError | None:
        """Why its content may not be changed: over, or somebody signed it."""
        if self.state not in CANCELLABLE:
            return AgreementClosed(self.state, "change")
        signed = self._signed
        return AgreementSigned(len(signed)) if signed else None

    def refuses_send(self) -> DomainError | None:
        """Why it may not be sent."""
        return None if self.state == AgreementState.DRAFT else AgreementClosed(self.state, "send")

    def refuses_cancel(self) -> DomainError | None:
        """Why it may not be cancelled: over, or all have signed and it is being sealed."""
        if self.state not in CANCELLABLE or self.is_signed:
            return AgreementClosed(self.state, "cancel")
        return None

    def refuses_signing(self, position: int, given: Pinned) -> DomainError | None:
        """Why this signer may not sign this version now (EX-1, EX-20)."""
        if self.state not in OUT:
            return AgreementClosed(self.state, "sign")
        if refusal := self.refuses_again(position) or self.refuses_version(given):
            return refusal
        before = next((each for each in self.signers if not each.is_done), None)
        if self.ordered and before is not None and before.position < position:
            return SignerHasTurn(before.position)
        return None

    def refuses_again(self, position: int) -> DomainError | None:
        """Why this signer may not sign once more: it would overwrite what was signed (EX-1)."""
        is_done = any(each.is_done for each in self.signers if each.position == position)
        return AgreementClosed(SIGNED, "sign") if is_done else None

    def opened(self) -> "Agreement":
        """The agreement after a signer opened it."""
        is_first = self.state == AgreementState.SENT
        return replace(self, state=AgreementState.ACTIVE) if is_first else self

    def signed_by(self, position: int, at: datetime) -> "Agreement":
        """The agreement after this signer's signature."""
        signers = tuple(
            replace(each, signed_at=at) if each.position == position else each
            for each in self.signers
        )
        return replace(self.opened(), signers=signers)

    @property
    def is_signed(self) -> bool:
        """Whether all have signed, so that it can be sealed."""
        return bool(self.signers) and all(each.is_done for each in self.signers)

    def next_step(self, *, is_sealed: bool) -> NextStep:
        """What comes next once nobody has to be invited."""
        if self.state not in OUT:
            return NextStep.OVER
        if not self.is_signed:
            return NextStep.WAIT
        return NextStep.FINISH if is_sealed else NextStep.SEAL

    @property
    def _signed(self) -> Sequence[Signer]:
        return [each for each in self.signers if each.is_done]

    @property
    def to_invite(self) -> tuple[Signer, ...]:
        """The signers whose turn it is and who were not asked yet."""
        if self.state not in OUT:
            return ()
        waiting = [each for each in self.signers if not each.is_done]
        due = waiting[:1] if self.ordered else waiting
        return tuple(each for each in due if not each.invited)
