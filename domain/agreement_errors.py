"""What is refused about agreements, and the windows in which they are signed and edited."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import DomainError
from domain.fault import Fault


@dataclass(eq=False)
class WindowHeld(DomainError):
    """Another window is open; `who` is in it, where that is somebody else (EX-9, EX-15)."""

    heard_at: datetime
    who: str = ""

    def __str__(self) -> str:
        return f"This is open {'by ' + self.who if self.who else 'in another window'}."


@dataclass(eq=False)
class WindowLost(DomainError):
    """This window may not act any more; the reason is one of `WindowEnd`."""

    reason: str

    def __str__(self) -> str:
        return f"This window is not the one that may act here ({self.reason})."


@dataclass(eq=False)
class AgreementStale(DomainError):
    """What was sent was made for another version than the present one (EX-1, EX-20)."""

    given: int
    current: int

    def __str__(self) -> str:
        return f"This was made for version {self.given}; the document is at {self.current}."


@dataclass(eq=False)
class AgreementClosed(DomainError):
    """The agreement's state does not allow this; it is one of `AgreementState`, or `signed`."""

    state: str
    verb: str

    def __str__(self) -> str:
        return f"This agreement is {self.state}: nothing to {self.verb}."


@dataclass(eq=False)
class AgreementSigned(DomainError):
    """Somebody has signed what is to be changed, which would make that signature stale (EX-1)."""

    signers: int

    def __str__(self) -> str:
        count = f"{self.signers} signer(s) have signed"
        return f"{count} this version: cancel it and send another instead."


@dataclass(eq=False)
class AgreementFaulty(DomainError):
    """An agreement cannot be saved or sent as it is; every fault is named."""

    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"This agreement has {len(self.faults)} fault(s)."


@dataclass(eq=False)
class SignerHasTurn(DomainError):
    """Signers sign one after the other, and this one's turn has not come."""

    position: int

    def __str__(self) -> str:
        return f"Signer {self.position} signs before."


@dataclass(eq=False)
class ChangesUnconfirmed(DomainError):
    """The signer has not confirmed what was changed since the version it last saw (N7)."""

    changes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{len(self.changes)} change(s) must be confirmed first."


@dataclass(eq=False)
class StepUpNeeded(DomainError):
    """Signing asks for a fresh code first (ASVS 7.5.3)."""

    def __str__(self) -> str:
        return "Enter the code that we mail you, then sign."


@dataclass(eq=False)
class TemplateReserved(DomainError):
    """The template of this key is the product's own: no author makes, changes or retires it."""

    key: str

    def __str__(self) -> str:
        return f"The key {self.key!r} is reserved: agreements are sent with this template."


@dataclass(eq=False)
class DocumentRefused(DomainError):
    """A PDF cannot be signed; the reason is a stable word, the limit one to show."""

    reason: str
    limit: str

    def __str__(self) -> str:
        return f"This document cannot be signed ({self.reason}): {self.limit}."


@dataclass(eq=False)
class NoSigningCertificate(DomainError):
    """The workspace has nothing to seal signed documents with (PS-43)."""

    def __str__(self) -> str:
        return "No signing certificate is set up: an administrator makes or imports one first."


@dataclass(eq=False)
class CertificateRefused(DomainError):
    """A signing certificate cannot be used; the reason is a stable word."""

    reason: str
    explanation: str

    def __str__(self) -> str:
        return self.explanation
