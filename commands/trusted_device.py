"""Browsers that members trust: they stand for the second factor, never for the password (SH-11)."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from commands.member import actor_of, audit_own
from commands.member_session import LONGEST_BROWSER, Browser
from commands.setting import effective_settings
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from store.member import MemberRow
from store.trusted_device import TrustedDeviceRow, delete_device, device_by_digest

PURPOSE = "trusted-device"


@dataclass(frozen=True, slots=True)
class TrustedBrowser:
    """What a browser is given when a member trusts it, and for how long."""

    member_id: UUID
    secret: str
    lasts: timedelta


async def is_trusted_here(work: Work, member: MemberRow, browser: Browser) -> bool:
    """Whether the member trusts this browser; that it was used is written down."""
    digests = [digest for each in browser.trusted for digest in work.keyring.digests(PURPOSE, each)]
    row = await device_by_digest(work.db, member.id, digests, work.at) if digests else None
    if row is not None:
        row.used_at = work.at
    return row is not None


async def trust_browser(work: Work, member: MemberRow, browser: Browser) -> TrustedBrowser:
    """Trusts the browser in which a locked member has just shown the second factor."""
    lasts = (await effective_settings(work, member.workspace_id)).token_trusted_device
    secret = secrets.token_urlsafe(32)
    row = TrustedDeviceRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        digest=work.keyring.digest(PURPOSE, secret),
        key_version=work.keyring.current,
        created_at=work.at,
        used_at=work.at,
        expires_at=work.at + lasts,
        browser=browser.name[:LONGEST_BROWSER],
    )
    work.db.add(row)
    await work.db.flush()
    subject = f"trusted_device:{row.id}"
    audit_own(work, AuditEvent.TRUSTED_DEVICE_ADDED, member, actor_of(member), subject)
    return TrustedBrowser(member.id, secret, lasts)


async def end_trust(work: Work, member: MemberRow, device_id: UUID, actor: Actor) -> None:
    """Trusts one browser of the member no longer; raises `NotFound`."""
    if not await delete_device(work.db, member.id, device_id):
        raise NotFound("browser")
    subject = f"trusted_device:{device_id}"
    audit_own(work, AuditEvent.TRUSTED_DEVICE_ENDED, member, actor, subject)
