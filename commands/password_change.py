"""A member changes its own password: the old one is asked for, and every other session ends."""

from dataclasses import dataclass
from uuid import UUID

from commands.mail import queue_member_mail
from commands.member import actor_here, audit_member, forgive_attempts, refuse_password
from commands.member_link import LinkKind
from commands.member_session import (
    SignedIn,
    end_sessions_of,
    recognise_member,
    renew_secret,
)
from commands.password import hashed, is_right
from commands.reauthentication import judge_password, locked_member_here
from commands.work import Transactions, Work
from domain.audit import AuditEvent
from domain.mail import MailKind
from domain.member_errors import PasswordRefused, SignedOut
from domain.member_session import MemberSessionEnd
from store.member import MemberRow
from store.member_link import end_links
from store.trusted_device import delete_devices


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """What a signed-in member typed; `secret` is of its browser."""

    workspace_id: UUID
    secret: str
    old: str
    new: str


async def change_password(begin: Transactions, wanted: ChangePassword) -> str:
    """Returns the browser's new secret (ASVS 7.2.4); the member's other sessions end (7.4.3).

    Raises `PasswordRefused` or `SignedOut`. Wrong old passwords count and lock as those at the
    sign-in do, so that a session that somebody took is no place to guess.
    """
    async with begin.work() as work:
        member = await _may_ask(work, wanted)
    if isinstance(member, SignedOut):
        raise member
    before = member.password
    right = await is_right(wanted.old, before)
    kept = await hashed(wanted.new) if right else ""
    async with begin.work() as work:
        changed = await _change(work, wanted, before, kept)
    if isinstance(changed, Exception):
        raise changed
    return changed


async def _may_ask(work: Work, wanted: ChangePassword) -> MemberRow | SignedOut:
    found = await recognise_member(work, wanted.workspace_id, wanted.secret, acting=True)
    if isinstance(found, SignedOut):
        return found
    await refuse_password(work, found.member, wanted.new)
    return found.member


async def _change(
    work: Work, wanted: ChangePassword, before: str, kept: str
) -> str | PasswordRefused | SignedOut:
    """`kept` is the new hash, or "" if the old one was wrong; a refusal has a fact: a count."""
    found = await locked_member_here(work, wanted.workspace_id, wanted.secret)
    if isinstance(found, SignedOut):
        return found
    is_same = bool(kept) and found.member.password == before
    if refusal := await judge_password(work, found.member, "old", is_right=is_same):
        return refusal
    return await _adopt(work, found, wanted.secret, kept)


async def _adopt(work: Work, found: SignedIn, secret: str, kept: str) -> str:
    member = found.member
    member.password, member.password_set_at, member.updated_at = kept, work.at, work.at
    await forgive_attempts(work, member)
    await end_links(work.db, member.id, (LinkKind.FORGOT_PASSWORD,), work.at)
    await delete_devices(work.db, member.id)
    await end_sessions_of(
        work, member, MemberSessionEnd.KILLED, actor_here(found), but=found.session.id
    )
    audit_member(work, AuditEvent.MEMBER_PASSWORD_CHANGED, member, actor_here(found))
    queue_member_mail(work, member, MailKind.MEMBER_PASSWORD_CHANGED)
    return await renew_secret(work, secret)
