"""After a restore: every member signs in anew, with everything that is asked of it.

Which sessions and trusted browsers were ended since the backup, and which links were used, nobody
knows any more.
"""

from uuid import UUID

from commands.member_link import LinkKind
from commands.member_session import end_sessions_of
from commands.work import Work
from domain.actor import OPERATOR
from domain.member_session import MemberSessionEnd
from store.member import MemberRow, member_by_id
from store.member_link import end_links
from store.trusted_device import delete_devices

OF_ACCOUNT = (LinkKind.FORGOT_PASSWORD, LinkKind.DELETE_ACCOUNT)
"""An invitation stays: whoever accepted it since has to do so again."""


async def know_member_no_longer(work: Work, member_id: UUID) -> bool:
    """Ends a member's sessions, and trusts and knows none of its browsers; whether it had any."""
    known = await work.db.get(MemberRow, member_id)
    member = (
        await member_by_id(work.db, known.workspace_id, member_id, lock=True) if known else None
    )
    if member is None:
        return False
    ended = await end_sessions_of(work, member, MemberSessionEnd.KILLED, OPERATOR)
    trusted = await delete_devices(work.db, member.id)
    await end_links(work.db, member.id, OF_ACCOUNT, work.at)
    return bool(ended or trusted)
