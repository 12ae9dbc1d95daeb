"""A member deletes its own account: asked for with the password, confirmed by a mailed link."""

from dataclasses import dataclass
from uuid import UUID

from commands.mail import queue_member_mail
from commands.member import actor_of, audit_member, forgive_attempts, keep_one_administrator
from commands.member_link import LinkKind, mailed_too_often, make_link, open_link, spend_link
from commands.member_session import end_sessions_of, recognise_member
from commands.password import is_right
from commands.reauthentication import judge_password, locked_member_here
from commands.work import Transactions, Work
from domain.audit import AuditEvent
from domain.errors import MailTooSoon, NotFound
from domain.mail import MailKind
from domain.member import MemberState
from domain.member_errors import PasswordRefused, SignedOut
from domain.member_session import MemberSessionEnd
from domain.setting import HOUR
from domain.sign_in import Attempts
from store.erasure import destroy_keys, empty_member
from store.member import MemberRow
from store.member_link import end_links


@dataclass(frozen=True, slots=True)
class AskDeletion:
    """What a signed-in member typed; `secret` is of its browser."""

    workspace_id: UUID
    secret: str
    password: str


async def ask_deletion(begin: Transactions, wanted: AskDeletion) -> None:
    """Mails the link that deletes the account; nothing is deleted yet.

    Raises `SignedOut`, `PasswordRefused`, `LastAdministrator` or `MailTooSoon`.
    """
    async with begin.work() as work:
        found = await recognise_member(work, wanted.workspace_id, wanted.secret, acting=True)
    if isinstance(found, SignedOut):
        raise found
    before = found.member.password
    right = await is_right(wanted.password, before)
    async with begin.work() as work:
        refusal = await _ask(work, wanted, before if right else "")
    if refusal is not None:
        raise refusal


async def _ask(
    work: Work, wanted: AskDeletion, compared: str
) -> PasswordRefused | SignedOut | None:
    """`compared` is the hash that the password was right for, or ""; a refusal has a fact."""
    known = await recognise_member(work, wanted.workspace_id, wanted.secret, acting=False)
    if isinstance(known, SignedOut):
        return known
    # Administrators are locked first, as everywhere.
    await keep_one_administrator(work, wanted.workspace_id, known.member.id, losing=True)
    found = await locked_member_here(work, wanted.workspace_id, wanted.secret)
    if isinstance(found, SignedOut):
        return found
    member = found.member
    is_same = bool(compared) and member.password == compared
    if refusal := await judge_password(work, member, "password", is_right=is_same):
        return refusal
    await forgive_attempts(work, member)
    if await mailed_too_often(work, member, LinkKind.DELETE_ACCOUNT):
        raise MailTooSoon(work.at + HOUR)
    link = await make_link(work, member, LinkKind.DELETE_ACCOUNT)
    queue_member_mail(work, member, MailKind.MEMBER_ACCOUNT_DELETION, link)
    return None


async def delete_account(work: Work, workspace_id: UUID, token: str) -> None:
    """Deletes the account of a link for good: its sessions and links end, its key is destroyed.

    The address can be invited again. What the member did stays in the audit under its name, which
    is the workspace's record. Raises `LinkOver`, `NotFound` or `LastAdministrator`.
    """
    known = await open_link(work, workspace_id, token)
    if known.row.kind != LinkKind.DELETE_ACCOUNT:
        raise NotFound("link")
    await keep_one_administrator(work, workspace_id, known.member.id, losing=True)
    found = await spend_link(work, workspace_id, token)
    await _delete(work, found.member)


async def _delete(work: Work, member: MemberRow) -> None:
    actor = actor_of(member)
    await end_sessions_of(work, member, MemberSessionEnd.KILLED, actor)
    await end_links(work.db, member.id, tuple(LinkKind), work.at)
    audit_member(work, AuditEvent.MEMBER_DELETED, member, actor)
    member.state, member.email_digest = MemberState.DELETED, None
    member.deleted_at = member.updated_at = work.at
    member.note(Attempts())
    await work.db.flush()
    await empty_member(work.db, member)
    await work.db.flush()
    await destroy_keys(work.db, [member.owner], work.at)
