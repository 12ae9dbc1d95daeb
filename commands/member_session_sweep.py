"""Removes sessions of members that are over: housekeeping's part of SH-13 and SH-14."""

from commands.member_session import end_session
from commands.work import Work
from domain.actor import MEMBER_SESSIONS
from store.member_session import delete_ended, sessions_timed_out


async def delete_timed_out(work: Work, most: int) -> int:
    """Deletes sessions that are over by arithmetic, each with its audit row (SH-13)."""
    rows = await sessions_timed_out(work.db, work.at, most)
    for each in rows:
        reason = each.value.end_at(work.at)
        if reason is not None:
            await end_session(work, each, reason, MEMBER_SESSIONS)
    return len(rows)


async def delete_kept(work: Work, most: int) -> int:
    """Deletes rows of sessions that were ended long enough ago: the "core thread" of SH-14."""
    return await delete_ended(work.db, work.at - work.settings.session_kill_retention, most)
