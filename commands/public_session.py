"""What members, time and operators do to a public session: revoke, extend, resend, re-issue, end.

Each verb locks the session's row first; so a submission, a takeover and a revocation meet there and
exactly one wins.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from commands.agreement_again import asked_again, note_asked
from commands.issue import Issue, Issued, issue
from commands.link import end_binding, renew_links
from commands.mail import invitation_of, queue_party_mail
from commands.party import find_party
from commands.public_session_terms import idle_policy, mail_allowance, own_terms, settings_in
from commands.signing_end import end_signing
from commands.work import Work
from domain.actor import WORKFLOW, Actor
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.code import MAIL_WINDOW
from domain.erasure import erase_at
from domain.errors import Erased, MailTooSoon, NoContactAddress, NotFound, ReissueRefused
from domain.mail import MailKind
from domain.messages import BoundChecked, DeadlineMoved, Declined, IdleChecked, Revoked
from domain.public_session import OPEN, EndReason, PublicSession
from domain.reminder import reminder_times
from domain.tombstone import Fate
from domain.workflow_names import DEADLINE_MOVED, DECLINED, REVOKE
from store.binding import binding_by_id, binding_value
from store.mail import count_mails, lock_recipient, mail_by_cause, mail_times
from store.public_session import (
    PublicSessionRow,
    session_by_cause,
    session_by_id,
    tasks_of,
    value_of,
)

ENDED = {
    EndReason.COMPLETED: AuditEvent.SESSION_COMPLETED,
    EndReason.DECLINED: AuditEvent.SESSION_DECLINED,
    EndReason.BOUND_REACHED: AuditEvent.SESSION_EXPIRED,
    EndReason.REVOKED: AuditEvent.SESSION_REVOKED,
    EndReason.REISSUED: AuditEvent.SESSION_REPLACED,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Which session of which workspace, and who acts on it."""

    session_id: UUID
    workspace_id: UUID
    actor: Actor


async def lock_session(work: Work, target: Target) -> PublicSessionRow:
    """The session's row, locked; raises `NotFound` or `Erased`."""
    row = await session_by_id(work.db, target.session_id, target.workspace_id, lock=True)
    if row is None:
        raise NotFound("public session")
    if row.erased_at is not None:
        raise Erased
    return row


def refuse_ended(work: Work, row: PublicSessionRow) -> PublicSession:
    """The session's value without its tasks; raises `SessionEnded` if it is over."""
    value = value_of(row, ())
    if refusal := value.refuses(work.at):
        raise refusal
    return value


async def end_session(
    work: Work, row: PublicSessionRow, reason: EndReason, actor: Actor, rationale: str = ""
) -> None:
    """Writes an end down: status, reason, times, the browser's place and the audit."""
    ended = value_of(row, ()).ending(reason)
    row.status, row.end_reason, row.ended_at = ended.status, reason, work.at
    row.erase_at = erase_at(work.at, row.retention_days)
    if reason != EndReason.COMPLETED:
        # Of what was completed, each window ended with its signature.
        await end_binding(work, row, BindingEnd.SESSION_ENDED)
        if row.signs:
            await end_signing(work, row, reason, actor)
    if reason != EndReason.BOUND_REACHED:
        # A deadline is in the row, and ends the session again by arithmetic.
        work.lay_tombstone(Fate(reason), row.id)
    details = {"erase_at": row.erase_at.isoformat()} if row.erase_at else {}
    work.audit_session(ENDED[reason], row, actor, reason=rationale, details=details)


async def revoke(work: Work, target: Target, rationale: str, message: str = "") -> PublicSessionRow:
    """Ends the session at once (PS-30). `rationale` stays inside; `message` is told to the party.

    Revoking what was revoked changes nothing; raises `SessionEnded` for any other end.
    """
    row = await lock_session(work, target)
    if row.end_reason == EndReason.REVOKED:
        return row
    refuse_ended(work, row)
    row.rationale, row.message = rationale, message
    await end_session(work, row, EndReason.REVOKED, target.actor, rationale)
    work.tell_public_session(row.id, REVOKE, Revoked(str(row.id)))
    return row


async def decline(work: Work, row: PublicSessionRow, reason: str, actor: Actor) -> None:
    """The party will not do this; the row is locked and its browser was checked."""
    row.decline_reason = reason
    await end_session(work, row, EndReason.DECLINED, actor, reason)
    work.tell_public_session(row.id, DECLINED, Declined(str(row.id)))


async def extend(
    work: Work, target: Target, expires_at: datetime, rationale: str
) -> PublicSessionRow:
    """Moves the deadline later; raises `SessionEnded` or `ExtensionRefused`."""
    row = await lock_session(work, target)
    value = refuse_ended(work, row)
    before = row.expires_at
    row.expires_at = value.extending(expires_at, work.settings.public_session_longest).expires_at
    row.deadline_moves += 1
    sent = await count_mails(work.db, row.id, MailKind.REMINDER)
    most = settings_in(work, row).template_reminders - sent
    reminders = reminder_times(row.reminders, work.at, row.expires_at, most)
    told = DeadlineMoved(str(row.id), row.deadline_moves, row.expires_at, reminders)
    work.tell_public_session(row.id, DEADLINE_MOVED, told)
    details = {"before": before.isoformat(), "after": row.expires_at.isoformat()}
    work.audit_session(
        AuditEvent.SESSION_EXTENDED, row, target.actor, reason=rationale, details=details
    )
    return row


async def resend(work: Work, target: Target) -> PublicSessionRow:
    """Mails the invitation once more, with the same link and a new Message-ID (C14).

    Raises `SessionEnded`, `NoContactAddress` or `MailTooSoon`.
    """
    row = await lock_session(work, target)
    refuse_ended(work, row)
    await mail_again(work, row, await invitation_of(work, row))
    work.audit_session(AuditEvent.SESSION_RESENT, row, target.actor)
    return row


async def mail_again(work: Work, row: PublicSessionRow, kind: MailKind, about: str = "") -> None:
    """Mails the party of a locked session once more, to its present address.

    `about` ends the mail's cause. Raises `NoContactAddress` or `MailTooSoon`.
    """
    party = await find_party(work, row.workspace_id, row.party_id)
    if not party.email:
        raise NoContactAddress
    await _refuse_flood(work, row, party.email, kind)
    await queue_party_mail(work, row, party, kind, f"resent-{work.at.isoformat()}{about}")


async def _refuse_flood(work: Work, row: PublicSessionRow, email: str, kind: MailKind) -> None:
    """Nobody can be flooded by resending: every kind has the limits of codes."""
    digest = work.keyring.address_digest(email)
    await lock_recipient(work.db, row.workspace_id, digest)
    allowance, since = mail_allowance(settings_in(work, row)), work.at - MAIL_WINDOW
    sent = await mail_times(work.db, row.workspace_id, digest, [kind], since)
    next_at = allowance.next_at(sent, work.at)
    if next_at > work.at:
        raise MailTooSoon(next_at)


async def reissue(work: Work, target: Target, rationale: str) -> Issued:
    """A new session of the same template for the same party (PS-34); an open one ends with that.

    Each session is re-issued once: a second time answers with the same new session. Raises
    `ReissueRefused` for a completed one, or what `issue` does.
    """
    old = await lock_session(work, target)
    before = await session_by_cause(work.db, old.workspace_id, f"reissued:{old.id}")
    if before is not None:
        return Issued(before, await tasks_of(work.db, before.id), None)
    if old.end_reason == EndReason.COMPLETED:
        raise ReissueRefused
    await end_if_overdue(work, old)
    if old.end_reason is None:
        await end_session(work, old, EndReason.REISSUED, target.actor, rationale)
        work.tell_public_session(old.id, REVOKE, Revoked(str(old.id), reissued=True))
    asked = await asked_again(work, old) if old.signs else None
    party = await find_party(work, old.workspace_id, old.party_id, lock=True)
    wanted = Issue(
        template=old.template_key,
        cause=f"reissued:{old.id}",
        actor=target.actor,
        subject=old.subject,
        rationale=rationale,
        reissued_from=old.id,
        asked=asked,
        settings=own_terms(old),
    )
    issued = await issue(work, party, wanted)
    if asked:
        await note_asked(work, asked, issued.session.id)
    details = {"public_session": str(issued.session.id)}
    work.audit_session(
        AuditEvent.SESSION_REISSUED, old, target.actor, reason=rationale, details=details
    )
    return issued


async def correct_address(work: Work, target: Target, email: str) -> PublicSessionRow:
    """Corrects the party's address: old link dead, binding ended, mailed again.

    Raises `SessionEnded`, `PartyInvalid`.
    """
    row = await session_by_id(work.db, target.session_id, target.workspace_id)
    if row is None:
        raise NotFound("public session")
    if row.erased_at is not None:
        raise Erased
    refuse_ended(work, row)
    await renew_links(work, row.workspace_id, row.party_id, email, target.actor)
    return await lock_session(work, target)


# What time does, asked by the workflow.


async def check_bound(work: Work, session_id: UUID) -> BoundChecked:
    """Ends a session whose deadline has come; an extended or ended one is left as it is (PS-29)."""
    row = await _own(work, session_id)
    await end_if_overdue(work, row)
    return BoundChecked(row.end_reason, row.expires_at)


async def end_if_overdue(work: Work, row: PublicSessionRow) -> bool:
    """Writes down an end that arithmetic has known already; whether it did."""
    if row.status not in OPEN or work.at < row.expires_at:
        return False
    await end_session(work, row, EndReason.BOUND_REACHED, WORKFLOW)
    return True


async def remind(work: Work, session_id: UUID, slot: datetime) -> bool:
    """Mails the reminder of one slot, once and never after the end; whether one was asked for."""
    row = await _own(work, session_id)
    if value_of(row, ()).end_at(work.at) is not None:
        return False
    cause = f"{slot.isoformat()}"
    party = await find_party(work, row.workspace_id, row.party_id)
    if not party.email or await _was_reminded(work, row, cause):
        return False
    await queue_party_mail(work, row, party, MailKind.REMINDER, cause)
    work.audit_session(AuditEvent.SESSION_REMINDED, row, WORKFLOW)
    return True


async def _was_reminded(work: Work, row: PublicSessionRow, cause: str) -> bool:
    full = f"{MailKind.REMINDER}:{row.id}:{cause}"
    return await mail_by_cause(work.db, row.workspace_id, full) is not None


async def check_idle(work: Work, session_id: UUID) -> IdleChecked:
    """Ends the place of a browser that was silent for too long, and says when to look again."""
    row = await _own(work, session_id)
    if row.binding_id is None or row.status not in OPEN:
        return IdleChecked(row.fence, None)
    binding = await binding_by_id(work.db, row.binding_id)
    policy, value = idle_policy(settings_in(work, row)), binding_value(binding)
    if value.end_at(work.at, policy) is None:
        return IdleChecked(row.fence, value.idles_out_at(policy))
    await end_binding(work, row, BindingEnd.INACTIVE)
    work.audit_session(
        AuditEvent.SESSION_IDLED_OUT, row, WORKFLOW, details={"fence": binding.fence}
    )
    return IdleChecked(row.fence, None)


async def carry_revocation(work: Work, session_id: UUID, actor: Actor) -> None:
    """An operator told the workflow to revoke, without a fact behind it: the fact is made here."""
    row = await _own(work, session_id)
    if await end_if_overdue(work, row):
        return
    if row.status in OPEN:
        row.rationale = "Revoked by an operator's signal to the workflow"
        await end_session(work, row, EndReason.REVOKED, actor, row.rationale)


async def _own(work: Work, session_id: UUID) -> PublicSessionRow:
    row = await session_by_id(work.db, session_id, lock=True)
    if row is None:
        raise NotFound("public session")
    return row
