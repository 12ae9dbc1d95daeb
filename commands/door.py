"""The party's door: the link finds the session, and mails a code to the address on file (PS-26).

The link opens nothing, and asking for a code shows nothing: only the code, typed by somebody who
reads that mailbox, binds a browser (`commands/binding.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.keyring import link_digest, read_link_token
from commands.mail import queue_party_mail
from commands.party import find_party
from commands.public_session import refuse_ended
from commands.public_session_terms import code_policy, mail_allowance, settings_in
from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.code import MAIL_WINDOW
from domain.errors import NoContactAddress, NotFound, VerificationLocked
from domain.mail import MailKind
from domain.party import masked
from domain.public_session import EndReason
from store.code import CodeRow, code_value, living_codes, tries_of
from store.mail import MailRow, lock_recipient, mail_times, newest_mail
from store.party import PartyRow
from store.public_session import PublicSessionRow, TaskRow, session_by_link, tasks_of, value_of
from store.visit import count_visit
from store.workspace import WorkspaceRow, workspace_by_id

DOOR = "door"


@dataclass(frozen=True, slots=True)
class Door:
    """What whoever holds the link is shown."""

    session: PublicSessionRow
    party: PartyRow
    workspace: WorkspaceRow
    tasks: tuple[TaskRow, ...]
    end_reason: EndReason | None
    address: str


async def open_door(work: Work, link: str, *, counted: bool = False) -> Door:
    """What a link leads to; raises `NotFound`. Changes nothing but, if `counted`, a counter."""
    session = await session_behind(work, link)
    if counted:
        await count_visit(work.db, session.id, work.at)
    party = await find_party(work, session.workspace_id, session.party_id)
    tasks = tuple(await tasks_of(work.db, session.id))
    return Door(
        session=session,
        party=party,
        workspace=await workspace_by_id(work.db, session.workspace_id),
        tasks=tasks,
        end_reason=value_of(session, tasks).end_at(work.at),
        address=masked(party.email),
    )


async def session_behind(work: Work, link: str, *, lock: bool = False) -> PublicSessionRow:
    """The session whose living link this is; raises `NotFound`."""
    digest = link_digest(read_link_token(link))
    session = await session_by_link(work.db, digest, lock=lock)
    if session is None:
        raise NotFound("link")
    return session


@dataclass(frozen=True, slots=True)
class CodeMail:
    """The newest code mail as the page tells of it, and when another may be asked for."""

    session_id: UUID
    address: str
    asked_at: datetime | None
    state: str
    code_expires_at: datetime | None
    next_at: datetime
    sent_now: bool


async def ask_code(work: Work, link: str, door: str) -> CodeMail:
    """Mails a code to the address on file, within the limits of C12 and C13.

    A second click within the interval mails nothing and says when the next is possible. Raises
    `NotFound`, `SessionEnded`, `NoContactAddress`, `VerificationLocked`.
    """
    session = await session_behind(work, link, lock=True)
    refuse_ended(work, session)
    party = await find_party(work, session.workspace_id, session.party_id)
    refuse_locked(party)
    if not party.email:
        raise NoContactAddress
    # The limit is the address's: another session's request for it waits here.
    digest = work.keyring.address_digest(party.email)
    await lock_recipient(work.db, session.workspace_id, digest)
    sent, here = await _code_mails(work, session, party)
    next_at = mail_allowance(settings_in(work, session)).next_at(sent, work.at, here)
    if next_at > work.at:
        return await _code_mail(work, session, party, next_at, sent_now=False)
    code = await _code_to_send(work, session, door)
    cause = f"{code.counter}-{work.at.isoformat()}"
    await queue_party_mail(work, session, party, MailKind.CODE, cause, code_id=code.id)
    work.audit_session(AuditEvent.SESSION_CODE_REQUESTED, session, visitor_at(work, door))
    await work.db.flush()
    after = mail_allowance(settings_in(work, session)).next_at([*sent, work.at], work.at, [work.at])
    return await _code_mail(work, session, party, after, sent_now=True)


async def code_mail(work: Work, link: str) -> CodeMail:
    """What the code page says of the newest code mail; changes nothing. Raises as `ask_code`."""
    session = await session_behind(work, link)
    refuse_ended(work, session)
    party = await find_party(work, session.workspace_id, session.party_id)
    refuse_locked(party)
    sent, here = await _code_mails(work, session, party)
    next_at = mail_allowance(settings_in(work, session)).next_at(sent, work.at, here)
    return await _code_mail(work, session, party, next_at, sent_now=False)


async def _code_mails(
    work: Work, session: PublicSessionRow, party: PartyRow
) -> tuple[Sequence[datetime], Sequence[datetime]]:
    """When code mails were asked for: to the address, and of these the session's newest."""
    digest = work.keyring.address_digest(party.email)
    since = work.at - MAIL_WINDOW
    sent = await mail_times(work.db, session.workspace_id, digest, MailKind.CODE, since)
    newest = await newest_mail(work.db, session.id, MailKind.CODE)
    here = [newest.created_at] if newest and newest.recipient_digest == digest else []
    return sent, here


async def _code_mail(
    work: Work, session: PublicSessionRow, party: PartyRow, next_at: datetime, *, sent_now: bool
) -> CodeMail:
    mail: MailRow | None = await newest_mail(work.db, session.id, MailKind.CODE)
    code = await work.db.get(CodeRow, mail.code_id) if mail and mail.code_id else None
    return CodeMail(
        session_id=session.id,
        address=masked(party.email),
        asked_at=mail.created_at if mail else None,
        state=mail.state if mail else "",
        code_expires_at=code.expires_at if code else None,
        next_at=next_at,
        sent_now=sent_now,
    )


async def _code_to_send(work: Work, session: PublicSessionRow, door: str) -> CodeRow:
    """The young code once more, or a new one; an older code stays good until its own end (C13)."""
    policy, place = code_policy(settings_in(work, session)), door_digest(work, door)
    living = await living_codes(work.db, session.id, work.at)
    tries = await tries_of(work.db, living, place)
    for row in living[:1]:
        if code_value(row, tries.get(row.id, 0)).is_sent_again(work.at, policy):
            return row
    session.code_counter += 1
    row = CodeRow(
        session_id=session.id,
        counter=session.code_counter,
        key_version=work.keyring.current,
        created_at=work.at,
        expires_at=min(work.at + policy.life, session.expires_at),
    )
    work.db.add(row)
    await work.db.flush()
    return row


def door_digest(work: Work, door: str) -> str:
    """What is stored of the asking browser."""
    return work.keyring.digest(DOOR, door)[:32]


def refuse_locked(party: PartyRow) -> None:
    """Raises `VerificationLocked` after too many wrong codes (C12)."""
    if party.verification_locked_at is not None:
        raise VerificationLocked


def visitor_at(work: Work, door: str) -> Actor:
    """Whoever stands at the door with this cookie, as the audit names them."""
    return Actor(ActorKind.VISITOR, door_digest(work, door)[:8])
