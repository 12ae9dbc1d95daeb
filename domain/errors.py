"""The one tree of refusals. `api/errors.py` alone knows what each means in HTTP.

Every class is one stable reason; its fields are what a caller may act on. Nobody reads the text
to decide anything.
"""

from dataclasses import dataclass, field
from datetime import datetime

from domain.fault import Fault


class DomainError(Exception):
    """Something a rule refuses; the text is for people and names no secret."""


@dataclass(eq=False)
class NotFound(DomainError):
    """There is no such thing in this workspace; foreign and malformed ids read the same."""

    what: str = "resource"

    def __str__(self) -> str:
        return f"There is no such {self.what}."


@dataclass(eq=False)
class DefinitionFaulty(DomainError):
    """A form, document, template or lifecycle cannot be saved; every fault is named."""

    what: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"This {self.what} has {len(self.faults)} fault(s)."


@dataclass(eq=False)
class DefinitionExists(DomainError):
    """A definition with this key exists already."""

    what: str
    key: str

    def __str__(self) -> str:
        return f"A {self.what} with the key {self.key!r} exists already."


@dataclass(eq=False)
class TemplateNotIssuable(DomainError):
    """The template's status does not allow this party (PS-35)."""

    key: str
    status: str

    def __str__(self) -> str:
        if self.status == "retired":
            return f"The template {self.key!r} is retired and issues to nobody."
        return f"The template {self.key!r} is not published: it issues to test parties only."


@dataclass(eq=False)
class TemplateStateRefused(DomainError):
    """Publishing or retiring is not possible from the template's present status."""

    key: str
    status: str
    verb: str

    def __str__(self) -> str:
        return f"The template {self.key!r} is {self.status}: nothing to {self.verb}."


@dataclass(eq=False)
class ScopeRefused(DomainError):
    """The template's scope does not cover this party, state or subject (PS-39)."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class TransitionRefused(DomainError):
    """The party's lifecycle does not allow this transition from its state."""

    transition: str
    state: str

    def __str__(self) -> str:
        return f"The transition {self.transition!r} does not start from the state {self.state!r}."


@dataclass(eq=False)
class NothingToAdvance(DomainError):
    """The session has no blocked advance that could be tried again."""

    def __str__(self) -> str:
        return "This session has no blocked advance to try again."


@dataclass(eq=False)
class SessionEnded(DomainError):
    """The public session is over; the reason is one of `EndReason`."""

    end_reason: str

    def __str__(self) -> str:
        return f"This session has ended ({self.end_reason})."


@dataclass(eq=False)
class ReissueRefused(DomainError):
    """A completed session is not issued again: its outcome stands."""

    def __str__(self) -> str:
        return "This session was completed; issue the template anew instead."


@dataclass(eq=False)
class ExtensionRefused(DomainError):
    """The new deadline is not after the present one, or lies too far ahead."""

    latest: datetime

    def __str__(self) -> str:
        return f"The new deadline must be after the present one and until {self.latest:%Y-%m-%d}."


@dataclass(eq=False)
class BindingLost(DomainError):
    """This browser may not act (any more); the reason is one of `BindingEnd`, or `none`."""

    reason: str = "none"

    def __str__(self) -> str:
        return f"This browser is not the one that may act here ({self.reason})."


@dataclass(eq=False)
class TaskLocked(DomainError):
    """Tasks come in order and an earlier one is still open (PS-11)."""

    before: str

    def __str__(self) -> str:
        return f"The task {self.before!r} comes first."


@dataclass(eq=False)
class TaskDone(DomainError):
    """The task was completed before; what was captured then stands."""

    task: str
    completed_at: datetime

    def __str__(self) -> str:
        return f"The task {self.task!r} was completed already."


@dataclass(eq=False)
class AnswersRefused(DomainError):
    """What was sent for a task does not fit; one message per field, naming its limit."""

    errors: dict[str, str]
    values: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{len(self.errors)} answer(s) need attention."


@dataclass(eq=False)
class CodeWrong(DomainError):
    """The code is not the one that was mailed."""

    tries_left: int

    def __str__(self) -> str:
        return "That is not the code we mailed."


@dataclass(eq=False)
class CodeSpent(DomainError):
    """No code can be tried from this browser: expired, used or tried too often."""

    def __str__(self) -> str:
        return "This code can no longer be used; ask for a new one."


@dataclass(eq=False)
class VerificationLocked(DomainError):
    """Too many wrong codes for this party; an administrator must clear the lock."""

    def __str__(self) -> str:
        return "Too many wrong codes were entered. The sender has to unlock this."


@dataclass(eq=False)
class NoContactAddress(DomainError):
    """The party has no address that mail could be sent to (PS-37)."""

    def __str__(self) -> str:
        return "This party has no contact address."


@dataclass(eq=False)
class MailTooSoon(DomainError):
    """Another mail of this kind may be sent from `next_at` on."""

    next_at: datetime

    def __str__(self) -> str:
        return f"The next mail can be sent from {self.next_at:%H:%M:%S} UTC on."


@dataclass(eq=False)
class PartyInvalid(DomainError):
    """A party cannot be saved; every fault is named."""

    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"This party has {len(self.faults)} fault(s)."


@dataclass(eq=False)
class IdempotencyKeyReused(DomainError):
    """The Idempotency-Key was used before for another request."""

    def __str__(self) -> str:
        return "This Idempotency-Key was used for a different request."


@dataclass(eq=False)
class Unauthenticated(DomainError):
    """No valid bearer token came with the request."""

    def __str__(self) -> str:
        return "A valid bearer token is needed."


@dataclass(eq=False)
class WorkspaceExists(DomainError):
    """A workspace with this key exists already."""

    key: str

    def __str__(self) -> str:
        return f"The workspace {self.key!r} exists already."


@dataclass(eq=False)
class CursorInvalid(DomainError):
    """The `cursor` of a list was not made by this list."""

    def __str__(self) -> str:
        return "This cursor is not one of this list."


@dataclass(eq=False)
class Erased(DomainError):
    """What was captured here was erased; nothing of it can be shown or changed any more."""

    def __str__(self) -> str:
        return "This was erased."


@dataclass(eq=False)
class EpochInUse(DomainError):
    """A version of the root key cannot be destroyed: keys are still wrapped by it."""

    epoch: int
    keys: int

    def __str__(self) -> str:
        return (
            f"Epoch {self.epoch} still wraps {self.keys} keys, which must be 0; "
            "run `gatepass keyring rotate` first."
        )


@dataclass(eq=False)
class UploadWithheld(DomainError):
    """A file is not given out: its state says why (`open`, or one that is not `ready`)."""

    state: str

    def __str__(self) -> str:
        return f"This file is not given out ({self.state})."


@dataclass(eq=False)
class RangeRefused(DomainError):
    """None of the bytes asked for is in the file, which has `size` of them (RFC 9110, 14.4)."""

    size: int

    def __str__(self) -> str:
        return f"The file has {self.size} bytes, and none of those asked for."
