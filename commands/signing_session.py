"""A signer's windows at one task: opened, taken over, filled, left (EX-9 to EX-14, SX-3, SX-6)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from commands.room import Room, Visitor, enter, enter_to_act
from commands.signer_identity import note_opening
from commands.signing import (
    Signing,
    SigningWrite,
    held_row,
    held_signing,
    signing_of,
    window_of,
    window_policy,
)
from commands.work import Work
from domain.agreement_answers import Answers, Translate, read_answers
from domain.agreement_errors import ChangesUnconfirmed
from domain.audit import AuditEvent
from domain.messages import SigningLeft, SigningSessionStart, SigningTakenOver
from domain.window import Place, Window
from domain.workflow_names import LEFT, SIGNING_SESSION, TAKE_OVER, signing_session_id
from store.signing_session import SigningSessionRow


async def signing_in(work: Work, room: Room, key: str, *, lock: bool = False) -> Signing:
    """The signing of one task of a room; raises `NotFound`."""
    return await signing_of(work, room.session, room.task(key), lock=lock)


async def _held_in(work: Work, room: Room, write: SigningWrite) -> Signing:
    return await held_signing(work, room.session, room.task(write.task), write)


async def look_at_signing(work: Work, visitor: Visitor, key: str) -> Signing:
    """The signing as a page shows it; changes nothing. Raises as `enter_to_act`."""
    return await signing_in(work, await enter_to_act(work, visitor), key)


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that wants to be the one; `take_over` is *Open Here* (EX-10)."""

    task: str
    window: str
    take_over: bool = False


async def open_signing(work: Work, visitor: Visitor, wanted: OpenWindow) -> Signing:
    """The window becomes the one that may fill and sign; the same one again changes nothing.

    Raises `WindowHeld` while another is open and it was not told to take over, `TaskDone`,
    `TaskLocked`, `AgreementClosed`, and what `enter_to_act` does.
    """
    room = await enter_to_act(work, visitor, lock=True)
    if refusal := room.value.refuses_task(wanted.task):
        raise refusal
    found = await signing_in(work, room, wanted.task, lock=True)
    _refuse_closed(found)
    before, policy = window_of(work, found), window_policy(work)
    window = before.opened_in(wanted.window, work.at, policy, take_over=wanted.take_over)
    return await _held(work, found, before, window)


def _refuse_closed(found: Signing) -> None:
    refusal = found.value.refuses_signing(found.position, found.current)
    if refusal is not None:
        raise refusal


async def _held(work: Work, found: Signing, before: Window, window: Window) -> Signing:
    row = found.row or _new_row(work, found)
    row.hold(window)
    if window.fence == before.fence:
        return replace(found, row=row)
    row.binding_id, row.opened_at = found.session.binding_id, work.at
    taken = before.is_alive(work.at, window_policy(work))
    event = AuditEvent.SIGNING_TAKEN_OVER if taken else AuditEvent.SIGNING_OPENED
    details = {"task": found.task.key, "fence": window.fence, "version": found.agreement.version}
    work.audit_session(event, found.session, found.actor, details=details)
    found.agreement.state = found.value.opened().state
    await note_opening(work, found.signer, found.session)
    await work.db.flush()
    _tell_opened(work, found, row)
    return replace(found, row=row)


def _new_row(work: Work, found: Signing) -> SigningSessionRow:
    row = SigningSessionRow(
        workspace_id=found.session.workspace_id,
        session_id=found.session.id,
        task_id=found.task.id,
        agreement_id=found.agreement.id,
        position=found.position,
        seen_version=found.agreement.version,
        opened_at=work.at,
        heard_at=work.at,
        active_at=work.at,
    )
    work.db.add(row)
    return row


def _tell_opened(work: Work, found: Signing, row: SigningSessionRow) -> None:
    due_at = _due_at(work, found, row)
    workflow = signing_session_id(row.id)
    if found.row is None:
        start = SigningSessionStart(str(row.id), row.fence, due_at)
        work.start_workflow(SIGNING_SESSION, workflow, start)
    else:
        told = SigningTakenOver(f"{row.id}:{row.fence}", row.fence, due_at)
        work.tell_workflow(SIGNING_SESSION, workflow, TAKE_OVER, told)


def _due_at(work: Work, found: Signing, row: SigningSessionRow) -> datetime:
    idles_out_at = row.window.idles_out_at(window_policy(work))
    return min(idles_out_at, found.session.expires_at)


async def keep_values(
    work: Work, visitor: Visitor, write: SigningWrite, values: Mapping[str, Any], _: Translate
) -> Answers:
    """Saves what was entered so far; what does not fit is said and not saved.

    Raises as `enter_to_act` and `held_signing`; `keep_left_behind` is for a window that lost.
    """
    room = await enter_to_act(work, visitor, lock=True)
    found = await _held_in(work, room, write)
    read = read_answers(found.fields, values, _, whole=False)
    if found.row is not None:
        found.row.values = read.values
    return read


async def keep_for_version(
    work: Work, visitor: Visitor, write: SigningWrite, values: Mapping[str, Any], _: Translate
) -> bool:
    """What the holder entered for the version that it saw, though there is a newer one (N7).

    Whether it was that version. It is shown again as far as it still fits. Raises as
    `enter_to_act` and `held_row`.
    """
    room = await enter_to_act(work, visitor, lock=True)
    found = await signing_in(work, room, write.task, lock=True)
    row = held_row(work, found, write.place)
    if row.seen_version != write.given.version:
        return False
    fields = found.seen.fields_of(found.position)
    row.values = read_answers(fields, values, _, whole=False).values
    return True


async def confirm_changes(
    work: Work, visitor: Visitor, write: SigningWrite, confirmed: frozenset[str]
) -> Signing:
    """The signer has seen what was changed and goes on with the new version (EX-19, N7).

    What was entered and still fits is kept. Raises `ChangesUnconfirmed` naming what is left.
    """
    room = await enter_to_act(work, visitor, lock=True)
    found = await _held_in(work, room, write)
    left = tuple(each.key for each in found.changes if each.key not in confirmed)
    if left:
        raise ChangesUnconfirmed(left)
    row = found.row
    if row is not None and row.seen_version != found.agreement.version:
        details = {"before": row.seen_version, "after": found.agreement.version}
        row.values = found.values
        row.seen_version, row.confirmed_at = found.agreement.version, work.at
        event = AuditEvent.SIGNING_CHANGES_CONFIRMED
        work.audit_session(event, room.session, room.actor, details=details)
    return await signing_in(work, room, write.task)


async def hear_signing(
    work: Work, visitor: Visitor, task: str, place: Place, *, active: bool
) -> Signing:
    """A sign of life of the window that holds the place; `active` if the person did something.

    Activity in any tab is the session's, so that it counts for the browser and for its other
    windows too (SX-3). Raises `WindowLost` and what `enter_to_act` does.
    """
    # Activity is noted on the browser's row as well, and that is locked behind the session's.
    entering = enter_to_act(work, visitor, lock=True) if active else _enter_quietly(work, visitor)
    found = await signing_in(work, await entering, task, lock=True)
    policy, window = window_policy(work), window_of(work, found)
    if refusal := window.refuses(place, work.at, policy):
        raise refusal
    if found.row is not None:
        found.row.hold(found.row.window.heard(work.at, active=active))
    return found


async def _enter_quietly(work: Work, visitor: Visitor) -> Room:
    """The room for a page that asks by itself, which is no activity."""
    room = await enter(work, visitor)
    if refusal := room.value.refuses(work.at):
        raise refusal
    return room


async def leave_signing(work: Work, visitor: Visitor, task: str, place: Place) -> None:
    """The window was closed: whoever opens the next one is asked nothing (SX-6, C16)."""
    found = await signing_in(work, await enter(work, visitor), task, lock=True)
    row = found.row
    if row is None or (row.holder, row.fence) != (place.window, place.fence):
        return
    if not row.window.is_alive(work.at, window_policy(work)):
        # It was left already, or is as good as left: however often it says so, that is all.
        return
    row.hold(row.window.left(work.at, window_policy(work)))
    work.audit_session(
        AuditEvent.SIGNING_LEFT, found.session, found.actor, details={"fence": row.fence}
    )
    told = SigningLeft(f"{row.id}:{row.fence}", row.fence)
    work.tell_workflow(SIGNING_SESSION, signing_session_id(row.id), LEFT, told)
