"""Whoever forgot its password is mailed a link to choose another (SH-8)."""

from uuid import UUID

from commands.mail import queue_member_mail
from commands.member import address_digest
from commands.member_link import LinkKind, mailed_too_often, make_link
from commands.work import Work
from domain.mail import MailKind
from domain.member import MemberState
from store.member import member_by_address

LINK_FOR = {
    MemberState.ACTIVE: (LinkKind.FORGOT_PASSWORD, MailKind.MEMBER_PASSWORD_RESET),
    MemberState.INVITED: (LinkKind.INVITATION, MailKind.MEMBER_INVITATION),
}
"""Somebody who was invited and has no password yet gets a fresh invitation instead."""


async def mail_new_password_link(work: Work, workspace_id: UUID, email: str) -> None:
    """Mails a link, if the address is a member's that may sign in and was not mailed too often.

    Whoever asks is told nothing of that, and the caller sees to it that it takes as long.
    """
    digest = address_digest(work, email)
    member = await member_by_address(work.db, workspace_id, digest, lock=True)
    found = LINK_FOR.get(MemberState(member.state)) if member else None
    if member is None or found is None:
        return
    link_kind, mail_kind = found
    if not await mailed_too_often(work, member, link_kind):
        queue_member_mail(work, member, mail_kind, await make_link(work, member, link_kind))
