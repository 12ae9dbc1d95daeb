"""The sessions of members: recognised, touched, ended (SH, EE rows).

`member_admission.py` begins them, under the limits.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

from commands.work import Work
from domain.actor import MEMBER_SESSIONS, Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.member import MemberState
from domain.member_errors import SignedOut
from domain.member_session import MemberSessionEnd
from domain.member_token import Tokens
from store.delegation import delegation_by_id
from store.known_device import forget_known_device_of, forget_known_devices
from store.member import MemberRow, member_by_id
from store.member_session import (
    MemberSessionRow,
    is_browser_living,
    living_sessions,
    member_session_by_id,
    session_by_digest,
    sessions_of_browser,
    touch_session,
)
from store.sign_in_step import end_steps

PURPOSE = "member-session"
LONGEST_BROWSER = 200
VOUCHED = "."
"""In a browser's secret, before the digest of whoever a reverse proxy vouched for."""
KEPT = frozenset({MemberSessionEnd.KILLED, MemberSessionEnd.DISPLACED})
"""Ends whose row is kept for a while: a killed one by SH-14, a displaced one to say so (EE-9)."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member with the session of its browser, and whom it acts for (EE-13)."""

    member: MemberRow
    session: MemberSessionRow
    acting_for: MemberRow | None = None

    @property
    def is_delegation_over(self) -> bool:
        """Whether it wants to act for somebody for whom it no longer may."""
        return self.session.delegation_id is not None and self.acting_for is None


@dataclass(frozen=True, slots=True)
class Browser:
    """What somebody signs in with: the secret of its cookie ("" for none) and its name.

    A program of the member's `takes_tokens` instead of a cookie, or `keeps_secret`, as it shows the
    same at every request. `vouched` is the digest of whoever a reverse proxy says is there, or "".
    `trusted` are the secrets of the cookies by which members trust it (SH-11), `device` is what
    tells it from others.
    """

    secret: str = ""
    name: str = ""
    takes_tokens: bool = False
    keeps_secret: bool = False
    vouched: str = ""
    trusted: tuple[str, ...] = ()
    device: str = ""

    @property
    def is_program(self) -> bool:
        """Whether it keeps no cookies."""
        return self.takes_tokens or self.keeps_secret


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session with the browser's new secret, or how many were one too many."""

    session: MemberSessionRow | None
    secret: str
    limit: int = 0
    tokens: Tokens | None = None


async def session_here(work: Work, workspace_id: UUID, secret: str) -> MemberSessionRow | None:
    """The session a browser has in a workspace, living or not."""
    digests = work.keyring.digests(PURPOSE, secret) if secret else []
    return await session_by_digest(work.db, workspace_id, digests) if digests else None


def vouched_in(secret: str) -> str:
    """The digest of whom a proxy vouched for when a browser got its secret, or ""."""
    return secret.partition(VOUCHED)[2]


async def renew_secret(work: Work, secret: str, vouched: str = "") -> str:
    """A new secret for a browser; the sessions it has go on under it (EE-5, EE-18)."""
    vouched = vouched_in(secret) or vouched
    newer = secrets.token_urlsafe(32) + (VOUCHED + vouched if vouched else "")
    if secret:
        digest = work.keyring.digest(PURPOSE, newer)
        for each in await sessions_of_browser(work.db, work.keyring.digests(PURPOSE, secret)):
            each.digest, each.key_version = digest, work.keyring.current
    return newer


async def look_for_member(work: Work, workspace_id: UUID, secret: str) -> SignedIn | SignedOut:
    """The member whose browser this is, or why there is none (N9); looking changes nothing."""
    row = await session_here(work, workspace_id, secret)
    return await _whose(work, row) if row else SignedOut()


async def _whose(work: Work, row: MemberSessionRow) -> SignedIn | SignedOut:
    if reason := row.value.end_at(work.at):
        return SignedOut(reason)
    member = await member_by_id(work.db, row.workspace_id, row.member_id)
    if member is None or member.state != MemberState.ACTIVE:
        return SignedOut()
    return SignedIn(member, row, await _acting_for(work, row))


async def _acting_for(work: Work, row: MemberSessionRow) -> MemberRow | None:
    """Whom a session acts for, as long as the grant is good and its owner active."""
    if row.delegation_id is None:
        return None
    grant = await delegation_by_id(work.db, row.workspace_id, row.delegation_id)
    if grant is None or not grant.value.is_good(work.at):
        return None
    owner = await member_by_id(work.db, row.workspace_id, grant.owner_id)
    return owner if owner is not None and owner.state == MemberState.ACTIVE else None


async def recognise_member(
    work: Work, workspace_id: UUID, secret: str, *, acting: bool
) -> SignedIn | SignedOut:
    """The member whose browser this is; `acting`: a person did something, which keeps it alive.

    A refusal is returned and not raised, because it may have a fact: a session that is over by
    arithmetic is deleted here and now (SH-13). It has the reason where one is known.
    """
    row = await session_here(work, workspace_id, secret)
    if row is None:
        return SignedOut()
    found = await _whose(work, row)
    if isinstance(found, SignedOut):
        if reason := row.value.end_at(work.at):
            await end_session(work, row, reason, MEMBER_SESSIONS)
        return found
    if acting and work.at - row.seen_at >= work.settings.session_touch_interval:
        return await _touched(work, found)
    return found


async def _touched(work: Work, found: SignedIn) -> SignedIn | SignedOut:
    return found if await touch_session(work.db, found.session, work.at) else SignedOut()


async def stay_connected(work: Work, workspace_id: UUID, secret: str) -> SignedIn | SignedOut:
    """The answer to the warning, from any tab (SH-2); refused if it came too late."""
    found = await recognise_member(work, workspace_id, secret, acting=False)
    return await _touched(work, found) if isinstance(found, SignedIn) else found


async def end_session(
    work: Work, row: MemberSessionRow, reason: MemberSessionEnd, actor: Actor
) -> None:
    """Ends a session, once whoever else ends it in this moment; its audit row stays.

    Its row goes at once unless it is kept for a while.
    """
    locked = await member_session_by_id(work.db, row.workspace_id, row.id, lock=True)
    if locked is None or locked.ended_at is not None:
        return
    audit_member_session(work, AuditEvent.MEMBER_SESSION_ENDED, row, actor, reason=reason.value)
    if reason in KEPT:
        row.ended_at, row.end_reason = work.at, reason
        return
    await work.db.delete(row)
    await work.db.flush()


async def end_sessions_in(work: Work, secret: str, reason: MemberSessionEnd) -> None:
    """Ends every session of a browser, in each of its workspaces."""
    digests = work.keyring.digests(PURPOSE, secret) if secret else []
    for each in await sessions_of_browser(work.db, digests):
        await end_session(work, each, reason, MEMBER_SESSIONS)


async def end_sessions_of(
    work: Work,
    member: MemberRow,
    reason: MemberSessionEnd,
    actor: Actor,
    *,
    but: UUID | None = None,
) -> int:
    """Ends every living session of a locked member, but one; returns how many.

    So do sign-ins that are half done, as they would be sessions soon; `but` may be one of those.
    Where they were is new at the next sign-in.
    """
    await forget_known_devices(work.db, member.id, but)
    await end_steps(work.db, member.id, work.at, but)
    living = await living_sessions(work.db, member.id, work.at)
    doomed = [each for each in living if each.id != but]
    for each in doomed:
        await end_session(work, each, reason, actor)
    return len(doomed)


@dataclass(frozen=True, slots=True)
class SessionTarget:
    """Which session of which workspace, and who acts on it; `owner` limits it to one's own."""

    workspace_id: UUID
    session_id: UUID
    actor: Actor
    owner: UUID | None = None


async def kill_session(work: Work, target: SessionTarget) -> MemberSessionRow:
    """Ends a session at once and keeps its row for a while (SH-14, SH-19); twice is once.

    Where it was is new at the next sign-in. Raises `NotFound` for one that does not exist, is not
    the owner's, or is over.
    """
    row = await make_room(work, target)
    await forget_known_device_of(work.db, row.id)
    return row


async def make_room(work: Work, target: SessionTarget) -> MemberSessionRow:
    """Kills a session only because its member wants another one: where it was stays known."""
    row = await member_session_by_id(work.db, target.workspace_id, target.session_id, lock=True)
    if row is None or target.owner not in {None, row.member_id}:
        raise NotFound("session")
    if row.end_reason == MemberSessionEnd.KILLED:
        return row
    if row.value.end_at(work.at) is not None:
        raise NotFound("session")
    await end_session(work, row, MemberSessionEnd.KILLED, target.actor)
    return row


async def log_out(work: Work, found: SignedIn, actor: Actor) -> None:
    """Ends this browser's session in this workspace, and in no other (EX-3, EE-8, SX-14)."""
    await end_session(work, found.session, MemberSessionEnd.LOGGED_OUT, actor)


async def is_signed_in_anywhere(work: Work, secret: str) -> bool:
    """Whether a browser's secret still opens anything, in any workspace (EE-5)."""
    digests = work.keyring.digests(PURPOSE, secret) if secret else []
    return bool(digests) and await is_browser_living(work.db, digests, work.at)


def audit_member_session(
    work: Work,
    event: AuditEvent,
    row: MemberSessionRow,
    actor: Actor = MEMBER_SESSIONS,
    **details: object,
) -> None:
    """Writes down what happened to a member's session."""
    subject = f"member_session:{row.id}"
    said = details | {"member": str(row.member_id)}
    work.audit_subject(event, row.workspace_id, subject, actor, said)
