"""What follows the end of a session: answers are written back, the lifecycle advances, mails go.

Each happens once: by the session's `settled_at` under its lock, by the unique cause of the party's
move, by the unique cause of each mail (PS-19, PS-36).
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from commands.mail import queue_issuer_mail, queue_party_mail
from commands.party import Move, find_party, pass_transition
from commands.pinned import pinned_form
from commands.public_session import Target, lock_session
from commands.work import Work
from domain.actor import WORKFLOW, Actor
from domain.audit import AuditEvent
from domain.definition import DefinitionKind
from domain.errors import DomainError, NotFound, NothingToAdvance, PartyInvalid
from domain.lifecycle import Lifecycle
from domain.mail import MailKind
from domain.messages import PublicSessionOutcome
from domain.party import PartyFields, faults_of
from domain.public_session import Advance, EndReason
from domain.session_template import Scope
from store.definition import latest_definition
from store.party import PartyRow
from store.public_session import (
    PublicSessionRow,
    session_by_cause,
    session_by_id,
    submissions_of,
    tasks_of,
)

PARTY_MAIL = {
    EndReason.COMPLETED: MailKind.COMPLETED,
    EndReason.BOUND_REACHED: MailKind.EXPIRED,
    EndReason.REVOKED: MailKind.REVOKED,
}
ISSUER_MAIL = {
    EndReason.COMPLETED: MailKind.ISSUER_COMPLETED,
    EndReason.BOUND_REACHED: MailKind.ISSUER_EXPIRED,
    EndReason.DECLINED: MailKind.ISSUER_DECLINED,
}


async def settle(work: Work, session_id: UUID) -> PublicSessionOutcome | None:
    """Does what follows an ended session, once; None while it is open."""
    row = await session_by_id(work.db, session_id, lock=True)
    if row is None:
        raise NotFound("public session")
    if row.end_reason is None:
        return None
    if row.settled_at is None:
        reason = EndReason(row.end_reason)
        if reason == EndReason.COMPLETED:
            # Whoever is told of this session is told of those that its completion issues.
            await _advance(work, row, replace(WORKFLOW, email=row.notify_email or None))
        await _send_mails(work, row, reason)
        row.settled_at = work.at
    return PublicSessionOutcome(row.end_reason, row.advance)


async def _send_mails(work: Work, row: PublicSessionRow, reason: EndReason) -> None:
    party = await find_party(work, row.workspace_id, row.party_id)
    # Told that it expired after being asked anew, a party would not know which to believe.
    anew = await session_by_cause(work.db, row.workspace_id, f"reissued:{row.id}")
    if reason in PARTY_MAIL and party.email and anew is None:
        await queue_party_mail(work, row, party, PARTY_MAIL[reason], "1")
    if reason in ISSUER_MAIL:
        queue_issuer_mail(work, row, ISSUER_MAIL[reason])


async def retry_advance(work: Work, target: Target) -> PublicSessionRow:
    """Tries a blocked advance again; raises `NothingToAdvance`."""
    row = await lock_session(work, target)
    if row.advance != Advance.BLOCKED:
        raise NothingToAdvance
    await _advance(work, row, target.actor)
    return row


async def _advance(work: Work, row: PublicSessionRow, actor: Actor) -> None:
    """Writes answers back and passes the transition, both or neither; keeps a refusal's reason."""
    intents = len(work.intents)
    try:
        async with work.db.begin_nested():
            moved = await _complete_lifecycle(work, row, actor)
    except DomainError as refusal:
        # The savepoint's intents are no longer rows and must not be delivered.
        del work.intents[intents:]
        row.advance, row.advance_reason = Advance.BLOCKED, str(refusal)
        details = {"error": type(refusal).__name__}
        work.audit_session(
            AuditEvent.SESSION_ADVANCE_BLOCKED,
            row,
            actor,
            reason=row.advance_reason,
            details=details,
        )
        return
    row.advance, row.advance_reason = moved, ""
    if moved == Advance.DONE:
        work.audit_session(AuditEvent.SESSION_ADVANCED, row, actor)


async def _complete_lifecycle(work: Work, row: PublicSessionRow, actor: Actor) -> Advance:
    party = await find_party(work, row.workspace_id, row.party_id, lock=True)
    transition = await _transition_of(work, row, party)
    if transition is not None:
        # PS-39: the scope is checked again, for the party may have moved meanwhile.
        Scope(states=tuple(row.scope.get("states", ()))).check_state(party.state)
    await _write_back(work, row, party, actor)
    if transition is None:
        return Advance.NONE
    move = Move(transition, f"completed:{row.id}", actor)
    await pass_transition(work, row.workspace_id, party.id, move)
    return Advance.DONE


async def _transition_of(work: Work, row: PublicSessionRow, party: PartyRow) -> str | None:
    found = await latest_definition(work.db, row.workspace_id, DefinitionKind.LIFECYCLE, party.kind)
    return Lifecycle.of(found.body).on_completion(row.template_key) if found else None


async def _write_back(work: Work, row: PublicSessionRow, party: PartyRow, actor: Actor) -> None:
    """Form answers marked so become the party's attributes; the old values stay in the audit."""
    values = await _values_to_write(work, row)
    before = {path: _read(party, path) for path in values}
    changed = {path: value for path, value in values.items() if before[path] != value}
    if not changed:
        return
    for path, value in changed.items():
        _write(party, path, value)
    _refuse_unsuitable(party)
    party.updated_at = work.at
    details = {"before": {path: before[path] for path in changed}, "after": changed}
    work.audit_session(AuditEvent.PARTY_CHANGED, row, actor, details=details)


def _refuse_unsuitable(party: PartyRow) -> None:
    """Answers may be longer than a party's own fields may be: the advance is blocked then."""
    fields = PartyFields(party.kind, party.name, party.email, attributes=party.attributes)
    faults = faults_of(fields)
    if faults:
        raise PartyInvalid(faults)


async def _values_to_write(work: Work, row: PublicSessionRow) -> dict[str, Any]:
    tasks = {each.id: each for each in await tasks_of(work.db, row.id) if each.form_key}
    values: dict[str, Any] = {}
    for submission in await submissions_of(work.db, row.id):
        task = tasks.get(submission.task_id)
        if task is not None:
            form = await pinned_form(work, row.workspace_id, task)
            values |= form.written_back(submission.body)
    return values


NAME = "party.name"
ATTRIBUTE = "party.attributes."


def _read(party: PartyRow, path: str) -> Any:
    return party.name if path == NAME else party.attributes.get(path.removeprefix(ATTRIBUTE))


def _write(party: PartyRow, path: str, value: Any) -> None:
    if path == NAME:
        party.name = str(value)
    else:
        attributes = party.attributes | {path.removeprefix(ATTRIBUTE): value}
        # An optional answer that was cleared is None and removes the attribute.
        party.attributes = {name: kept for name, kept in attributes.items() if kept is not None}
