"""Which of a member's windows something comes from, and what is told of another one's place."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi.responses import HTMLResponse

from api.agreement_source_form import window_in
from api.browser import field_of
from api.console_agreements import PATH
from api.console_pages import member_page, office_of
from api.errors import status_of
from api.member_call import MemberCall
from commands.agreement import Whole
from commands.editing_session import Editor, editing_row, present_editor
from commands.setting import exit_url
from domain.agreement_errors import WindowHeld, WindowLost
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


async def held_page(
    call: MemberCall, editor: Editor, whole: Whole, held: WindowHeld
) -> HTMLResponse:
    """Who is in it, or that it is the member's own other window: Edit Anyway, or Cancel (EX-15)."""
    found = await present_editor(call.work, editor.agreement_id)
    return member_page(
        call,
        "agreement_held.html",
        status_of(held),
        agreement=whole.row,
        who=found.name if found else held.who,
        is_me=found is not None and found.member_id == call.member.id,
        window=editor.window,
        exit_url=await members_exit(call),
    )


async def lost_page(
    call: MemberCall, editor: Editor, lost: WindowLost, *, is_kept: bool
) -> HTMLResponse:
    """Warning: Session Timeout, why, and Okay (EX-13, EX-17)."""
    return member_page(
        call,
        "agreement_lost.html",
        status_of(lost),
        loss=await loss_of(call, editor, lost),
        is_kept=is_kept,
        agreement_id=editor.agreement_id,
        exit_url=await members_exit(call),
    )


async def members_exit(call: MemberCall) -> str:
    """Where Cancel and Okay lead: the company's exit page, or the list of agreements (EX-18)."""
    base = office_of(call.workspace).base
    return await exit_url(call.work, call.workspace_id) or base + PATH
