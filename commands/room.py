"""The party's room: what the bound browser may see and do (PS-27, PS-31)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from commands.binding import BINDING
from commands.capture import Captured, Posted
from commands.link import end_binding
from commands.public_session import decline, end_session
from commands.public_session_terms import idle_policy, settings_in
from commands.signing import window_policy
from commands.task_kind import TASK_KINDS
from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.errors import BindingLost, Erased, NotFound, SessionEnded
from domain.messages import TaskCompleted
from domain.party import masked
from domain.public_session import Advance, EndReason, PublicSession
from domain.submission import SALT_BYTES, submission_sha256
from domain.workflow_names import TASK_COMPLETED
from store.binding import BindingRow
from store.entry import entry_of
from store.party import PartyRow
from store.public_session import (
    PublicSessionRow,
    SubmissionRow,
    TaskRow,
    session_by_id,
    value_of,
)
from store.sealed import opened_one
from store.signing_session import touch_windows


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser at a room's door: which session, and the secret of its cookie ("" for none)."""

    session_id: UUID
    secret: str


@dataclass(frozen=True, slots=True)
class Room:
    """One session with one of its browsers in it, as it is at `at`."""

    session: PublicSessionRow
    tasks: tuple[TaskRow, ...]
    binding: BindingRow
    value: PublicSession
    at: datetime

    @property
    def actor(self) -> Actor:
        """The party, as the audit names it."""
        return Actor(ActorKind.PARTY, str(self.session.party_id))

    def task(self, key: str) -> TaskRow:
        """The task with this key; raises `NotFound`."""
        for each in self.tasks:
            if each.key == key:
                return each
        raise NotFound("task")


async def enter(work: Work, visitor: Visitor, *, lock: bool = False) -> Room:
    """The room of a browser that is, or was, bound.

    Raises `NotFound` for a session this browser never verified for: strangers learn nothing.
    """
    session = await session_by_id(work.db, visitor.session_id, lock=lock)
    if session is None or not visitor.secret:
        raise NotFound("session")
    digests = work.keyring.digests(BINDING, visitor.secret)
    binding, tasks = await entry_of(work.db, session.id, digests)
    if binding is None or binding.end_reason == BindingEnd.LINK_RENEWED:
        # A browser that came by a link since replaced must not learn the new one.
        raise NotFound("session")
    current = binding if session.binding_id == binding.id else None
    return Room(session, tasks, binding, value_of(session, tasks, current), work.at)


async def enter_to_look(work: Work, visitor: Visitor, *, lock: bool = False) -> Room:
    """The room, if this browser may act in it now; a page that asks by itself is no activity.

    Raises `NotFound`, `SessionEnded`, or `BindingLost` with the reason.
    """
    room = await enter(work, visitor, lock=lock)
    policy = idle_policy(settings_in(work, room.session))
    refusal = room.value.refuses_browser(room.binding.id, work.at, policy)
    if isinstance(refusal, BindingLost):
        raise BindingLost(lost_reason(room))
    if refusal:
        raise refusal
    return room


async def enter_to_act(work: Work, visitor: Visitor, *, lock: bool = False) -> Room:
    """As `enter_to_look`; counts as activity."""
    room = await enter_to_look(work, visitor, lock=lock)
    if work.at - room.binding.last_seen_at >= work.settings.binding_touch_interval:
        await note_active(work, room)
    return room


async def note_active(work: Work, room: Room) -> None:
    """The person did something in this browser, whatever the tab: its windows are not idle (SX-3).

    One that was silent for too long has ended before, and stays so.
    """
    room.binding.last_seen_at = work.at
    if room.session.signs:
        # Behind the browser's row, as whoever ends both locks them; and then it waits for nobody.
        await work.db.flush()
        since = work.at - window_policy(work).idle.whole
        await touch_windows(work.db, room.binding, work.at, since)


async def enter_completed(work: Work, visitor: Visitor) -> Room:
    """The room of the browser that completed the session, for what it may keep of it.

    Raises `NotFound`, which a browser meets too whose place another took; `Erased`; `SessionEnded`
    for any other end.
    """
    room = await enter(work, visitor)
    ended = room.value.end_at(work.at)
    if room.session.erased_at is not None:
        raise Erased
    if ended is None or room.session.binding_id != room.binding.id:
        raise NotFound("receipt")
    if ended != EndReason.COMPLETED:
        raise SessionEnded(ended)
    return room


def lost_reason(room: Room) -> str:
    """Why this browser may not act any more."""
    if room.binding.end_reason:
        return room.binding.end_reason
    return BindingEnd.INACTIVE if room.value.binding else BindingEnd.OPENED_ELSEWHERE


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """What a party posts for one task; times, links and who come from the room."""

    task: str
    posted: Posted


async def complete_task(work: Work, visitor: Visitor, wanted: CompleteTask) -> Room:
    """Records one task's completion: submission, audit, and what the workflow is told.

    The last task completes the session. Raises what `enter_to_act` raises, `NotFound`,
    `TaskLocked`, `TaskDone` or `AnswersRefused`; nothing is written then.
    """
    return await complete_in(work, await enter_to_act(work, visitor, lock=True), wanted)


async def complete_in(work: Work, room: Room, wanted: CompleteTask) -> Room:
    """As `complete_task`, in a room that `enter_to_act` has just locked in this transaction."""
    task = room.task(wanted.task)
    if refusal := room.value.refuses_task(task.key):
        raise refusal
    captured = await TASK_KINDS[task.kind].capture(work, room.session, task, wanted.posted)
    task.completed_at = work.at
    submission = await _keep(work, room, task, captured)
    after = room.value.completing(task.key, work.at)
    details = _details(room, task, submission)
    work.audit_session(AuditEvent.TASK_COMPLETED, room.session, room.actor, details=details)
    room.session.status = after.status
    last = after.end_reason is not None
    if last:
        await _complete(work, room)
    told = TaskCompleted(str(task.id), task.key, last)
    work.tell_public_session(room.session.id, TASK_COMPLETED, told)
    return Room(room.session, room.tasks, room.binding, after, work.at)


async def _complete(work: Work, room: Room) -> None:
    await end_session(work, room.session, EndReason.COMPLETED, room.actor)
    room.session.advance = Advance.PENDING


async def _keep(work: Work, room: Room, task: TaskRow, captured: Captured) -> SubmissionRow:
    """Keeps what was captured, with the evidence of what was shown to whom, and a salt (PS-13)."""
    row = SubmissionRow(
        workspace_id=room.session.workspace_id,
        session_id=room.session.id,
        task_id=task.id,
        body=captured.body,
        evidence=captured.evidence | await _occasion(work, room),
        salt=secrets.token_hex(SALT_BYTES),
        binding_id=room.binding.id,
        submitted_at=room.at,
    )
    work.db.add(row)
    return row


async def _occasion(work: Work, room: Room) -> dict[str, Any]:
    """Of which template version, when, and how the person was verified before (PS-13)."""
    party = await party_of(work, room)
    return {
        "template": room.session.template_key,
        "template_version": room.session.template_version,
        "completed_at": room.at.isoformat(),
        "verification": {
            "method": "mailbox_code",
            # A corrected address ends the browser's place, so that this is where the code went.
            "address": masked(party.email),
            "verified_at": room.binding.bound_at.isoformat(),
            "fence": room.binding.fence,
        },
    }


def _details(room: Room, task: TaskRow, submission: SubmissionRow) -> dict[str, Any]:
    """What the audit, and by it the tree, says of a completed task."""
    salt, shown = bytes.fromhex(submission.salt), submission.evidence
    details = {
        "task": task.key,
        "kind": task.kind,
        "fence": room.binding.fence,
        "submission": str(submission.id),
        "sha256": submission_sha256(salt, submission.body, shown),
    }
    document = ("document", "document_version", "document_sha256")
    return details | {each: shown[each] for each in document if each in shown}


async def quit_room(work: Work, visitor: Visitor) -> Room:
    """The person leaves this browser; what was done stays done (SX-9). Twice is once."""
    room = await enter(work, visitor, lock=True)
    if room.session.binding_id == room.binding.id and room.value.end_at(work.at) is None:
        await end_binding(work, room.session, BindingEnd.QUIT)
        work.audit_session(AuditEvent.SESSION_LEFT, room.session, room.actor)
    return room


async def decline_room(work: Work, visitor: Visitor, reason: str) -> Room:
    """The party declines with a reason; raises as `enter_to_act`."""
    room = await enter_to_act(work, visitor, lock=True)
    await decline(work, room.session, reason, room.actor)
    return room


async def party_of(work: Work, room: Room) -> PartyRow:
    """The party of a room."""
    # Several steps of one transaction ask for it: it is read once.
    party = await opened_one(work.db, await work.db.get(PartyRow, room.session.party_id))
    if party is None:
        raise NotFound("party")
    return party
