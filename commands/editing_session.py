"""Which member's window may change an agreement: opened, taken over, heard of (EX-15 to EX-17).

A program that changes an agreement holds no window; it is refused while a member is in one.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from commands.member_session import SignedIn
from commands.work import Work
from domain.actor import Actor
from domain.agreement import subject_of
from domain.agreement_errors import WindowHeld, WindowLost
from domain.audit import AuditEvent
from domain.binding import IdlePolicy
from domain.errors import NotFound
from domain.left_behind import LeftBehind, draft_of, others, with_draft, without
from domain.window import LONGEST_WINDOW, Place, Window, WindowEnd, WindowPolicy
from store.agreement import AgreementRow, agreement_by_id
from store.columns import new_id
from store.editing_session import EditingSessionRow, editing_session_of
from store.member import member_by_id
from store.member_session import member_session_by_id


@dataclass(frozen=True, slots=True)
class Editor:
    """A member in one of its windows, on one agreement."""

    found: SignedIn
    actor: Actor
    agreement_id: UUID
    window: str


@dataclass(frozen=True, slots=True)
class EditingPlace:
    """What a member's window says of itself with a write."""

    editor: Editor
    place: Place


async def open_editor(work: Work, editor: Editor, *, take_over: bool) -> EditingSessionRow:
    """The member's window becomes the one that may change the agreement.

    Raises `NotFound`, or `WindowHeld` with who is in the other window unless told to take over.
    """
    agreement = await agreement_by_id(
        work.db, editor.agreement_id, editor.found.member.workspace_id, lock=True
    )
    if agreement is None or agreement.session_id is not None:
        raise NotFound("agreement")
    row = await _row_of(work, agreement, editor)
    before, policy = await _seen_by(work, editor, row)
    try:
        window = before.opened_in(editor.window, work.at, policy, take_over=take_over)
    except WindowHeld as held:
        raise WindowHeld(held.heard_at, await _name_of(work, row)) from held
    if window.fence == before.fence:
        row.hold(window)
        return row
    taken = before.is_alive(work.at, policy)
    lost = row.member_id
    row.hold(window)
    row.member_id, row.member_session_id = editor.found.member.id, editor.found.session.id
    row.opened_at = work.at
    event = AuditEvent.EDITING_TAKEN_OVER if taken else AuditEvent.EDITING_OPENED
    details = {"fence": window.fence} | ({"from": f"member:{lost}"} if taken else {})
    work.audit_subject(
        event, agreement.workspace_id, subject_of(agreement.id), editor.actor, details
    )
    return row


async def _row_of(work: Work, agreement: AgreementRow, editor: Editor) -> EditingSessionRow:
    row = await editing_session_of(work.db, agreement.id, lock=True)
    if row is None:
        row = EditingSessionRow(
            workspace_id=agreement.workspace_id,
            agreement_id=agreement.id,
            member_id=editor.found.member.id,
            member_session_id=editor.found.session.id,
            opened_at=work.at,
            heard_at=work.at,
            active_at=work.at,
        )
        work.db.add(row)
    return row


async def _name_of(work: Work, row: EditingSessionRow) -> str:
    member = await member_by_id(work.db, row.workspace_id, row.member_id)
    return member.name or member.email if member else ""


async def _seen(work: Work, row: EditingSessionRow) -> tuple[Window, WindowPolicy]:
    """The place as it is, and the rule that it is held to: the member's own session's (C18).

    A member whose session is over is in no window any more.
    """
    session = await member_session_by_id(work.db, row.workspace_id, row.member_session_id)
    settings = work.settings
    idle = session.idle if session else settings.session_idle_warning_after
    grace = session.grace if session else settings.session_warning_grace
    policy = WindowPolicy(IdlePolicy(idle, grace), settings.window_alive)
    if session is None or session.value.end_at(work.at) is not None:
        over = row.window.ended or WindowEnd.SESSION_ENDED
        return replace(row.window, ended=over), policy
    return replace(row.window, active_at=max(row.active_at, session.seen_at)), policy


async def _seen_by(
    work: Work, editor: Editor, row: EditingSessionRow
) -> tuple[Window, WindowPolicy]:
    """As a member's session sees the place: a window is its own in that session only.

    What a session that is over held is still the same member's, who is told that it is over.
    """
    window, policy = await _seen(work, row)
    is_own = row.member_session_id == editor.found.session.id
    is_lost = window.ended is not None and row.member_id == editor.found.member.id
    if is_own or is_lost or not window.holder:
        return window, policy
    # No page can say that it is this window.
    return replace(window, holder=f"{row.member_session_id}:{window.holder}"), policy


@dataclass(frozen=True, slots=True)
class Present:
    """Who is in an agreement's editor now, and since when."""

    member_id: UUID
    name: str
    since: datetime


async def present_editor(work: Work, agreement_id: UUID) -> Present | None:
    """Whose window is open on an agreement; None while none is."""
    row = await editing_session_of(work.db, agreement_id)
    if row is None:
        return None
    window, policy = await _seen(work, row)
    if not window.is_alive(work.at, policy):
        return None
    return Present(row.member_id, await _name_of(work, row), row.opened_at)


async def editing_row(work: Work, editor: Editor) -> EditingSessionRow | None:
    """Who holds the agreement's editor or held it last; looking changes nothing."""
    row = await editing_session_of(work.db, editor.agreement_id)
    is_ours = row is not None and row.workspace_id == editor.found.member.workspace_id
    return row if is_ours else None


async def why_lost(work: Work, editor: Editor, place: Place) -> WindowLost | None:
    """Why this window may not act any more, truly; None while it may."""
    row = await editing_row(work, editor)
    if row is None:
        return WindowLost(WindowEnd.SESSION_ENDED)
    window, policy = await _seen_by(work, editor, row)
    refusal = window.refuses(place, work.at, policy)
    if refusal is None or row.member_id == editor.found.member.id:
        return refusal
    return _said(refusal)


async def let_go(work: Work, editor: Editor, place: Place, draft_id: str) -> None:
    """One draft that was not taken over is thrown away, or was used.

    Nothing happens to one that is there no more. Raises `WindowLost`, `NotFound`.
    """
    row = await _locked(work, editor)
    await _refuse_lost(work, EditingPlace(editor, place), row)
    draft = draft_of(row.drafts, draft_id)
    if draft is not None:
        row.drafts = without(row.drafts, draft_id)
        _note_let_go(work, editor, row, draft)


def _note_let_go(work: Work, editor: Editor, row: EditingSessionRow, draft: LeftBehind) -> None:
    event, subject = AuditEvent.EDITING_LET_GO, subject_of(row.agreement_id)
    details = {"from": f"member:{draft.member}", "fence": draft.fence}
    work.audit_subject(event, row.workspace_id, subject, editor.actor, details)


async def put_away(
    work: Work, editor: Editor, place: Place, page: str, changes: dict[str, Any]
) -> None:
    """What a page of the window that has the place has not saved yet, in case it never will.

    It replaces what the same page put away, and nothing that anybody else left behind; no changes
    take it back. Raises `WindowLost`, `NotFound`.
    """
    row = await _locked(work, editor)
    await _refuse_lost(work, EditingPlace(editor, place), row)
    draft = _draft(work, editor, place, page, changes)
    if changes:
        _leave_behind(work, editor, row, draft)
    else:
        row.drafts = others(row.drafts, draft)


def _draft(
    work: Work, editor: Editor, place: Place, page: str, changes: dict[str, Any]
) -> LeftBehind:
    """A page's own draft: its window may show another page later, which has one of its own."""
    return LeftBehind(
        id=str(new_id()),
        window=page[:LONGEST_WINDOW] or place.window,
        fence=place.fence,
        at=work.at.isoformat(),
        content=changes,
        member=str(editor.found.member.id),
    )


def _leave_behind(work: Work, editor: Editor, row: EditingSessionRow, draft: LeftBehind) -> None:
    row.drafts, dropped = with_draft(row.drafts, draft)
    for each in dropped:
        _note_let_go(work, editor, row, each)


async def refuse_editor(work: Work, agreement: AgreementRow, held: EditingPlace | None) -> None:
    """Raises `WindowLost` for a window that lost its place, `WindowHeld` for somebody without one.

    The agreement's row is locked.
    """
    row = await editing_session_of(work.db, agreement.id, lock=True)
    if row is None:
        if held is not None:
            raise WindowLost(WindowEnd.TAKEN_OVER)
        return
    if held is None:
        window, policy = await _seen(work, row)
        if window.is_alive(work.at, policy):
            raise WindowHeld(window.heard_at, await _name_of(work, row))
        return
    await _refuse_lost(work, held, row)
    row.hold(row.window.heard(work.at, active=True))


async def _locked(work: Work, editor: Editor) -> EditingSessionRow:
    """The agreement's editing session in the editor's own workspace; raises `NotFound`."""
    row = await editing_session_of(work.db, editor.agreement_id, lock=True)
    if row is None or row.workspace_id != editor.found.member.workspace_id:
        raise NotFound("agreement")
    return row


async def _refuse_lost(work: Work, held: EditingPlace, row: EditingSessionRow) -> WindowPolicy:
    """Raises `WindowLost` for a window that may not act any more; gives the rule it was held to."""
    window, policy = await _seen_by(work, held.editor, row)
    if refusal := window.refuses(held.place, work.at, policy):
        raise _said(refusal)
    return policy


def _said(refusal: WindowLost) -> WindowLost:
    """A member is told that it was taken over, not that it opened it elsewhere itself."""
    taken = refusal.reason == WindowEnd.OPENED_ELSEWHERE
    return WindowLost(WindowEnd.TAKEN_OVER) if taken else refusal


async def hear_editor(work: Work, editor: Editor, place: Place, *, leaving: bool) -> None:
    """A sign of life of an editing window, or its last; raises `WindowLost` or `NotFound`."""
    row = await _locked(work, editor)
    policy = await _refuse_lost(work, EditingPlace(editor, place), row)
    left = row.window.left(work.at, policy)
    row.hold(left if leaving else row.window.heard(work.at, active=False))


async def keep_left_behind(
    work: Work, editor: Editor, place: Place, changes: dict[str, Any], page: str = ""
) -> bool:
    """What a window that had lost its place still wanted to save: a draft of its page's (N8).

    Whether it was kept: what never had the place has nothing to leave.
    """
    row = await _locked(work, editor)
    # One whose session ended has the present fence still.
    if not 0 < place.fence <= row.fence:
        return False
    _leave_behind(work, editor, row, _draft(work, editor, place, page, changes))
    return True
