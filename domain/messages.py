"""What workflows are started with and told: ids, facts and times, never captured content.

Fields are only ever added, with a default; a running session may have been started by an older
release.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PublicSessionStart:
    """Starts `PublicSession`: its row's id, deadline, reminder times and task keys."""

    session_id: str
    expires_at: datetime
    reminders: tuple[datetime, ...]
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """A task was completed; `last` says that the session is completed with it."""

    fact_id: str
    task: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A browser was bound, the first one or another; `idle_at` is when its silence would end it."""

    fact_id: str
    fence: int
    idle_at: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """An end by an administrator; without a fact behind it, an operator's order."""

    fact_id: str = ""
    reissued: bool = False


@dataclass(frozen=True, slots=True)
class Declined:
    """The party declined."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class DeadlineMoved:
    """A later deadline; `move` counts the moves of this session."""

    fact_id: str
    move: int
    expires_at: datetime
    reminders: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class PublicSessionOutcome:
    """What `PublicSession` ends with: the end reason and what became of the advance."""

    end_reason: str
    advance: str


@dataclass(frozen=True, slots=True)
class SigningSessionStart:
    """Starts `SigningSession`: its row's id, its first fence, and when to look at it."""

    signing_id: str
    fence: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class SigningTakenOver:
    """A window was opened, the first one or another; `due_at` is when its silence would end it."""

    fact_id: str
    fence: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class SigningLeft:
    """The holder closed its window; the next one is asked nothing."""

    fact_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class SigningMoment:
    """Asks about one signing session at one time of the workflow's clock."""

    signing_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SigningChecked:
    """What the row says: its fence, and when to look again; None once the session is over."""

    fence: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningOutcome:
    """What `SigningSession` ends with: how often the place changed hands."""

    fence: int


@dataclass(frozen=True, slots=True)
class AgreementStart:
    """Starts `Agreement`: its row's id."""

    agreement_id: str


@dataclass(frozen=True, slots=True)
class AgreementNews:
    """Something happened to an agreement: a signature, a refusal, a change, the cancellation."""

    fact_id: str
    signer: int = 0


@dataclass(frozen=True, slots=True)
class AgreementMoment:
    """Asks an activity about one agreement at one time of the workflow's clock."""

    agreement_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AgreementStep:
    """What comes next, one of `domain.agreement.NextStep`."""

    step: str


@dataclass(frozen=True, slots=True)
class AgreementOutcome:
    """What `Agreement` ends with: its state."""

    state: str


@dataclass(frozen=True, slots=True)
class MailStart:
    """Starts `Mail`: its row's id."""

    mail_id: str


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """What `Mail` ends with: the mail's state."""

    state: str


@dataclass(frozen=True, slots=True)
class SessionMoment:
    """Asks an activity about one session at one time of the workflow's clock."""

    session_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """Asks for a reminder; `slot` is the moment it was planned for and makes it one."""

    session_id: str
    slot: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class BoundChecked:
    """What the row says at the bound: the end reason, or the deadline that it has now."""

    end_reason: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IdleChecked:
    """What the row says of the bound browser: its fence, and when to look again, if ever."""

    fence: int
    idle_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailAttempt:
    """Asks for one attempt at handing a mail over."""

    mail_id: str
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class MailTried:
    """What an attempt came to: the mail's state, and when to try again while it is queued."""

    state: str
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HousekeepingStart:
    """Starts `Housekeeping`. Its schedule gives it nothing, which no key is needed to read."""


@dataclass(frozen=True, slots=True)
class HousekeepingPlan:
    """The steps of a run, in order: runs under way keep theirs when a release adds one."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SweepDue:
    """Asks for one step of housekeeping; `cursor` is where the run before stopped."""

    at: datetime
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class UploadCheckStart:
    """Starts `UploadCheck`: its row's id."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadCheckDue:
    """Asks for one uploaded file to be checked for viruses."""

    upload_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UploadChecked:
    """What a check came to: the file's state; empty for a file that is gone."""

    state: str
