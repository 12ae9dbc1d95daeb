"""Parties: created, changed, moved along their lifecycle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from commands.issue import Issue, issue_once
from commands.link import renew_links
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.definition import DefinitionKind
from domain.errors import Erased, NotFound, PartyInvalid, TransitionRefused
from domain.fault import Fault
from domain.lifecycle import Lifecycle, Transition
from domain.party import PartyFields, faults_of
from store.definition import latest_definition
from store.party import PartyRow, PassageRow, party_by_id, passage_by_cause
from store.public_session import PublicSessionRow


@dataclass(frozen=True, slots=True)
class Move:
    """One move along a lifecycle: what, why and by whom; once for each cause (PS-36)."""

    transition: str
    cause: str
    actor: Actor
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the party is now and what that issued."""

    party: PartyRow
    issued: Sequence[PublicSessionRow]


async def create_party(work: Work, workspace_id: UUID, fields: PartyFields, actor: Actor) -> Moved:
    """Creates a party in its lifecycle's first state and issues what that state issues.

    Raises `PartyInvalid`, or what `issue` raises.
    """
    _refuse(fields)
    lifecycle = await _lifecycle(work, workspace_id, fields.kind)
    row = _party_row(work, workspace_id, fields)
    row.state = lifecycle[0].initial if lifecycle else ""
    work.db.add(row)
    await work.db.flush()
    details = {"kind": row.kind, "state": row.state, "test": row.test}
    work.audit_party(AuditEvent.PARTY_CREATED, workspace_id, row.id, actor, details)
    if lifecycle is None:
        return Moved(row, ())
    entering = PassageRow(
        workspace_id=workspace_id,
        party_id=row.id,
        lifecycle_version=lifecycle[1],
        target=row.state,
        cause=f"created:{row.id}",
        passed_at=work.at,
    )
    work.db.add(entering)
    templates = lifecycle[0].state(row.state).issues
    return Moved(row, await _issue_all(work, row, entering, templates, actor))


def _party_row(work: Work, workspace_id: UUID, fields: PartyFields) -> PartyRow:
    return PartyRow(
        workspace_id=workspace_id,
        kind=fields.kind,
        name=fields.name,
        email=fields.email,
        locale=fields.locale,
        zone=fields.zone,
        attributes=dict(fields.attributes or {}),
        test=fields.test,
        created_at=work.at,
        updated_at=work.at,
    )


def _refuse(fields: PartyFields) -> None:
    faults = faults_of(fields) + _zone_faults(fields.zone)
    if faults:
        raise PartyInvalid(faults)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone_faults(zone: str) -> tuple[Fault, ...]:
    if zone in _zones():
        return ()
    return (Fault("/zone", "must be a time zone of the IANA database, such as Europe/Lisbon"),)


async def _lifecycle(work: Work, workspace_id: UUID, kind: str) -> tuple[Lifecycle, int] | None:
    row = await latest_definition(work.db, workspace_id, DefinitionKind.LIFECYCLE, kind)
    return (Lifecycle.of(row.body), row.version) if row else None


async def find_party(
    work: Work, workspace_id: UUID, party_id: UUID, *, lock: bool = False
) -> PartyRow:
    """A party of this workspace; raises `NotFound`.

    Who locks it wants to act on it: raises `Erased` then.
    """
    row = await party_by_id(work.db, workspace_id, party_id, lock=lock)
    if row is None:
        raise NotFound("party")
    if lock and row.erased_at is not None:
        raise Erased
    return row


async def change_party(
    work: Work, workspace_id: UUID, party_id: UUID, changes: Mapping[str, Any], actor: Actor
) -> PartyRow:
    """Replaces some fields; another address renews every open link of the party (C14).

    `attributes` are merged; one set to None is removed. Raises `NotFound` or `PartyInvalid`.
    """
    await find_party(work, workspace_id, party_id)
    if "email" in changes:
        await renew_links(work, workspace_id, party_id, changes["email"], actor)
    party = await find_party(work, workspace_id, party_id, lock=True)
    wanted = _merged(party, changes)
    _refuse(wanted)
    before, after = _differences(party, wanted)
    if after:
        _write(party, wanted)
        party.updated_at = work.at
        details = {"before": before, "after": after}
        work.audit_party(AuditEvent.PARTY_CHANGED, workspace_id, party.id, actor, details)
    return party


EDITABLE = ("name", "locale", "zone", "attributes", "test")


def _merged(party: PartyRow, changes: Mapping[str, Any]) -> PartyFields:
    attributes = party.attributes | dict(changes.get("attributes") or {})
    kept = {name: value for name, value in attributes.items() if value is not None}
    present = PartyFields(
        party.kind, party.name, party.email, party.locale, party.zone, kept, party.test
    )
    others = {name: changes[name] for name in EDITABLE if name in changes and name != "attributes"}
    return replace(present, **others)


def _differences(party: PartyRow, wanted: PartyFields) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in EDITABLE if getattr(party, name) != getattr(wanted, name)]
    before = {name: getattr(party, name) for name in changed}
    return before, {name: getattr(wanted, name) for name in changed}


def _write(party: PartyRow, wanted: PartyFields) -> None:
    for name in EDITABLE:
        setattr(party, name, getattr(wanted, name))


async def unlock_verification(
    work: Work, workspace_id: UUID, party_id: UUID, actor: Actor
) -> PartyRow:
    """Clears a lock after too many wrong codes (C12, SX-16)."""
    party = await find_party(work, workspace_id, party_id, lock=True)
    details = {"failures": party.failed_verifications}
    party.failed_verifications, party.verification_locked_at = 0, None
    work.audit_party(AuditEvent.PARTY_VERIFICATION_UNLOCKED, workspace_id, party.id, actor, details)
    return party


async def pass_transition(work: Work, workspace_id: UUID, party_id: UUID, move: Move) -> Moved:
    """Moves a party and issues what that issues; the same cause moves once (PS-36).

    Raises `NotFound`, `TransitionRefused`, or what `issue` raises.
    """
    party = await find_party(work, workspace_id, party_id, lock=True)
    if await passage_by_cause(work.db, workspace_id, move.cause):
        return Moved(party, ())
    lifecycle = await _lifecycle(work, workspace_id, party.kind)
    if lifecycle is None:
        raise TransitionRefused(move.transition, party.state)
    # A party that is older than its kind's lifecycle stands where the lifecycle begins.
    party.state = party.state or lifecycle[0].initial
    transition = lifecycle[0].passing(move.transition, party.state)
    passage = _passage(work, party, transition, move, lifecycle[1])
    work.db.add(passage)
    party.state, party.updated_at = transition.target, work.at
    await work.db.flush()
    details = {"transition": transition.key, "from": passage.origin, "to": passage.target}
    work.audit_party(
        AuditEvent.PARTY_TRANSITIONED,
        workspace_id,
        party.id,
        move.actor,
        details | {"cause": move.cause},
    )
    templates = lifecycle[0].issued_by(transition)
    issued = await _issue_all(work, party, passage, templates, move.actor)
    return Moved(party, issued)


def _passage(
    work: Work, party: PartyRow, transition: Transition, move: Move, version: int
) -> PassageRow:
    return PassageRow(
        workspace_id=party.workspace_id,
        party_id=party.id,
        lifecycle_version=version,
        transition=transition.key,
        origin=party.state,
        target=transition.target,
        cause=move.cause,
        passed_at=work.at,
    )


async def _issue_all(
    work: Work, party: PartyRow, passage: PassageRow, templates: Sequence[str], actor: Actor
) -> list[PublicSessionRow]:
    return [
        await issue_once(work, party, Issue(each, f"passage:{passage.id}:{each}", actor))
        for each in templates
    ]
