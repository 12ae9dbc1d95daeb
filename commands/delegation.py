"""Lets members act for each other: granted, begun, left, ended (EE-13, EE-14, C8)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from commands.member_session import SignedIn, renew_secret
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.delegation import LONGEST
from domain.errors import NotFound
from domain.member import MemberState
from domain.member_errors import DelegationRefused
from store.delegation import DelegationRow, delegation_by_id, good_delegations
from store.member import MemberRow, member_by_id, members_by_id
from store.member_session import MemberSessionRow, member_session_by_id


@dataclass(frozen=True, slots=True)
class Grants:
    """Good grants with the other member of each: `to` others by oneself, `by` others to oneself."""

    to: tuple[tuple[DelegationRow, MemberRow], ...]
    by: tuple[tuple[DelegationRow, MemberRow], ...]


async def grants_of(work: Work, member: MemberRow) -> Grants:
    """What a member has granted and was granted; with whoever is disabled there is nothing."""
    rows = await good_delegations(work.db, member.id, work.at)
    ids = {each for row in rows for each in (row.owner_id, row.delegate_id)}
    people = await members_by_id(work.db, ids)
    active = {key: each for key, each in people.items() if each.state == MemberState.ACTIVE}
    to = [(row, active.get(row.delegate_id)) for row in rows if row.owner_id == member.id]
    by = [(row, active.get(row.owner_id)) for row in rows if row.delegate_id == member.id]
    return Grants(
        tuple((row, each) for row, each in to if each is not None),
        tuple((row, each) for row, each in by if each is not None),
    )


async def grant_delegation(
    work: Work, owner: MemberRow, delegate_id: UUID | None, ends_at: datetime | None, actor: Actor
) -> DelegationRow:
    """Lets another active member act for `owner`; raises `DelegationRefused` naming the faults."""
    delegate = await member_by_id(work.db, owner.workspace_id, delegate_id) if delegate_id else None
    is_fit = delegate is not None and delegate.state == MemberState.ACTIVE
    faults = [] if is_fit and delegate_id != owner.id else ["member"]
    if ends_at is None or not work.at < ends_at <= work.at + LONGEST:
        faults.append("until")
    if faults or delegate is None or ends_at is None:
        raise DelegationRefused(tuple(faults))
    row = DelegationRow(
        workspace_id=owner.workspace_id,
        owner_id=owner.id,
        delegate_id=delegate.id,
        created_at=work.at,
        ends_at=ends_at,
    )
    work.db.add(row)
    await work.db.flush()
    _audit(work, AuditEvent.DELEGATION_GRANTED, row, actor)
    return row


async def end_delegation(work: Work, member: MemberRow, delegation_id: UUID, actor: Actor) -> None:
    """Either of the two ends it, for every session at once; twice is once. Raises `NotFound`."""
    row = await delegation_by_id(work.db, member.workspace_id, delegation_id, lock=True)
    if row is None or member.id not in {row.owner_id, row.delegate_id}:
        raise NotFound("delegation")
    if row.value.is_good(work.at):
        row.ended_at = work.at
        _audit(work, AuditEvent.DELEGATION_ENDED, row, actor)


async def begin_delegation(
    work: Work, found: SignedIn, delegation_id: UUID, secret: str, actor: Actor
) -> str:
    """The member acts for another, in its own session (EE-13); returns the browser's new secret.

    Raises `NotFound` for a grant that is not to it, or not good.
    """
    granted = await grants_of(work, found.member)
    known = {row.id: row for row, _ in granted.by}
    if delegation_id not in known:
        raise NotFound("delegation")
    (await _locked(work, found)).delegation_id = delegation_id
    _audit(work, AuditEvent.DELEGATION_BEGUN, known[delegation_id], actor)
    return await renew_secret(work, secret)


async def leave_delegation(work: Work, found: SignedIn, secret: str, actor: Actor) -> str:
    """Back to oneself without being asked anything; returns the browser's new secret (EE-14)."""
    session, row = await _locked(work, found), None
    if session.delegation_id is not None:
        row = await delegation_by_id(work.db, session.workspace_id, session.delegation_id)
    if row is None:
        raise NotFound("delegation")
    session.delegation_id = None
    _audit(work, AuditEvent.DELEGATION_LEFT, row, actor)
    return await renew_secret(work, secret)


async def _locked(work: Work, found: SignedIn) -> MemberSessionRow:
    """The member's session, which nobody ends meanwhile; raises `NotFound` if somebody has."""
    here = found.session
    row = await member_session_by_id(work.db, here.workspace_id, here.id, lock=True)
    if row is None or row.ended_at is not None:
        raise NotFound("session")
    return row


def _audit(work: Work, event: AuditEvent, row: DelegationRow, actor: Actor) -> None:
    details = {"owner": str(row.owner_id), "delegate": str(row.delegate_id)}
    work.audit_subject(event, row.workspace_id, f"delegation:{row.id}", actor, details)
