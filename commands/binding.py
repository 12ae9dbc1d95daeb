"""Binds the browser whose person typed the right code (PS-26, PS-27)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.keyring import same_code
from commands.door import door_digest, refuse_locked, session_behind, visitor_at
from commands.link import end_binding
from commands.mail import code_text
from commands.party import find_party
from commands.public_session import refuse_ended
from commands.public_session_terms import code_policy, idle_policy, settings_in
from commands.work import Transactions, Work
from domain.actor import Actor, ActorKind
from domain.audit import AuditEvent
from domain.binding import BindingEnd
from domain.errors import CodeSpent, CodeWrong, DomainError, VerificationLocked
from domain.messages import TakenOver
from domain.public_session import Status
from domain.workflow_names import TAKE_OVER
from store.binding import BindingRow, binding_by_id, binding_value
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
from store.party import PartyRow, forgive_failures
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


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The codes a typed one is compared with: living ones, and the one this browser used last."""

    living: tuple[CodeRow, ...]
    used_here: CodeRow | None

    @property
    def guesses(self) -> int:
        """Each comparison is a chance to guess right, so that two codes count twice."""
        return len(self.living) + (self.used_here is not None)


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


async def _count(work: Work, wanted: Verify) -> _Candidates | DomainError:
    """Counts the try at every code it will be compared with, and for the party."""
    if not (await _candidates(work, await _open_session(work, wanted), wanted)).guesses:
        # Nothing to compare with: no lock is taken, so that a robot holds nobody up.
        return CodeSpent()
    session = await _open_session(work, wanted, lock=True)
    party = await find_party(work, session.workspace_id, session.party_id, lock=True)
    refuse_locked(party)
    if party.failed_verifications >= code_policy(settings_in(work, session)).failures_per_party:
        return _lock(work, session, party, wanted)
    candidates = await _candidates(work, session, wanted)
    for code in candidates.living:
        await count_try(work.db, code, door_digest(work, wanted.door))
    party.failed_verifications += candidates.guesses
    return candidates if candidates.guesses else CodeSpent()


async def _open_session(work: Work, wanted: Verify, *, lock: bool = False) -> PublicSessionRow:
    session = await session_behind(work, wanted.link, lock=lock)
    refuse_ended(work, session)
    return session


async def _candidates(work: Work, session: PublicSessionRow, wanted: Verify) -> _Candidates:
    living = await living_codes(work.db, session.id, work.at)
    tries = await tries_of(work.db, living, door_digest(work, wanted.door))
    policy = code_policy(settings_in(work, session))
    triable = tuple(
        each
        for each in living
        if code_value(each, tries.get(each.id, 0)).may_be_tried(work.at, policy)
    )
    return _Candidates(triable, await _used_here(work, session, wanted))


async def _used_here(work: Work, session: PublicSessionRow, wanted: Verify) -> CodeRow | None:
    """The code that bound this very browser, while it would still be good (SX-5)."""
    code = await last_consumed(work.db, session.id)
    place = door_digest(work, wanted.door)
    if code is None or code.consumed_by != place or code.expires_at <= work.at:
        return None
    return code if await _place_of(work, session, place) else None


async def _place_of(work: Work, session: PublicSessionRow, place: str) -> BindingRow | None:
    """The present binding, if it is this browser's."""
    if session.binding_id is None:
        return None
    binding = await binding_by_id(work.db, session.binding_id)
    return binding if binding.door_digest == place else None


async def _judge(work: Work, wanted: Verify, counted: _Candidates) -> Bound | DomainError:
    """Compares, and binds or says why not."""
    session = await _open_session(work, wanted, lock=True)
    place = door_digest(work, wanted.door)
    right = _fitting(work, session, (*counted.living, counted.used_here), wanted.typed)
    if right is None:
        return await _wrong(work, session, counted, wanted)
    if await consume_code(work.db, right.id, place, work.at):
        binding = await _bind(work, session, wanted)
    elif (before := await _place_of(work, session, place)) is not None:
        # A second submit of the right code from the browser that it bound lands in the room (SX-5).
        binding = before
    else:
        return CodeSpent()
    await forgive_failures(work.db, session.party_id, counted.guesses)
    return Bound(session.id, _secret(work, binding, wanted.door), session.expires_at)


def _fitting(
    work: Work, session: PublicSessionRow, codes: Sequence[CodeRow | None], typed: str
) -> CodeRow | None:
    """Every code is compared, whichever fits, so that the time does not tell."""
    fitting = [each for each in codes if each and _fits(work, session, each, typed)]
    return fitting[0] if fitting else None


def _fits(work: Work, session: PublicSessionRow, code: CodeRow, typed: str) -> bool:
    return same_code(typed, code_text(work, session, code))


async def _wrong(
    work: Work, session: PublicSessionRow, counted: _Candidates, wanted: Verify
) -> DomainError:
    work.audit_session(AuditEvent.SESSION_CODE_REFUSED, session, visitor_at(work, wanted.door))
    party = await find_party(work, session.workspace_id, session.party_id, lock=True)
    policy = code_policy(settings_in(work, session))
    if party.failed_verifications >= policy.failures_per_party:
        return _lock(work, session, party, wanted)
    codes = counted.living
    tries = await tries_of(work.db, codes, door_digest(work, wanted.door))
    left = [code_value(each, tries[each.id]).tries_left(policy) for each in codes]
    return CodeWrong(max(left)) if any(left) else CodeSpent()


def _lock(
    work: Work, session: PublicSessionRow, party: PartyRow, wanted: Verify
) -> VerificationLocked:
    """Locks the party, visibly, until an administrator clears it (C12)."""
    if party.verification_locked_at is None:
        party.verification_locked_at = work.at
        work.audit_session(
            AuditEvent.PARTY_VERIFICATION_LOCKED, session, visitor_at(work, wanted.door)
        )
    return VerificationLocked()


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
