"""Public sessions as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from api.shapes.field import (
    Address,
    AnyId,
    Moment,
    OptionalRationale,
    Rationale,
    Shown,
    Wanted,
)
from domain.mail import MailKind, MailState
from domain.public_session import Advance, EndReason, PublicSession, Status
from domain.task import TaskKind, TaskState
from store.mail import MailRow
from store.public_session import PublicSessionRow, SubmissionRow, TaskRow, value_of

LONGEST_SUBJECT = 200


class NewPublicSession(Wanted):
    """Which template to issue to whom."""

    template: str = Field(description="The template's key")
    party: AnyId = Field(description="The party's id")
    subject: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=LONGEST_SUBJECT)
    ] = Field("", description="What this session is about, where the template's scope takes one")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of this session alone, by name, before the template's and the "
        "workspace's; lengths of time are seconds. They stay as they are until its end",
    )


class Revocation(Wanted):
    """Why a session ends now, and what its party is told."""

    rationale: Rationale
    message: OptionalRationale = Field("", description="Told to the party; the rationale never is")


class Reissue(Wanted):
    """Why a session is issued again (PS-34)."""

    rationale: Rationale


class Extension(Wanted):
    """The later deadline, and why."""

    expires_at: Moment
    rationale: OptionalRationale = ""


class CorrectedAddress(Wanted):
    """The address that mail should have gone to."""

    email: Address


class Progress(Shown):
    """How many tasks are completed, of how many."""

    done: int
    total: int


class TaskShape(Shown):
    """One task and, once there is one, its completion (PS-12)."""

    key: str
    kind: TaskKind
    title: str
    state: TaskState
    completed_at: datetime | None


class AdvanceShape(Shown):
    """What completing the session did to the party's lifecycle, and why not (PS-39)."""

    state: Advance
    reason: str


class PublicSessionShape(Shown):
    """A public session at the time of the answer (PS-22)."""

    id: UUID
    template: str
    template_version: int
    title: str
    party: UUID
    party_name: str
    subject: str
    status: Status
    progress: Progress
    issued_at: datetime
    started_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    mail_state: MailState
    mail_detail: str
    advance: AdvanceShape
    reissued_from: UUID | None
    erase_at: datetime | None = Field(description="When what was captured is erased by itself")
    erased_at: datetime | None = Field(description="When it was erased; nothing of it is left")
    tasks: list[TaskShape]

    @classmethod
    def of(
        cls,
        row: PublicSessionRow,
        tasks: Sequence[TaskRow],
        party_name: str,
        at: datetime,
        **others: Any,
    ) -> Self:
        """The shape of a session's rows as they stand at `at` (PS-29)."""
        value = value_of(row, tasks)
        said = _standing(row, value, at) | {
            "template": row.template_key,
            "party": row.party_id,
            "party_name": party_name,
            "progress": Progress(done=value.done, total=len(tasks)),
            "advance": AdvanceShape(state=Advance(row.advance), reason=row.advance_reason),
            "tasks": [_task(value, each) for each in tasks],
        }
        return cls.showing(row, **said | others)


def _standing(row: PublicSessionRow, value: PublicSession, at: datetime) -> dict[str, Any]:
    """Status and end by arithmetic: past its deadline a session is over, whoever has noticed."""
    reason = value.end_at(at)
    if reason is None or row.end_reason is not None:
        return {}
    return {
        "status": value.ending(reason).status,
        "end_reason": reason,
        "ended_at": row.expires_at,
    }


def _task(value: PublicSession, row: TaskRow) -> TaskShape:
    return TaskShape(
        key=row.key,
        kind=TaskKind(row.kind),
        title=row.title,
        state=value.state_of(value.task(row.key)),
        completed_at=row.completed_at,
    )


class PublicSessionDetail(PublicSessionShape):
    """A public session with what its administrators may know of it (PS-24)."""

    link_issued_at: datetime
    link_epoch: int
    visits: int = Field(description="How often the link was opened; mail scanners open links, too")
    settled_at: datetime | None
    issued_by: str
    rationale: str
    message: str
    decline_reason: str


class AlreadyOpen(Shown):
    """The party has another session of the same template open."""

    type: Literal["already_open"] = "already_open"
    public_session: UUID


class IssuedPublicSession(PublicSessionDetail):
    """A new public session, and what the caller may want to know of it."""

    warnings: list[AlreadyOpen]


class SubmissionShape(Shown):
    """What was captured for one task, and the evidence of how (PS-12, PS-13)."""

    id: UUID
    task: str
    kind: TaskKind
    attempt: int
    submitted_at: datetime
    body: dict[str, Any]
    evidence: dict[str, Any]

    @classmethod
    def of(cls, row: SubmissionRow, task: TaskRow) -> Self:
        """The shape of a row."""
        return cls.showing(row, task=task.key, kind=task.kind)


class MailShape(Shown):
    """One mail: no address, no text (PS-37)."""

    id: UUID
    kind: MailKind
    state: MailState
    detail: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None

    @classmethod
    def of(cls, row: MailRow) -> Self:
        """The shape of a row."""
        return cls.model_validate(row)
