"""A party that begins in a browser where a member is signed in: the member's session ends (EX-4).

Not before the party has confirmed its mailbox, and not without a warning (C15). Who is a member and
the party at once, by the address, is nobody else.
"""

from commands.member_session import SignedIn, end_session, look_for_member
from commands.work import Work
from domain.actor import MEMBER_SESSIONS
from domain.address import without_capitals
from domain.member_session import MemberSessionEnd
from store.member_session import member_session_by_id
from store.party import PartyRow


async def member_before(work: Work, party: PartyRow, secret: str) -> SignedIn | None:
    """The member whose session in this browser ends when the party begins; `secret` is of it."""
    found = await look_for_member(work, party.workspace_id, secret)
    if not isinstance(found, SignedIn):
        return None
    own, others = (without_capitals(each.email) for each in (found.member, party))
    return None if own == others else found


async def end_member_before(work: Work, found: SignedIn) -> None:
    """Ends the session; one that ended meanwhile stays as it is."""
    known = found.session
    row = await member_session_by_id(work.db, known.workspace_id, known.id, lock=True)
    if row is not None and row.value.end_at(work.at) is None:
        await end_session(work, row, MemberSessionEnd.DIFFERENT_USER, MEMBER_SESSIONS)
