"""The party's door: the link finds the session, a typed code binds the browser (PS-26, PS-27).

The link opens nothing. Asking for a code mails it to the address on file and shows nothing; only
the code, typed by somebody who reads that mailbox, binds a browser.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.keyring import link_digest, read_link_token, same_code
from commands.link import end_binding
from commands.mail import code_text, queue_party_mail
from commands.party import find_party
from commands.public_session import idle_policy, mail_allowance, refuse_ended
from commands.work import Transactions, Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.code import MAIL_WINDOW, CodePolicy
from domain.errors import (
    CodeSpent,
    CodeWrong,
    DomainError,
    NoContactAddress,
    NotFound,
    VerificationLocked,
)
from domain.mail import MailKind
from domain.messages import TakenOver
from domain.party import masked
from domain.public_session import EndReason, Status
from domain.workflow_names import TAKE_OVER
from store.code import (
    CodeRow,
    code_value,
    consume_code,
    count_try,
    last_consumed,
    living_codes,
    tries_of,
)
from store.columns import new_id
from store.mail import MailRow, mail_times, newest_mail
from store.party import PartyRow
from store.public_session import (
    BindingRow,
    PublicSessionRow,
    TaskRow,
    binding_by_id,
    binding_value,
    count_visit,
    session_by_link,
    tasks_of,
    value_of,
)
from store.workspace import WorkspaceRow, workspace_by_id

DOOR = "door"
BINDING = "binding"


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
    session = await _by_link(work, link)
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


async def _by_link(work: Work, link: str, *, lock: bool = False) -> PublicSessionRow:
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
    session = await _by_link(work, link, lock=True)
    refuse_ended(work, session)
    party = await find_party(work, session.workspace_id, session.party_id)
    _refuse_locked(party)
    if not party.email:
        raise NoContactAddress
    next_at = await _next_code_mail_at(work, session, party)
    if next_at > work.at:
        return await _code_mail(work, session, party, next_at, sent_now=False)
    code = await _code_to_send(work, session, door)
    cause = f"{code.counter}-{work.at.isoformat()}"
    await queue_party_mail(work, session, party, MailKind.CODE, cause, code_id=code.id)
    work.audit_session(AuditEvent.SESSION_CODE_REQUESTED, session, _visitor(door))
    await work.db.flush()
    after = await _next_code_mail_at(work, session, party)
    return await _code_mail(work, session, party, after, sent_now=True)


async def code_mail(work: Work, link: str) -> CodeMail:
    """What the code page says of the newest code mail; changes nothing. Raises as `ask_code`."""
    session = await _by_link(work, link)
    refuse_ended(work, session)
    party = await find_party(work, session.workspace_id, session.party_id)
    next_at = await _next_code_mail_at(work, session, party)
    return await _code_mail(work, session, party, next_at, sent_now=False)


async def _next_code_mail_at(work: Work, session: PublicSessionRow, party: PartyRow) -> datetime:
    """One a minute for each session and address; five an hour and twenty a day for each address."""
    digest = work.keyring.address_digest(party.email)
    sent = await mail_times(work.db, digest, MailKind.CODE, work.at - MAIL_WINDOW)
    newest = await newest_mail(work.db, session.id, MailKind.CODE)
    here = [newest.created_at] if newest and newest.recipient_digest == digest else []
    return mail_allowance(work).next_at(sent, work.at, here)


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
    policy, place = code_policy(work), door_digest(work, door)
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


def code_policy(work: Work) -> CodePolicy:
    """The limits of codes, from the settings."""
    return CodePolicy(
        work.settings.code_life,
        work.settings.code_tries_per_browser,
        work.settings.code_tries_per_code,
        work.settings.code_failures_per_party,
    )


def door_digest(work: Work, door: str) -> str:
    """What is stored of the asking browser."""
    return work.keyring.digest(DOOR, door)[:32]


def _refuse_locked(party: PartyRow) -> None:
    if party.verification_locked_at is not None:
        raise VerificationLocked


def _visitor(door: str) -> Actor:
    return Actor(ActorKind.VISITOR, door[:6])


@dataclass(frozen=True, slots=True)
class Verify:
    """A code typed in a browser: the link, the browser's door cookie, what was typed."""

    link: str
    door: str
    typed: str
    browser: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """The browser that may act now, and the secret of its cookie."""

    session_id: UUID
    secret: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A counted try: which code fits, or a refusal to raise once the count is committed."""

    session_id: UUID
    code_id: UUID | None = None
    refusal: DomainError | None = None
    bound: Bound | None = None


async def verify(transactions: Transactions, wanted: Verify) -> Bound:
    """Binds the browser whose person typed the right code.

    The try is counted and committed before anything else, then the code is used up by one guarded
    statement in the transaction that binds. Raises `NotFound`, `SessionEnded`,
    `VerificationLocked`, `CodeSpent` or `CodeWrong`.
    """
    async with transactions.work() as work:
        attempt = await _count_and_compare(work, wanted)
    if attempt.refusal:
        raise attempt.refusal
    if attempt.bound:
        return attempt.bound
    async with transactions.work() as work:
        return await _consume_and_bind(work, wanted, attempt)


async def _count_and_compare(work: Work, wanted: Verify) -> _Attempt:
    session = await _by_link(work, wanted.link, lock=True)
    refuse_ended(work, session)
    again = await _same_browser_again(work, session, wanted)
    if again:
        return _Attempt(session.id, bound=again)
    party = await find_party(work, session.workspace_id, session.party_id, lock=True)
    _refuse_locked(party)
    codes = await _triable(work, session, wanted.door)
    if not codes:
        return _Attempt(session.id, refusal=CodeSpent())
    for code in codes:
        await count_try(work.db, code, door_digest(work, wanted.door))
    right = _fitting(work, session, codes, wanted.typed)
    if right:
        return _Attempt(session.id, code_id=right.id)
    return _Attempt(session.id, refusal=await _wrong(work, session, party, codes, wanted))


async def _triable(work: Work, session: PublicSessionRow, door: str) -> list[CodeRow]:
    living = await living_codes(work.db, session.id, work.at)
    tries = await tries_of(work.db, living, door_digest(work, door))
    policy = code_policy(work)
    return [
        each
        for each in living
        if code_value(each, tries.get(each.id, 0)).may_be_tried(work.at, policy)
    ]


def _fitting(
    work: Work, session: PublicSessionRow, codes: list[CodeRow], typed: str
) -> CodeRow | None:
    """Every code is compared, whichever fits, so that the time does not tell."""
    fitting = [each for each in codes if same_code(typed, code_text(work, session, each))]
    return fitting[0] if fitting else None


async def _wrong(
    work: Work,
    session: PublicSessionRow,
    party: PartyRow,
    codes: list[CodeRow],
    wanted: Verify,
) -> DomainError:
    # Each comparison is a chance to guess right, so that two living codes count twice.
    party.failed_verifications += len(codes)
    actor = _visitor(wanted.door)
    work.audit_session(AuditEvent.SESSION_CODE_REFUSED, session, actor)
    policy = code_policy(work)
    if party.failed_verifications >= policy.failures_per_party:
        party.verification_locked_at = work.at
        work.audit_session(AuditEvent.PARTY_VERIFICATION_LOCKED, session, actor)
        return VerificationLocked()
    tries = await tries_of(work.db, codes, door_digest(work, wanted.door))
    left = max(code_value(each, tries[each.id]).tries_left(policy) for each in codes)
    return CodeWrong(left) if left else CodeSpent()


async def _same_browser_again(
    work: Work, session: PublicSessionRow, wanted: Verify
) -> Bound | None:
    """A second submit of the right code from the browser that it bound lands in the room (SX-5)."""
    code = await last_consumed(work.db, session.id)
    place = door_digest(work, wanted.door)
    if code is None or code.consumed_by != place or session.binding_id is None:
        return None
    if not same_code(wanted.typed, code_text(work, session, code)) or code.expires_at <= work.at:
        return None
    binding = await binding_by_id(work.db, session.binding_id)
    if binding.door_digest != place:
        return None
    return Bound(session.id, _secret(work, binding, wanted.door))


async def _consume_and_bind(work: Work, wanted: Verify, attempt: _Attempt) -> Bound:
    session = await _by_link(work, wanted.link, lock=True)
    refuse_ended(work, session)
    place = door_digest(work, wanted.door)
    if attempt.code_id is None or not await consume_code(work.db, attempt.code_id, place, work.at):
        again = await _same_browser_again(work, session, wanted)
        if again is None:
            raise CodeSpent
        return again
    binding = await _bind(work, session, wanted)
    return Bound(session.id, _secret(work, binding, wanted.door))


def _secret(work: Work, binding: BindingRow, door: str) -> str:
    return work.keyring.binding_secret(binding.id, door, binding.key_version)


async def _bind(work: Work, session: PublicSessionRow, wanted: Verify) -> BindingRow:
    event = await _leave_previous(work, session)
    binding_id, version = new_id(), work.keyring.current
    secret = work.keyring.binding_secret(binding_id, wanted.door, version)
    session.fence += 1
    binding = BindingRow(
        id=binding_id,
        session_id=session.id,
        fence=session.fence,
        door_digest=door_digest(work, wanted.door),
        digest=work.keyring.digest(BINDING, secret, version),
        key_version=version,
        browser=wanted.browser[:200],
        bound_at=work.at,
        last_seen_at=work.at,
    )
    work.db.add(binding)
    session.binding_id, session.status = binding_id, Status.IN_PROGRESS
    session.started_at = session.started_at or work.at
    idle_at = binding_value(binding).idles_out_at(idle_policy(work))
    told = TakenOver(str(binding_id), session.fence, idle_at)
    work.tell_public_session(session.id, TAKE_OVER, told)
    actor = Actor(ActorKind.PARTY, str(session.party_id))
    work.audit_session(event, session, actor, details={"fence": session.fence})
    return binding


async def _leave_previous(work: Work, session: PublicSessionRow) -> AuditEvent:
    """Ends the place of the browser before, and says what this verification is."""
    if session.binding_id is None:
        return AuditEvent.SESSION_RESUMED if session.fence else AuditEvent.SESSION_ACTIVATED
    before = binding_value(await binding_by_id(work.db, session.binding_id))
    ended = before.end_at(work.at, idle_policy(work))
    await end_binding(work, session, ended or BindingEnd.OPENED_ELSEWHERE)
    return AuditEvent.SESSION_RESUMED if ended else AuditEvent.SESSION_TAKEN_OVER
