"""Tells members of sign-ins from where they have not signed in before (ASVS 6.3.5).

A browser is known by a cookie that opens nothing, a program by the name that it gives itself. What
a member has ended the sessions of is new again: somebody else may have been there.
"""

import secrets
from uuid import UUID

from commands.mail import queue_member_mail
from commands.member import actor_of, audit_own
from commands.member_session import Browser
from commands.setting import effective_settings
from commands.work import Work
from domain.audit import AuditEvent
from domain.mail import MailKind
from store.known_device import KnownDeviceRow, known_by_digest
from store.member import MemberRow

PURPOSE = "known-device"
PROGRAM = "\0"
"""Before a program's name, so that no cookie is taken for one."""


async def note_device(work: Work, member: MemberRow, session_id: UUID, browser: Browser) -> None:
    """Remembers where a locked member's session begins, and tells it if that is new.

    Nobody is told of the first sign-in of all: an account that has just been made is known nowhere.
    """
    shown = f"{member.id}:{_shown(browser)}"
    row = await known_by_digest(work.db, member.id, work.keyring.digests(PURPOSE, shown))
    is_known = row is not None and row.expires_at > work.at
    row = row or _device_row(work, member, browser, shown)
    lasts = (await effective_settings(work, member.workspace_id)).login_known_device
    row.session_id, row.expires_at = session_id, work.at + lasts
    work.db.add(row)
    await work.db.flush()
    is_first = member.first_signed_in_at is None
    if is_first:
        member.first_signed_in_at = work.at
    if not is_known:
        _tell(work, member, row, is_first=is_first)


def _shown(browser: Browser) -> str:
    """What it is known by; whatever shows nothing is new every time."""
    if browser.is_program:
        return PROGRAM + browser.name
    return browser.device or secrets.token_urlsafe(32)


def _device_row(work: Work, member: MemberRow, browser: Browser, shown: str) -> KnownDeviceRow:
    return KnownDeviceRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        digest=work.keyring.digest(PURPOSE, shown),
        key_version=work.keyring.current,
        is_program=browser.is_program,
        created_at=work.at,
        browser=browser.name,
    )


def _tell(work: Work, member: MemberRow, row: KnownDeviceRow, *, is_first: bool) -> None:
    subject = f"known_device:{row.id}"
    audit_own(work, AuditEvent.KNOWN_DEVICE_ADDED, member, actor_of(member), subject)
    if not is_first:
        queue_member_mail(work, member, MailKind.MEMBER_NEW_DEVICE, row)
