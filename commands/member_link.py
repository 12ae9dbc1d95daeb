"""Links mailed to members: made, looked at, used up once (SH-7, SH-8)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from adapters.keyring import link_digest, read_link_token
from commands.setting import effective_settings
from commands.work import Work
from domain.errors import NotFound
from domain.member_errors import LinkOver
from domain.setting import HOUR
from domain.settings import Settings
from store.columns import new_id
from store.member import MemberRow, member_by_id
from store.member_link import MemberLinkRow, count_links, link_by_digest, use_link


class LinkKind(StrEnum):
    """What a link to a member leads to."""

    INVITATION = "invitation"
    FORGOT_PASSWORD = "forgot_password"  # noqa: S105 - a kind, not a secret
    DELETE_ACCOUNT = "delete_account"

    def life(self, settings: Settings) -> timedelta:
        """How long such a link is good; both of SH-8 have one setting."""
        own = self is LinkKind.INVITATION
        return settings.link_invitation if own else settings.link_account


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that can be used now, and whose it is."""

    row: MemberLinkRow
    member: MemberRow


async def make_link(work: Work, member: MemberRow, kind: LinkKind) -> MemberLinkRow:
    """A new link; those made before stay good until their own end."""
    settings = await effective_settings(work, member.workspace_id)
    link_id, version = new_id(), work.keyring.current
    row = MemberLinkRow(
        id=link_id,
        workspace_id=member.workspace_id,
        member_id=member.id,
        kind=kind,
        digest=link_digest(work.keyring.member_link_token(link_id, version)),
        key_version=version,
        created_at=work.at,
        expires_at=work.at + kind.life(settings),
    )
    work.db.add(row)
    await work.db.flush()
    return row


def address_of_link(work: Work, workspace_key: str, row: MemberLinkRow) -> str:
    """Where a link leads, derived at this moment and stored nowhere."""
    token = work.keyring.member_link_token(row.id, row.key_version)
    return f"{work.settings.public_url.rstrip('/')}/console/{workspace_key}/links/{token}"


async def open_link(work: Work, workspace_id: UUID, token: str) -> OpenLink:
    """What a link leads to; looking changes nothing, so that a mail scanner may (SX-7).

    Raises `NotFound` for what is no link of this workspace, or `LinkOver`.
    """
    row = await link_by_digest(work.db, link_digest(read_link_token(token)))
    if row is None or row.workspace_id != workspace_id:
        raise NotFound("link")
    member = await member_by_id(work.db, workspace_id, row.member_id)
    if member is None or row.used_at is not None or row.expires_at <= work.at:
        raise LinkOver(row.kind)
    return OpenLink(row, member)


async def spend_link(work: Work, workspace_id: UUID, token: str) -> OpenLink:
    """Uses a link up; of any number at once, one succeeds. Raises as `open_link` does.

    The member is locked first, as by every verb, and is as it is under that lock.
    """
    found = await open_link(work, workspace_id, token)
    member = await member_by_id(work.db, workspace_id, found.member.id, lock=True)
    if member is None or not await use_link(work.db, found.row.id, work.at):
        raise LinkOver(found.row.kind)
    return OpenLink(found.row, member)


async def mailed_too_often(work: Work, member: MemberRow, kind: LinkKind) -> bool:
    """Whether a member was mailed as many links of a kind in the last hour as is allowed."""
    since = work.at - HOUR
    return await count_links(work.db, member.id, kind, since) >= work.settings.link_mails_per_hour
