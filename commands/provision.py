"""Members as a directory provisions them over SCIM: made, changed, put into groups, removed.

Whoever changes anything has the workspace's lock first, so that of two requests at once the second
sees what the first did. What disables or enables is the same verb as everywhere.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from commands.delegation import end_delegation
from commands.member import (
    address_digest,
    audit_member,
    change_role,
    disable_member,
    enable_member,
)
from commands.member_link import LinkKind
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.member import MemberState, Role
from domain.member_errors import MemberExists, MemberInvalid
from domain.provision import LEAST, ProvisionFields, faults_of, strongest
from domain.sign_in import Attempts
from store.delegation import good_delegations
from store.federation import forget_subject
from store.member import MemberRow, member_by_address, member_by_id
from store.member_link import end_links
from store.passkey import delete_passkeys
from store.provision import Account, ProvisionRow, Sought, accounts, provision_of, standings
from store.second_factor import delete_factors

PURPOSE = "external-id"


@dataclass(frozen=True, slots=True)
class Directory:
    """Whose accounts are written, and who the audit says did it."""

    workspace_id: UUID
    actor: Actor


async def find_account(work: Work, workspace_id: UUID, member_id: UUID) -> Account:
    """An account that the directory sees; raises `NotFound`."""
    found = await accounts(work.db, Sought(workspace_id, member_id=member_id))
    if not found:
        raise NotFound("member")
    return found[0]


def external_digest(work: Work, external_id: str) -> str | None:
    """What a directory's own id is found by; always under the first version, as addresses are."""
    if not external_id:
        return None
    return work.keyring.digest(PURPOSE, external_id, min(work.keyring.versions))


async def provision_member(work: Work, directory: Directory, fields: ProvisionFields) -> Account:
    """Makes an account that is in no group yet, or takes back one that was removed.

    It has no password and nobody is mailed. Raises `MemberInvalid` or `MemberExists`.
    """
    _refuse_faulty(fields)
    digest = address_digest(work, fields.email)
    known = await member_by_address(work.db, directory.workspace_id, digest, lock=True)
    before = await provision_of(work.db, known.id) if known else None
    if known is not None and (before is None or before.removed_at is None):
        raise MemberExists
    member = known or await _new_member(work, directory.workspace_id, fields.email, digest)
    if before is not None:
        await _take_back(work, directory, member)
    row = before or _new_row(work, member, [])
    row.removed_at, row.active = None, fields.active is not False
    _adopt(work, member, row, fields)
    audit_member(work, AuditEvent.MEMBER_PROVISIONED, member, directory.actor)
    return await find_account(work, directory.workspace_id, member.id)


async def _take_back(work: Work, directory: Directory, member: MemberRow) -> None:
    """The address may be somebody else's by now: nothing that its last holder knows is good."""
    await _let(work, directory, member, may_act=False)
    member.password, member.password_set_at = "", None
    member.note(Attempts())
    await delete_factors(work.db, member.id)
    await delete_passkeys(work.db, member.id)
    await forget_subject(work.db, member.id)
    for each in await good_delegations(work.db, member.id, work.at):
        await end_delegation(work, member, each.id, directory.actor)


async def _new_member(work: Work, workspace_id: UUID, email: str, digest: str) -> MemberRow:
    member = MemberRow(
        workspace_id=workspace_id,
        email_digest=digest,
        email=email,
        role=LEAST,
        state=MemberState.DISABLED,
        created_at=work.at,
        updated_at=work.at,
    )
    work.db.add(member)
    await _flush_address(work)
    return member


async def _flush_address(work: Work) -> None:
    """Writes an address down; raises `MemberExists` if somebody else just did."""
    try:
        await work.db.flush()
    except IntegrityError as error:
        raise MemberExists from error


def _new_row(work: Work, member: MemberRow, groups: Collection[Role]) -> ProvisionRow:
    row = ProvisionRow(
        member_id=member.id,
        workspace_id=member.workspace_id,
        groups=sorted(groups),
        updated_at=work.at,
    )
    work.db.add(row)
    return row


def _refuse_faulty(fields: ProvisionFields) -> None:
    if faults := faults_of(fields):
        raise MemberInvalid(faults)


def _adopt(
    work: Work, member: MemberRow, row: ProvisionRow, fields: ProvisionFields
) -> Sequence[str]:
    """Takes over what is stated; returns the names of what is other than before."""
    before = _words_of(member, row)
    member.name = fields.name
    member.locale, member.zone = fields.locale or member.locale, fields.zone or member.zone
    row.external_id, row.profile = fields.external_id, dict(fields.profile)
    row.external_digest = external_digest(work, fields.external_id)
    member.updated_at = row.updated_at = work.at
    return [name for name, value in _words_of(member, row).items() if value != before[name]]


def _words_of(member: MemberRow, row: ProvisionRow) -> dict[str, Any]:
    named = {each: getattr(member, each) for each in ("name", "locale", "zone")}
    return named | {"external_id": row.external_id, "profile": dict(row.profile)}


async def change_account(
    work: Work, directory: Directory, member_id: UUID, fields: ProvisionFields
) -> Account:
    """Takes over what a directory states, and lets somebody in or out as it says.

    Raises `NotFound`, `MemberInvalid`, `MemberExists` or `LastAdministrator`.
    """
    _refuse_faulty(fields)
    account = await find_account(work, directory.workspace_id, member_id)
    active = account.standing.is_active if fields.active is None else fields.active
    groups = account.standing.groups
    row = account.provision or _new_row(work, account.member, groups)
    row.groups, row.active = sorted(groups), active
    await _let(work, directory, account.member, may_act=active and bool(groups))
    member = await _locked(work, directory, member_id)
    changed = [*await _move(work, member, fields.email), *_adopt(work, member, row, fields)]
    audit_member(work, AuditEvent.MEMBER_CHANGED, member, directory.actor, changed=changed)
    return await find_account(work, directory.workspace_id, member_id)


async def _locked(work: Work, directory: Directory, member_id: UUID) -> MemberRow:
    member = await member_by_id(work.db, directory.workspace_id, member_id, lock=True)
    if member is None:
        raise NotFound("member")
    return member


async def _let(work: Work, directory: Directory, member: MemberRow, *, may_act: bool) -> None:
    """Disables or enables a member, where it is not so already."""
    is_disabled = member.state == MemberState.DISABLED
    if may_act and is_disabled:
        await enable_member(work, directory.workspace_id, member.id, directory.actor)
    if not may_act and not is_disabled:
        await disable_member(work, directory.workspace_id, member.id, directory.actor)


async def _move(work: Work, member: MemberRow, email: str) -> Sequence[str]:
    """Another address; links that were mailed to the one before end. Returns what changed."""
    if email == member.email:
        return []
    digest = address_digest(work, email)
    if digest != member.email_digest:
        await end_links(work.db, member.id, tuple(LinkKind), work.at)
    member.email, member.email_digest = email, digest
    await _flush_address(work)
    return ["email"]


async def remove_account(work: Work, directory: Directory, member_id: UUID) -> None:
    """Takes an account out of the directory's sight: disabled, in no group, not erased.

    Raises `NotFound` or `LastAdministrator`.
    """
    account = await find_account(work, directory.workspace_id, member_id)
    await _let(work, directory, account.member, may_act=False)
    await change_role(work, directory.workspace_id, member_id, LEAST, directory.actor)
    row = account.provision or _new_row(work, account.member, [])
    row.groups, row.active, row.external_digest = [], False, None
    row.removed_at = row.updated_at = work.at
    audit_member(work, AuditEvent.MEMBER_DEPROVISIONED, account.member, directory.actor)
    await work.db.flush()


async def change_group(
    work: Work, directory: Directory, role: Role, wanted: Collection[UUID]
) -> None:
    """Makes exactly these members a group's. Whoever comes, comes before anybody goes.

    Raises `NotFound` for a member that the directory does not see, or `LastAdministrator`.
    """
    known = await standings(work.db, directory.workspace_id)
    if not set(wanted) <= known.keys():
        raise NotFound("member")
    present = {each for each, account in known.items() if role in account.standing.groups}
    for each in sorted(set(wanted) - present):
        await _regroup(work, directory, each, known[each].standing.groups | {role})
    for each in sorted(present - set(wanted)):
        await _regroup(work, directory, each, known[each].standing.groups - {role})


async def _regroup(
    work: Work, directory: Directory, member_id: UUID, groups: Collection[Role]
) -> None:
    account = await find_account(work, directory.workspace_id, member_id)
    active, role = account.standing.is_active, strongest(groups)
    row = account.provision or _new_row(work, account.member, groups)
    if role is None:
        await _let(work, directory, account.member, may_act=False)
    await change_role(work, directory.workspace_id, member_id, role or LEAST, directory.actor)
    row.groups, row.active, row.updated_at = sorted(groups), active, work.at
    await work.db.flush()
    if role is not None and active:
        await _let(work, directory, account.member, may_act=True)
