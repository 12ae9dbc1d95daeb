"""What a mail to a member says at the moment of sending, or why it must not be sent."""

from datetime import datetime

from adapters.mail_rendering import MailContent
from commands.mail_letter import Letter, Withdrawn
from commands.member_link import address_of_link
from commands.setting import effective_settings
from commands.work import Work
from domain.mail import MailKind
from domain.member import MemberState
from store.known_device import known_by_id
from store.mail import MailRow
from store.member import MemberRow
from store.member_link import MemberLinkRow
from store.workspace import WorkspaceRow

WITH_LINK = frozenset(
    {
        MailKind.MEMBER_INVITATION,
        MailKind.MEMBER_PASSWORD_RESET,
        MailKind.MEMBER_ACCOUNT_DELETION,
    }
)


async def member_letter(
    work: Work, mail: MailRow, member: MemberRow, workspace: WorkspaceRow
) -> Letter | Withdrawn:
    """What the mail says now; a link is derived here and stored nowhere."""
    link = await work.db.get(MemberLinkRow, mail.member_link_id) if mail.member_link_id else None
    if refusal := _refusal(work, mail, member, link):
        return Withdrawn(refusal)
    device = await known_by_id(work.db, mail.known_device_id) if mail.known_device_id else None
    content = MailContent(
        workspace_name=workspace.name,
        contact=workspace.contact or None,
        member_name=member.name,
        member_email=member.email,
        link=_address(work, mail, workspace, link),
        expires_at=link.expires_at if link else await _lock_ends_at(work, mail, member),
        happened_at=mail.created_at,
        browser=device.browser if device else "",
        is_program=device is not None and device.is_program,
        written_at=work.at,
        locale=member.locale,
        zone=member.zone,
    )
    return Letter(member.email, content)


def _refusal(work: Work, mail: MailRow, member: MemberRow, link: MemberLinkRow | None) -> str:
    if member.state == MemberState.DELETED:
        return "erased"
    if mail.recipient_digest != work.keyring.address_digest(member.email):
        return "address_corrected"
    is_usable = link is not None and link.used_at is None and link.expires_at > work.at
    if mail.kind in WITH_LINK and not is_usable:
        return "link_over"
    if mail.kind == MailKind.MEMBER_LOCKED and member.locked_at is None:
        return "unlocked"
    return ""


def _address(
    work: Work, mail: MailRow, workspace: WorkspaceRow, link: MemberLinkRow | None
) -> str | None:
    """Where the mail leads to; without a link that is where one signs in first."""
    if link is not None:
        return address_of_link(work, workspace.key, link)
    if mail.kind != MailKind.MEMBER_NEW_DEVICE:
        return None
    return f"{work.settings.public_url.rstrip('/')}/console/{workspace.key}/account/sessions"


async def _lock_ends_at(work: Work, mail: MailRow, member: MemberRow) -> datetime | None:
    if mail.kind != MailKind.MEMBER_LOCKED or member.locked_at is None:
        return None
    settings = await effective_settings(work, member.workspace_id)
    return member.locked_at + settings.login_lock
