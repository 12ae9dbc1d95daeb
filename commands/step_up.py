"""A fresh code before signing, where the agreement asks for one (ASVS 7.5.3).

The same limits and the same counting as at the door, which count both together (C11 to C13); but
the code is another: one that was asked for at this signature by this browser, whose mail says that
it signs. It lets one window sign, for as long as a code lives; the browser's place in the room
stays as it is.
"""

from dataclasses import dataclass

from commands.code import Asker, CodeMail, mail_code, newest_code_mail
from commands.code_check import (
    Candidates,
    CodeTry,
    candidates,
    count_code_try,
    forgive,
    use_code,
    used_here_last,
)
from commands.room import Room, Visitor, enter_to_act, enter_to_look
from commands.signing import held_row, signing_of
from commands.work import Transactions, Work
from domain.audit import AuditEvent
from domain.code import CodePurpose, CodeUse
from domain.errors import CodeSpent, DomainError
from domain.mail import MailKind
from domain.window import Place
from store.code import CodeRow
from store.signing_session import SigningSessionRow


@dataclass(frozen=True, slots=True)
class StepUp:
    """A code typed in a window: which browser, task and window, and what was typed."""

    visitor: Visitor
    task: str
    place: Place
    typed: str


async def ask_step_up(work: Work, visitor: Visitor, task: str, place: Place) -> CodeMail:
    """Mails a code to sign with. Raises as `enter_to_act`, `mail_code`, and `WindowLost`."""
    room = await enter_to_act(work, visitor, lock=True)
    await _window(work, room, task, place)
    return await mail_code(work, room.session, _asker(room, task))


async def step_up_mail(work: Work, room: Room) -> CodeMail:
    """What the page says of the newest mail of a code to sign with; changes nothing."""
    return await newest_code_mail(work, room.session, MailKind.SIGNING_CODE)


async def step_up(transactions: Transactions, wanted: StepUp) -> None:
    """Notes that the person in this window typed a fresh code, so that it may sign now.

    The try is counted and committed before anything is compared. Raises as `enter_to_act`,
    `WindowLost`, `VerificationLocked`, `CodeSpent` or `CodeWrong`.
    """
    async with transactions.work() as work:
        counted = await _count(work, wanted)
    if isinstance(counted, DomainError):
        raise counted
    async with transactions.work() as work:
        refused = await _judge(work, wanted, counted)
    if refused is not None:
        raise refused


async def _count(work: Work, wanted: StepUp) -> Candidates | DomainError:
    # Only looks: what counts as activity is written behind the session's lock.
    seen = await enter_to_look(work, wanted.visitor)
    again, asker = await _used_here(work, seen, wanted.task), _asker(seen, wanted.task)
    if not (await candidates(work, seen.session, asker, again)).guesses:
        # Nothing to compare with: no lock is taken.
        return CodeSpent()
    room = await enter_to_act(work, wanted.visitor, lock=True)
    await _window(work, room, wanted.task, wanted.place)
    again = await _used_here(work, room, wanted.task)
    return await count_code_try(work, room.session, _asker(room, wanted.task), again)


async def _used_here(work: Work, room: Room, task: str) -> CodeRow | None:
    """The code that lets this window sign already, whose second submit is the first (SX-5)."""
    row = (await signing_of(work, room.session, room.task(task))).row
    code = await used_here_last(work, room.session, _asker(room, task))
    return code if row and code and _was_for(row, code) else None


async def _judge(work: Work, wanted: StepUp, counted: Candidates) -> DomainError | None:
    room = await enter_to_act(work, wanted.visitor, lock=True)
    row = await _window(work, room, wanted.task, wanted.place)
    tried = CodeTry(_asker(room, wanted.task), wanted.typed)
    right = await use_code(work, room.session, counted, tried)
    if isinstance(right, DomainError):
        return right
    if right.is_first:
        _note(work, room, row)
    elif not _was_for(row, await _now(work, right.code)):
        # It let another window sign: it is no fresh one.
        return CodeSpent()
    await forgive(work, room.session, counted)
    return None


def _note(work: Work, room: Room, row: SigningSessionRow) -> None:
    row.stepped_up_at, row.stepped_up_fence = work.at, row.fence
    details = {"fence": row.fence}
    work.audit_session(AuditEvent.SIGNING_STEPPED_UP, room.session, room.actor, details=details)


def _was_for(row: SigningSessionRow, code: CodeRow) -> bool:
    """Whether this very window was let sign by this very code."""
    return row.stepped_up_fence == row.fence and code.consumed_at == row.stepped_up_at


async def _now(work: Work, code: CodeRow) -> CodeRow:
    """A code's row as it is by now."""
    return await work.db.get_one(CodeRow, code.id, populate_existing=True)


async def _window(work: Work, room: Room, task: str, place: Place) -> SigningSessionRow:
    found = await signing_of(work, room.session, room.task(task), lock=True)
    return held_row(work, found, place)


def _asker(room: Room, task: str) -> Asker:
    """This browser's place in the room, and this signature: another's codes are none here."""
    use = CodeUse(CodePurpose.SIGNING, room.task(task).id, room.binding.id)
    return Asker(room.binding.door_digest, room.actor, use)
