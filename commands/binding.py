"""Binds the browser whose person typed the right code (PS-26, PS-27)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from commands.code_check import (
    Candidates,
    CodeTry,
    candidates,
    count_code_try,
    forgive,
    use_code,
    used_here_last,
)
from commands.door import asker_at, door_digest, session_behind
from commands.link import end_binding
from commands.public_session import refuse_ended
from commands.public_session_terms import idle_policy, settings_in
from commands.work import Transactions, Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.errors import CodeSpent, DomainError
from domain.messages import TakenOver
from domain.public_session import Status
from domain.workflow_names import TAKE_OVER
from store.binding import BindingRow, binding_by_id, binding_value
from store.code import CodeRow
from store.columns import new_id
from store.public_session import PublicSessionRow

BINDING = "binding"


@dataclass(frozen=True, slots=True)
class Verify:
    """A code typed in a browser: the link, the browser's door cookie, what was typed."""

    link: str
    door: str
    typed: str
    browser: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """The browser that may act now, the secret of its cookie, and the session's bound."""

    session_id: UUID
    secret: str
    expires_at: datetime


async def verify(transactions: Transactions, wanted: Verify) -> Bound:
    """Binds the browser whose person typed the right code.

    The try is counted and committed before anything is compared, so that no fault can undo the
    count; then the code is used up by one guarded statement in the transaction that binds. Raises
    `NotFound`, `SessionEnded`, `VerificationLocked`, `CodeSpent` or `CodeWrong`.
    """
    async with transactions.work() as work:
        counted = await _count(work, wanted)
    if isinstance(counted, DomainError):
        raise counted
    async with transactions.work() as work:
        judged = await _judge(work, wanted, counted)
    if isinstance(judged, DomainError):
        raise judged
    return judged


async def _count(work: Work, wanted: Verify) -> Candidates | DomainError:
    """Counts the try. With nothing to compare no lock is taken: a robot holds nobody up."""
    asker = asker_at(work, wanted.door)
    seen = await _open_session(work, wanted)
    if not (await candidates(work, seen, asker, await _used_here(work, seen, wanted))).guesses:
        return CodeSpent()
    session = await _open_session(work, wanted, lock=True)
    return await count_code_try(work, session, asker, await _used_here(work, session, wanted))


async def _open_session(work: Work, wanted: Verify, *, lock: bool = False) -> PublicSessionRow:
    session = await session_behind(work, wanted.link, lock=lock)
    refuse_ended(work, session)
    return session


async def _used_here(work: Work, session: PublicSessionRow, wanted: Verify) -> CodeRow | None:
    """The code that bound this very browser, while it would still be good (SX-5)."""
    asker = asker_at(work, wanted.door)
    code = await used_here_last(work, session, asker)
    return code if code and await _place_of(work, session, asker.place) else None


async def _place_of(work: Work, session: PublicSessionRow, place: str) -> BindingRow | None:
    """The present binding, if it is this browser's."""
    if session.binding_id is None:
        return None
    binding = await binding_by_id(work.db, session.binding_id)
    return binding if binding.door_digest == place else None


async def _judge(work: Work, wanted: Verify, counted: Candidates) -> Bound | DomainError:
    """Compares, and binds or says why not."""
    session = await _open_session(work, wanted, lock=True)
    asker = asker_at(work, wanted.door)
    right = await use_code(work, session, counted, CodeTry(asker, wanted.typed))
    if isinstance(right, DomainError):
        return right
    if right.is_first:
        binding = await _bind(work, session, wanted)
    elif (before := await _place_of(work, session, asker.place)) is not None:
        # A second submit of the right code from the browser that it bound lands in the room (SX-5).
        binding = before
    else:
        return CodeSpent()
    await forgive(work, session, counted)
    return Bound(session.id, _secret(work, binding, wanted.door), session.expires_at)


def _secret(work: Work, binding: BindingRow, door: str) -> str:
    return work.keyring.binding_secret(binding.id, door, binding.key_version)


async def _bind(work: Work, session: PublicSessionRow, wanted: Verify) -> BindingRow:
    event = await _leave_previous(work, session)
    binding_id, version = new_id(), work.keyring.current
    secret = work.keyring.binding_secret(binding_id, wanted.door, version)
    session.fence += 1
    binding = BindingRow(
        id=binding_id,
        workspace_id=session.workspace_id,
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
    idle_at = binding_value(binding).idles_out_at(idle_policy(settings_in(work, session)))
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
    ended = before.end_at(work.at, idle_policy(settings_in(work, session)))
    await end_binding(work, session, ended or BindingEnd.OPENED_ELSEWHERE)
    return AuditEvent.SESSION_RESUMED if ended else AuditEvent.SESSION_TAKEN_OVER
