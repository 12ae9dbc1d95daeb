"""Members of a house and the links they are mailed."""

from uuid import UUID

from sqlmodel import col, select

from commands.member import invite_member, set_password
from commands.member_link import LinkKind
from commands.password import hashed
from domain.actor import OPERATOR
from domain.member import MemberFields, Role
from store.member import MemberRow
from store.member_link import MemberLinkRow
from tests.rooms.house import House

PASSWORD = "correct horse battery"


async def invite(
    house: House, email: str, role: Role = Role.PUBLISHER, locale: str = "en"
) -> MemberRow:
    """Somebody who was invited and has not come yet."""
    fields = MemberFields(email, "Anna Berg", role, locale, "Europe/Berlin")
    async with house.transactions.work() as work:
        return (await invite_member(work, house.workspace_id, fields, OPERATOR)).member


async def register(house: House, email: str, role: Role = Role.PUBLISHER) -> MemberRow:
    """Somebody with an account and the password."""
    member = await invite(house, email, role)
    token, kept = await newest_link(house, member.id, LinkKind.INVITATION), await hashed(PASSWORD)
    async with house.transactions.work() as work:
        return await set_password(work, house.workspace_id, token, kept)


async def newest_link(house: House, member_id: UUID, kind: LinkKind) -> str:
    """The token of the newest link of a kind that a member was mailed."""
    found = select(MemberLinkRow).where(
        MemberLinkRow.member_id == member_id, MemberLinkRow.kind == kind
    )
    async with house.transactions.work() as work:
        row = (await work.db.scalars(found.order_by(col(MemberLinkRow.id).desc()))).first()
        assert row is not None, f"no {kind} link was made"
        return work.keyring.member_link_token(row.id, row.key_version)
