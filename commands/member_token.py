"""Tokens with which a member's program calls the API (SH-9, SH-10, SX-14; RFC 6749, RFC 9700).

A family is one session of the member: its pairs follow each other, and whatever ends the session
ends them all. Of a refresh token that was used before, one of two holders has stolen it: the family
dies. Only who repeats itself at once, as when an answer was lost, is told the same again.
"""

from datetime import datetime

from commands.member import actor_of
from commands.member_session import SignedIn, end_session
from commands.setting import effective_settings
from commands.work import Work
from domain.actor import MEMBER_SESSIONS
from domain.member import MemberState
from domain.member_errors import TokenRefused
from domain.member_session import MemberSessionEnd
from domain.member_token import Tokens, is_repetition
from store.columns import new_id
from store.member import MemberRow, member_by_id
from store.member_session import MemberSessionRow, member_session_by_id
from store.member_token import (
    MemberTokenRow,
    pair_of_access,
    pair_of_refresh,
    session_of_access,
)

ACCESS, REFRESH = "gp_at_", "gp_rt_"
PURPOSE = "member-token"
KINDS = (ACCESS, REFRESH)


async def first_tokens(work: Work, session: MemberSessionRow) -> Tokens:
    """The first pair of a session that has just begun; its end is the last refresh token's."""
    return _handed_out(work, await _add_pair(work, session, session.value.ends_at))


async def _add_pair(work: Work, session: MemberSessionRow, ends_at: datetime) -> MemberTokenRow:
    settings = await effective_settings(work, session.workspace_id)
    row_id, version = new_id(), work.keyring.current
    texts = {kind: kind + work.keyring.member_token(kind, row_id, version) for kind in KINDS}
    row = MemberTokenRow(
        id=row_id,
        workspace_id=session.workspace_id,
        session_id=session.id,
        access_digest=work.keyring.digest(PURPOSE, texts[ACCESS]),
        refresh_digest=work.keyring.digest(PURPOSE, texts[REFRESH]),
        key_version=version,
        created_at=work.at,
        access_expires_at=min(work.at + settings.token_access, ends_at),
        refresh_expires_at=ends_at,
    )
    work.db.add(row)
    await work.db.flush()
    return row


def _handed_out(work: Work, row: MemberTokenRow) -> Tokens:
    access, refresh = (
        kind + work.keyring.member_token(kind, row.id, row.key_version) for kind in KINDS
    )
    return Tokens(access, refresh, row.access_expires_at - row.created_at)


async def member_of_access(work: Work, text: str) -> SignedIn | None:
    """Whose access token this is, as long as its session may act."""
    session = await session_of_access(work.db, work.keyring.digests(PURPOSE, text), work.at)
    if session is None or session.value.end_at(work.at) is not None:
        return None
    member = await _active_owner(work, session)
    return SignedIn(member, session) if member else None


async def refresh_tokens(work: Work, text: str) -> Tokens | TokenRefused:
    """The next pair of a family, or the end of the family if its refresh token was used before.

    The refusal is returned and not raised, for it may have a fact. Whoever refreshes holds the
    session's row: of any number at once, one makes the next pair and the others are told it.
    """
    found = await pair_of_refresh(work.db, work.keyring.digests(PURPOSE, text))
    session = await _locked_session(work, found) if found else None
    if found is None or session is None or not await _still_of(work, session):
        return TokenRefused()
    await work.db.refresh(found)
    if found.used_at is None:
        return _handed_out(work, await _rotate(work, found, session))
    successor = await _repeated(work, found, found.used_at)
    if successor is None:
        await end_session(work, session, MemberSessionEnd.TOKEN_REUSED, MEMBER_SESSIONS)
        return TokenRefused()
    return _handed_out(work, successor)


async def _locked_session(work: Work, pair: MemberTokenRow) -> MemberSessionRow | None:
    return await member_session_by_id(work.db, pair.workspace_id, pair.session_id, lock=True)


async def _still_of(work: Work, session: MemberSessionRow) -> MemberRow | None:
    """Whose locked session this is, if it may go on; one that is over by arithmetic is ended."""
    if reason := session.value.end_at(work.at):
        if session.ended_at is None:
            await end_session(work, session, reason, MEMBER_SESSIONS)
        return None
    return await _active_owner(work, session)


async def _active_owner(work: Work, session: MemberSessionRow) -> MemberRow | None:
    member = await member_by_id(work.db, session.workspace_id, session.member_id)
    return member if member is not None and member.state == MemberState.ACTIVE else None


async def _rotate(work: Work, pair: MemberTokenRow, session: MemberSessionRow) -> MemberTokenRow:
    successor = await _add_pair(work, session, pair.refresh_expires_at)
    pair.used_at, pair.successor_id = work.at, successor.id
    session.touch(work.at)
    return successor


async def _repeated(work: Work, pair: MemberTokenRow, used_at: datetime) -> MemberTokenRow | None:
    """The pair that an honest repetition is told; None where the token was taken from somebody."""
    if not is_repetition(used_at, work.at):
        return None
    successor = await work.db.get(MemberTokenRow, pair.successor_id)
    return successor if successor is not None and successor.used_at is None else None


async def revoke_tokens(work: Work, text: str) -> None:
    """Ends the session that a token of either kind is of, and no other (SX-14; RFC 7009).

    A token that is unknown or over is as revoked as its holder wants it.
    """
    look_up = pair_of_access if text.startswith(ACCESS) else pair_of_refresh
    found = await look_up(work.db, work.keyring.digests(PURPOSE, text))
    session = await _locked_session(work, found) if found else None
    member = await _still_of(work, session) if session else None
    if session is not None and member is not None:
        await end_session(work, session, MemberSessionEnd.LOGGED_OUT, actor_of(member))
