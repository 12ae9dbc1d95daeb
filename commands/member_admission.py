"""A new session of a member: admitted under the limits, or refused (SH-5, EE-9, EE-19, C17).

The member is locked: a limit is a count under that lock, so that fifty sign-ins at once never make
a sixth session.
"""

import secrets

from commands.known_device import note_device
from commands.member_session import (
    LONGEST_BROWSER,
    PURPOSE,
    Begun,
    Browser,
    audit_member_session,
    end_session,
    renew_secret,
    session_here,
)
from commands.member_session_terms import concurrency_of, terms_of
from commands.setting import effective_settings
from commands.work import Work
from domain.actor import MEMBER_SESSIONS
from domain.audit import AuditEvent
from domain.concurrency import ConcurrencyPolicy
from domain.member_session import MemberSessionEnd
from domain.settings import Settings
from domain.sign_in import SignInMode
from store.member import MemberRow
from store.member_session import MemberSessionRow, delete_sessions, living_sessions


async def begin_session(work: Work, member: MemberRow, mode: SignInMode, browser: Browser) -> Begun:
    """Admits one more session of a locked member, or none where the limit refuses it.

    The browser gets a new secret at every sign-in, for all its workspaces (EE-18); the session it
    had in this workspace ends, whoever's it was (EX-4), once the new one is admitted.
    """
    settings = await effective_settings(work, member.workspace_id)
    here = await session_here(work, member.workspace_id, browser.secret)
    if limit := await _refusing_limit(work, member, concurrency_of(settings, mode), here):
        return Begun(None, browser.secret, limit)
    if here is not None:
        await _end_here(work, member, here)
    secret = browser.secret
    if not browser.keeps_secret:
        secret = await renew_secret(work, secret, browser.vouched)
    row = _session_row(work, member, mode, browser, settings)
    row.digest = work.keyring.digest(PURPOSE, secret)
    row.browser = browser.name[:LONGEST_BROWSER]
    work.db.add(row)
    await work.db.flush()
    audit_member_session(work, AuditEvent.MEMBER_SESSION_STARTED, row, mode=mode.value)
    await note_device(work, member, row.id, browser)
    return Begun(row, secret)


def _session_row(
    work: Work, member: MemberRow, mode: SignInMode, browser: Browser, settings: Settings
) -> MemberSessionRow:
    terms = terms_of(settings, takes_tokens=browser.takes_tokens)
    row = MemberSessionRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        digest="",
        key_version=work.keyring.current,
        mode=mode,
        signed_in_at=work.at,
        idle=terms.idle,
        grace=terms.grace,
        absolute_at=terms.absolute_at(work.at),
        unchecked=not settings.session_check_concurrency,
    )
    row.touch(work.at)
    return row


async def _refusing_limit(
    work: Work, member: MemberRow, policy: ConcurrencyPolicy | None, here: MemberSessionRow | None
) -> int:
    """The limit if it refuses one more session, else 0; what it displaces ends.

    The session this browser has already is not counted: the new one comes in its place.
    """
    if policy is None:
        return 0
    living = await living_sessions(work.db, member.id, work.at, checked=True)
    admission = policy.admitting([each for each in living if here is None or each.id != here.id])
    if admission.is_refused:
        return policy.limit
    for each in admission.displaced:
        await end_session(work, each, MemberSessionEnd.DISPLACED, MEMBER_SESSIONS)
    return 0


async def _end_here(work: Work, member: MemberRow, row: MemberSessionRow) -> None:
    if row.ended_at is not None:
        # It is shown for a while (SH-14), under a secret that nobody has.
        row.digest = work.keyring.digest(PURPOSE, secrets.token_urlsafe(32))
        row.key_version = work.keyring.current
        await work.db.flush()
        return
    same = row.member_id == member.id
    reason = MemberSessionEnd.LOGGED_OUT if same else MemberSessionEnd.DIFFERENT_USER
    if row.value.end_at(work.at) is None:
        audit_member_session(work, AuditEvent.MEMBER_SESSION_ENDED, row, reason=reason.value)
    await delete_sessions(work.db, [row.id])
    work.db.expunge(row)
