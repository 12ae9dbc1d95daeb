"""Judges a typed code: the try is counted first, compared in constant time, the code used up once.

Two transactions: `counted` commits before anything is compared, so that no fault can undo the
count; `used` uses the code up by one guarded statement in the transaction that acts on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.keyring import same_code
from commands.code import Asker, refuse_locked
from commands.mail import code_text
from commands.party import find_party
from commands.public_session_terms import code_policy, settings_in
from commands.work import Work
from domain.audit import AuditEvent
from domain.errors import CodeSpent, CodeWrong, DomainError, VerificationLocked
from store.code import (
    CodeRow,
    code_value,
    consume_code,
    count_try,
    last_consumed,
    living_codes,
    tries_of,
)
from store.party import PartyRow, forgive_failures
from store.public_session import PublicSessionRow


@dataclass(frozen=True, slots=True)
class CodeTry:
    """A code as somebody typed it."""

    asker: Asker
    typed: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """The codes a typed one is compared with: living ones, and the one used here last.

    `used_here` is one whose second submit is to be taken for the first (SX-5).
    """

    living: tuple[CodeRow, ...]
    used_here: CodeRow | None

    @property
    def guesses(self) -> int:
        """Each comparison is a chance to guess right, so that two codes count twice."""
        return len(self.living) + (self.used_here is not None)


async def candidates(
    work: Work, session: PublicSessionRow, asker: Asker, used_here: CodeRow | None
) -> Candidates:
    """What a code typed now would be compared with."""
    living = await living_codes(work.db, session.id, work.at, asker.use)
    tries = await tries_of(work.db, living, asker.place)
    policy = code_policy(settings_in(work, session))
    triable = tuple(
        each
        for each in living
        if code_value(each, tries.get(each.id, 0)).may_be_tried(work.at, policy)
    )
    return Candidates(triable, used_here)


async def used_here_last(work: Work, session: PublicSessionRow, asker: Asker) -> CodeRow | None:
    """The code that was used last for this, by this browser, while it would still be good."""
    code = await last_consumed(work.db, session.id, asker.use)
    if code is None or code.consumed_by != asker.place or code.expires_at <= work.at:
        return None
    return code


async def count_code_try(
    work: Work, session: PublicSessionRow, asker: Asker, used_here: CodeRow | None
) -> Candidates | DomainError:
    """Counts the try at every code it will be compared with, and for the party.

    The session's row is locked. Raises `VerificationLocked`.
    """
    party = await find_party(work, session.workspace_id, session.party_id, lock=True)
    refuse_locked(party)
    if party.failed_verifications >= code_policy(settings_in(work, session)).failures_per_party:
        return _lock(work, session, party, asker)
    found = await candidates(work, session, asker, used_here)
    for code in found.living:
        await count_try(work.db, code, asker.place)
    party.failed_verifications += found.guesses
    return found if found.guesses else CodeSpent()


@dataclass(frozen=True, slots=True)
class RightCode:
    """The code that was right; `is_first` unless it had been used up before."""

    code: CodeRow
    is_first: bool


async def use_code(
    work: Work, session: PublicSessionRow, counted: Candidates, tried: CodeTry
) -> RightCode | DomainError:
    """The right code, used up now or before; else why not. The session's row is locked.

    What a second use is good for, nothing or a second submit, is the caller's to say; whoever
    lets somebody do something for it calls `forgive` then.
    """
    right = _fitting(work, session, (*counted.living, counted.used_here), tried.typed)
    if right is None:
        return await _wrong(work, session, counted, tried)
    is_first = await consume_code(work.db, right.id, tried.asker.place, work.at)
    return RightCode(right, is_first)


async def forgive(work: Work, session: PublicSessionRow, counted: Candidates) -> None:
    """A right code takes back what its own try was counted."""
    await forgive_failures(work.db, session.party_id, counted.guesses)


def _fitting(
    work: Work, session: PublicSessionRow, codes: Sequence[CodeRow | None], typed: str
) -> CodeRow | None:
    """Every code is compared, whichever fits, so that the time does not tell."""
    fitting = [each for each in codes if each and _fits(work, session, each, typed)]
    return fitting[0] if fitting else None


def _fits(work: Work, session: PublicSessionRow, code: CodeRow, typed: str) -> bool:
    return same_code(typed, code_text(work, session, code))


async def _wrong(
    work: Work, session: PublicSessionRow, counted: Candidates, tried: CodeTry
) -> DomainError:
    asker = tried.asker
    work.audit_session(AuditEvent.SESSION_CODE_REFUSED, session, asker.actor)
    party = await find_party(work, session.workspace_id, session.party_id, lock=True)
    policy = code_policy(settings_in(work, session))
    if party.failed_verifications >= policy.failures_per_party:
        return _lock(work, session, party, asker)
    codes = counted.living
    tries = await tries_of(work.db, codes, asker.place)
    left = [code_value(each, tries[each.id]).tries_left(policy) for each in codes]
    return CodeWrong(max(left)) if any(left) else CodeSpent()


def _lock(
    work: Work, session: PublicSessionRow, party: PartyRow, asker: Asker
) -> VerificationLocked:
    """Locks the party, visibly, until an administrator clears it (C12)."""
    if party.verification_locked_at is None:
        party.verification_locked_at = work.at
        work.audit_session(AuditEvent.PARTY_VERIFICATION_LOCKED, session, asker.actor)
    return VerificationLocked()
