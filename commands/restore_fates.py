"""Each tombstone done again to a restored database that does not know of it; twice is once."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from commands.agreement import AgreementTarget
from commands.agreement_erasure import erase_agreement
from commands.erasure import erase_party, erase_session
from commands.link import renew_links
from commands.public_session import Target, end_session
from commands.token import revoke_token
from commands.work import Work
from domain.actor import OPERATOR
from domain.messages import Revoked
from domain.public_session import EndReason
from domain.tombstone import Fate
from domain.workflow_names import REVOKE
from store.agreement import AgreementRow
from store.party import PartyRow
from store.public_session import session_by_id
from store.sealed import opened_one
from store.token import TokenRow
from store.workspace import workspace_by_id

ERASED_SINCE = "It was erased after the backup that was restored"


async def end_again(work: Work, fate: Fate, session_id: UUID) -> bool:
    """Ends a session that had ended otherwise than by its deadline; nothing follows it again.

    What was captured since the backup is lost: a completed one cannot be completed again by us.
    """
    row = await session_by_id(work.db, session_id, lock=True)
    if row is None or row.end_reason is not None:
        return False
    reason = EndReason.REISSUED if fate == Fate.REISSUED else EndReason.REVOKED
    row.rationale = f"It was {fate} after the backup that was restored"
    await end_session(work, row, reason, OPERATOR, row.rationale)
    is_reissued = reason == EndReason.REISSUED
    work.tell_public_session(row.id, REVOKE, Revoked(str(row.id), reissued=is_reissued))
    row.settled_at = work.at
    return True


async def erase_session_again(work: Work, _: Fate, session_id: UUID) -> bool:
    """Erases a session."""
    row = await session_by_id(work.db, session_id)
    if row is None or row.erased_at is not None:
        return False
    await erase_session(work, Target(row.id, row.workspace_id, OPERATOR), ERASED_SINCE)
    return True


async def erase_party_again(work: Work, _: Fate, party_id: UUID) -> bool:
    """Erases a party."""
    row = await work.db.get(PartyRow, party_id)
    if row is None or row.erased_at is not None:
        return False
    await erase_party(work, row.workspace_id, row.id, ERASED_SINCE, OPERATOR)
    return True


async def erase_agreement_again(work: Work, _: Fate, agreement_id: UUID) -> bool:
    """Erases an agreement."""
    row = await work.db.get(AgreementRow, agreement_id)
    if row is None or row.erased_at is not None:
        return False
    await erase_agreement(work, AgreementTarget(row.id, row.workspace_id, OPERATOR), ERASED_SINCE)
    return True


async def revoke_token_again(work: Work, _: Fate, token_id: UUID) -> bool:
    """Ends an API token."""
    row = await opened_one(work.db, await work.db.get(TokenRow, token_id))
    if row is None or row.revoked_at is not None:
        return False
    await revoke_token(work, await workspace_by_id(work.db, row.workspace_id), row.id)
    return True


async def forget_address(work: Work, party_id: UUID, corrected_at: datetime) -> bool:
    """Takes the address from a party that has had another since; its old links are dead again.

    The right one is not known any more, and no code may go to the wrong one.
    """
    row = await opened_one(work.db, await work.db.get(PartyRow, party_id))
    if row is None or row.updated_at >= corrected_at or not row.email:
        return False
    await renew_links(work, row.workspace_id, row.id, "", OPERATOR)
    return True


AGAIN: Mapping[Fate, Callable[[Work, Fate, UUID], Awaitable[bool]]] = {
    Fate.COMPLETED: end_again,
    Fate.DECLINED: end_again,
    Fate.REVOKED: end_again,
    Fate.REISSUED: end_again,
    Fate.SESSION_ERASED: erase_session_again,
    Fate.PARTY_ERASED: erase_party_again,
    Fate.AGREEMENT_ERASED: erase_agreement_again,
    Fate.TOKEN_REVOKED: revoke_token_again,
}
"""What is done for each; whether there was anything to do. A corrected address needs its time."""
