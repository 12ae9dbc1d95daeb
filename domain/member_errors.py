"""What is refused to members, and to whoever wants to be one: a branch of the one tree."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.errors import DomainError
from domain.fault import Fault
from domain.federation import FederatedFault
from domain.mail_content import MailFault


@dataclass(eq=False)
class PermissionDenied(DomainError):
    """The member's role does not allow this (PS-41, EE-16)."""

    permission: str

    def __str__(self) -> str:
        return f"This needs the permission {self.permission!r}."


@dataclass(eq=False)
class MemberInvalid(DomainError):
    """A member cannot be saved; every fault is named."""

    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"This member has {len(self.faults)} fault(s)."


@dataclass(eq=False)
class MemberExists(DomainError):
    """Somebody with this address is a member already."""

    def __str__(self) -> str:
        return "Somebody with this address is a member already."


@dataclass(eq=False)
class LastAdministrator(DomainError):
    """Without this one the workspace would have no administrator."""

    def __str__(self) -> str:
        return "This is the only administrator; make somebody else one first."


@dataclass(eq=False)
class SignInRefused(DomainError):
    """Nobody was signed in. It is the same for strangers, wrong passwords and locked accounts."""

    def __str__(self) -> str:
        return (
            "The address or the password is not right, or signing in is locked for a while"
            " because of too many attempts."
        )


@dataclass(eq=False)
class SessionLimitReached(DomainError):
    """The password was right, and the member is signed in as often as allowed (SH-5)."""

    limit: int
    step: str

    def __str__(self) -> str:
        return f"You are signed in {self.limit} times already, which is the limit."


@dataclass(eq=False)
class SomebodyElseSignedIn(DomainError):
    """The password was right, and another member is signed in on this browser (EX-4, C15)."""

    name: str
    step: str

    def __str__(self) -> str:
        return "Somebody else is signed in on this browser."


@dataclass(eq=False)
class SecondFactorAsked(DomainError):
    """The password was right, and a second factor is asked for; `enrols`: it must be set up first.

    `step` is the secret with which this browser goes on, "" for a program.
    """

    step: str
    enrols: bool

    def __str__(self) -> str:
        if self.enrols:
            return "A second factor must be set up first, on the pages of the workspace."
        return "A code of the second factor is asked for."


@dataclass(eq=False)
class TokenRefused(DomainError):
    """A refresh token was never given out, was used before, or its session is over (SH-10)."""

    def __str__(self) -> str:
        return "This refresh token can no longer be used; sign in again."


@dataclass(eq=False)
class TokenLifeRefused(DomainError):
    """A token for SCIM would last longer than the workspace lets it (SH-12)."""

    days: int

    def __str__(self) -> str:
        return f"A token for SCIM may last {self.days} days at most here (token.scim)."


@dataclass(eq=False)
class SignedOut(DomainError):
    """This browser is not signed in, or not any more; `reason` is "" where none is known (N9)."""

    reason: str = ""

    def __str__(self) -> str:
        return "Please sign in."


@dataclass(eq=False)
class DelegationOver(DomainError):
    """A session acts under a grant that is over, or whose owner is no active member any more."""

    def __str__(self) -> str:
        return "You can no longer act for the other member."


@dataclass(eq=False)
class DelegationRefused(DomainError):
    """Nobody can be let act like this; the wrong fields are named."""

    fields: tuple[str, ...]

    def __str__(self) -> str:
        return "Name another active member, and a day within a year."


@dataclass(eq=False)
class LinkOver(DomainError):
    """A link was used, has expired or was replaced; the page says how to get a new one (SH-18)."""

    kind: str

    def __str__(self) -> str:
        return "This link can no longer be used."


class PasswordFault(StrEnum):
    """What is wrong with a password, for a page that says so in its own language."""

    LENGTH = "length"
    GUESSABLE = "guessable"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(eq=False)
class MailContentRefused(DomainError):
    """A mail cannot have this text; every fault is named."""

    faults: tuple[MailFault, ...]

    def __str__(self) -> str:
        return f"The mail's text has {len(self.faults)} fault(s)."


@dataclass(eq=False)
class MailContentMoved(DomainError):
    """Somebody else has changed a mail's text since it was read; nothing was written over it."""

    def __str__(self) -> str:
        return "The mail's text was changed since it was read."


@dataclass(eq=False)
class PasswordRefused(DomainError):
    """The password is not good enough, or the present one or a code is wrong.

    One message per field.
    """

    errors: dict[str, str]
    faults: dict[str, PasswordFault] = field(default_factory=dict)

    def __str__(self) -> str:
        return "; ".join(f"{name}: {words}" for name, words in self.errors.items()) + "."


@dataclass(eq=False)
class SettingRefused(DomainError):
    """A setting cannot have this value, or is not the workspace's to set; every fault is named."""

    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{len(self.faults)} setting(s) cannot be changed like this."


@dataclass(eq=False)
class ChannelDenied(DomainError):
    """The workspace is not on the release channel that this is limited to (EE-20, EE-21)."""

    denial: str

    def __str__(self) -> str:
        return f"{self.denial}. This workspace is not on the release channel for it."


@dataclass(eq=False)
class FederationInvalid(DomainError):
    """An identity provider cannot be set like this; every fault is named."""

    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"This identity provider has {len(self.faults)} fault(s)."


@dataclass(eq=False)
class FederatedRefused(DomainError):
    """The company's identity provider has not led to a session."""

    fault: FederatedFault

    def __str__(self) -> str:
        return f"Nobody was signed in by the identity provider: {self.fault}."
