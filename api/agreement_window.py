"""Which of a member's windows something comes from, and what one that lost its place is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.agreement_source_form import window_in
from api.browser import field_of
from api.member_call import MemberCall
from commands.editing_session import Editor, editing_row, present_editor
from domain.agreement_errors import WindowLost
from domain.permission import Permission
from domain.window import Place, WindowEnd
from store.member import member_by_id

LONGEST_NUMBER = 9
Pairs = Sequence[tuple[str, str]]


def editor_of(call: MemberCall, agreement_id: UUID, window: str) -> Editor:
    """A member in one of its windows; raises `PermissionDenied` or `HTTPException` 400."""
    call.needs(Permission.AGREEMENTS_MANAGE)
    return Editor(call.found, call.actor, agreement_id, window_in(window))


def place_in(posted: Pairs) -> Place:
    """What a window says of itself; a fence that is none is one of before."""
    return Place(field_of(list(posted), "window"), number_in(posted, "fence"))


def number_in(posted: Pairs, name: str) -> int:
    """A number that a page of ours has put into its form; 0 for anything else."""
    text = field_of(list(posted), name)
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    return int(text) if is_number else 0


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a window may not act any more, and who may now, if that is somebody else (EX-12)."""

    reason: str
    who: str = ""


async def loss_of(call: MemberCall, editor: Editor, lost: WindowLost) -> Loss:
    """The true reason: a member that opened it twice was not taken over by anybody (EX-17)."""
    row = await editing_row(call.work, editor)
    is_mine = row is None or row.member_id == call.member.id
    if lost.reason == WindowEnd.TAKEN_OVER and is_mine:
        return Loss(WindowEnd.OPENED_ELSEWHERE)
    if lost.reason != WindowEnd.TAKEN_OVER or row is None:
        return Loss(lost.reason)
    member = await member_by_id(call.work.db, call.workspace_id, row.member_id)
    return Loss(lost.reason, member.name or member.email if member else "")


async def held_by(call: MemberCall, editor: Editor) -> tuple[str, bool]:
    """Who is in it now, and whether that is the member itself, in another window (EX-15)."""
    found = await present_editor(call.work, editor.agreement_id)
    return (found.name, found.member_id == call.member.id) if found else ("", False)
