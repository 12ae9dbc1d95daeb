"""Members: invited, registered, changed, disabled, deleted, unlocked."""

from dataclasses import dataclass, replace
from uuid import UUID

from commands.mail import queue_member_mail
from commands.member_link import LinkKind, make_link, open_link, spend_link
from commands.member_session import SignedIn, end_sessions_of
from commands.password import refuse_weak
from commands.setting import effective_settings
from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import MailKind
from domain.member import MemberFields, MemberState, Role, faults_of
from domain.member_errors import LastAdministrator, MemberExists, MemberInvalid
from domain.member_session import MemberSessionEnd
from domain.sign_in import Attempts
from store.member import MemberRow, administrators_of, member_by_address, member_by_id
from store.member_link import MemberLinkRow, end_links
from store.passkey import delete_passkeys
from store.provision import provision_of
from store.second_factor import factor_of
from store.trusted_device import delete_devices


@dataclass(frozen=True, slots=True)
class Invited:
    """A new member and the link that makes its account."""

    member: MemberRow
    link: MemberLinkRow


async def invite_member(
    work: Work, workspace_id: UUID, fields: MemberFields, actor: Actor
) -> Invited:
    """Makes an account that waits for its owner; raises `MemberInvalid` or `MemberExists`.

    Somebody who was invited and has not come yet gets a new link.
    """
    if faults := faults_of(fields):
        raise MemberInvalid(faults)
    digest = address_digest(work, fields.email)
    known = await member_by_address(work.db, workspace_id, digest, lock=True)
    if known is not None and known.state != MemberState.INVITED:
        raise MemberExists
    member = known or _member_row(work, workspace_id, fields, digest)
    _adopt(member, fields)
    work.db.add(member)
    await work.db.flush()
    link = await make_link(work, member, LinkKind.INVITATION)
    queue_member_mail(work, member, MailKind.MEMBER_INVITATION, link)
    audit_member(work, AuditEvent.MEMBER_INVITED, member, actor, role=member.role)
    return Invited(member, link)


async def invite_again(work: Work, workspace_id: UUID, member_id: UUID, actor: Actor) -> Invited:
    """A new link for somebody who was invited and has not come; raises `MemberExists`."""
    member = await find_member(work, workspace_id, member_id)
    fields = MemberFields(member.email, member.name, Role(member.role), member.locale, member.zone)
    return await invite_member(work, workspace_id, fields, actor)


async def find_member(work: Work, workspace_id: UUID, member_id: UUID) -> MemberRow:
    """A member of this workspace; raises `NotFound`, also for a deleted account."""
    member = await member_by_id(work.db, workspace_id, member_id)
    if member is None or member.state == MemberState.DELETED:
        raise NotFound("member")
    return member


def _member_row(work: Work, workspace_id: UUID, fields: MemberFields, digest: str) -> MemberRow:
    return MemberRow(
        workspace_id=workspace_id,
        email_digest=digest,
        email=fields.email,
        role=fields.role,
        created_at=work.at,
        updated_at=work.at,
    )


def _adopt(member: MemberRow, fields: MemberFields) -> None:
    member.name, member.role = fields.name, fields.role
    member.locale, member.zone = fields.locale, fields.zone


def address_digest(work: Work, email: str) -> str:
    """What a member is found by; the workspace is a column beside it."""
    return work.keyring.address_digest(email.strip())


def actor_of(member: MemberRow) -> Actor:
    """A member as the audit names it."""
    return Actor(ActorKind.MEMBER, str(member.id), member.name, member.email or None)


def actor_here(found: SignedIn) -> Actor:
    """The member of a browser as the audit names it, with whom it acts for (EE-13)."""
    acting_for = str(found.acting_for.id) if found.acting_for else None
    return replace(actor_of(found.member), on_behalf_of=acting_for)


def audit_member(
    work: Work, event: AuditEvent, member: MemberRow, actor: Actor, **details: object
) -> None:
    """Writes down what happened to a member."""
    work.audit_subject(event, member.workspace_id, f"member:{member.id}", actor, details)


def audit_own(work: Work, event: AuditEvent, member: MemberRow, actor: Actor, subject: str) -> None:
    """Writes down what a member did with something of its own, such as `passkey:…`."""
    said = {"member": str(member.id)}
    work.audit_subject(event, member.workspace_id, subject, actor, said)


async def check_registration(work: Work, workspace_id: UUID, token: str, password: str) -> None:
    """Refuses what `set_password` would, before the password is hashed."""
    found = await open_link(work, workspace_id, token)
    await refuse_password(work, found.member, password)


async def refuse_password(work: Work, member: MemberRow, password: str) -> None:
    """Raises `PasswordRefused` for one that is too short or says who its owner is."""
    settings = await effective_settings(work, member.workspace_id)
    refuse_weak(password, settings.password_shortest, member.email, member.name)


async def set_password(work: Work, workspace_id: UUID, token: str, kept: str) -> MemberRow:
    """An invited member makes its account, or one who forgot its password chooses another.

    `kept` is the hash. The link is used up, every other of these links ends, and so does every
    session and trusted browser: whoever knew the old password is out. Raises `LinkOver` or
    `NotFound`.
    """
    found = await spend_link(work, workspace_id, token)
    if found.row.kind == LinkKind.DELETE_ACCOUNT:
        raise NotFound("link")
    member = found.member
    if member.state not in {MemberState.INVITED, MemberState.ACTIVE}:
        raise NotFound("link")
    is_new = member.state == MemberState.INVITED
    member.password, member.password_set_at = kept, work.at
    member.state, member.updated_at = MemberState.ACTIVE, work.at
    if await forgive_attempts(work, member):
        # Without an app a passkey is a whole way in: whoever made it is out, too.
        await delete_passkeys(work.db, member.id)
    kinds = (LinkKind.INVITATION, LinkKind.FORGOT_PASSWORD)
    await end_links(work.db, member.id, kinds, work.at)
    await delete_devices(work.db, member.id)
    await end_sessions_of(work, member, MemberSessionEnd.KILLED, actor_of(member))
    event = AuditEvent.MEMBER_REGISTERED if is_new else AuditEvent.MEMBER_PASSWORD_CHANGED
    audit_member(work, event, member, actor_of(member))
    if not is_new:
        queue_member_mail(work, member, MailKind.MEMBER_PASSWORD_CHANGED)
    return member


async def forgive_attempts(work: Work, member: MemberRow) -> bool:
    """Forgets wrong attempts for the password alone, where that is all there is to guess.

    With a second factor wrong codes are counted, too: only both together forgive them.
    """
    alone = await factor_of(work.db, member.id) is None
    if alone:
        member.note(Attempts())
    return alone


@dataclass(frozen=True, slots=True)
class MemberChanges:
    """What becomes another; None stays as it is."""

    role: Role | None = None
    name: str | None = None
    locale: str | None = None
    zone: str | None = None


async def change_member(
    work: Work, workspace_id: UUID, member_id: UUID, changes: MemberChanges, actor: Actor
) -> MemberRow:
    """Changes some of a member's fields; raises `MemberInvalid` or `LastAdministrator`."""
    if changes.role is not None:
        await change_role(work, workspace_id, member_id, changes.role, actor)
    member = await _locked(work, workspace_id, member_id)
    fields = _changed(member, changes)
    if faults := faults_of(fields):
        raise MemberInvalid(faults)
    named = ("name", "locale", "zone")
    changed = [each for each in named if getattr(member, each) != getattr(fields, each)]
    if changed:
        _adopt(member, fields)
        member.updated_at = work.at
        audit_member(work, AuditEvent.MEMBER_CHANGED, member, actor, changed=changed)
    return member


def _changed(member: MemberRow, changes: MemberChanges) -> MemberFields:
    return MemberFields(
        member.email,
        member.name if changes.name is None else changes.name,
        Role(member.role),
        changes.locale or member.locale,
        changes.zone or member.zone,
    )


async def change_role(
    work: Work, workspace_id: UUID, member_id: UUID, role: Role, actor: Actor
) -> MemberRow:
    """Gives a member another role, from its next request on; raises `LastAdministrator`."""
    await keep_one_administrator(work, workspace_id, member_id, losing=role is not Role.ADMIN)
    member = await _locked(work, workspace_id, member_id)
    if member.role != role:
        audit_member(
            work, AuditEvent.MEMBER_CHANGED, member, actor, before=member.role, after=role.value
        )
        member.role, member.updated_at = role, work.at
    return member


async def disable_member(
    work: Work, workspace_id: UUID, member_id: UUID, actor: Actor
) -> MemberRow:
    """Ends every session and trusted browser and lets none begin, until enabled (ASVS 7.4.2)."""
    await keep_one_administrator(work, workspace_id, member_id, losing=True)
    member = await _locked(work, workspace_id, member_id)
    if member.state in {MemberState.ACTIVE, MemberState.INVITED}:
        member.state, member.updated_at = MemberState.DISABLED, work.at
        await end_sessions_of(work, member, MemberSessionEnd.KILLED, actor)
        await end_links(work.db, member.id, tuple(LinkKind), work.at)
        await delete_devices(work.db, member.id)
        audit_member(work, AuditEvent.MEMBER_DISABLED, member, actor)
    return member


async def enable_member(work: Work, workspace_id: UUID, member_id: UUID, actor: Actor) -> MemberRow:
    """Lets a disabled member sign in again; one who never came is invited anew for that.

    Whom a directory provisioned, it vouches for: they need no invitation.
    """
    member = await _locked(work, workspace_id, member_id)
    if member.state == MemberState.DISABLED:
        provision = await provision_of(work.db, member.id)
        came = member.password_set_at or provision
        member.state = MemberState.ACTIVE if came else MemberState.INVITED
        if provision is not None:
            # The directory sees it again, and can let it go again.
            provision.removed_at = None
        member.updated_at = work.at
        audit_member(work, AuditEvent.MEMBER_ENABLED, member, actor)
    return member


async def unlock_member(work: Work, workspace_id: UUID, member_id: UUID, actor: Actor) -> MemberRow:
    """Clears the lock that wrong passwords made (SX-16)."""
    member = await _locked(work, workspace_id, member_id)
    if member.locked_at is not None or member.failures:
        audit_member(work, AuditEvent.MEMBER_UNLOCKED, member, actor, failures=member.failures)
        member.note(Attempts())
    return member


async def _locked(work: Work, workspace_id: UUID, member_id: UUID) -> MemberRow:
    member = await member_by_id(work.db, workspace_id, member_id, lock=True)
    if member is None or member.state == MemberState.DELETED:
        raise NotFound("member")
    return member


async def keep_one_administrator(
    work: Work, workspace_id: UUID, member_id: UUID, *, losing: bool
) -> None:
    """Raises `LastAdministrator`; all of them are locked, so that two cannot leave at once."""
    administrators = {each.id for each in await administrators_of(work.db, workspace_id)}
    if losing and administrators == {member_id}:
        raise LastAdministrator
