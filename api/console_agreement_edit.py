"""The editor of an agreement: one member's window at a time may change it (EX-15 to EX-18, N8)."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.agreement_form import DraftForm, SignerRow, base_of, body_of, read_form
from api.agreement_signers import parties_meant, signer_fault
from api.agreement_window import (
    Loss,
    Pairs,
    editor_of,
    held_page,
    loss_of,
    lost_page,
    number_in,
    place_in,
)
from api.browser import PostedPairs, field_of, pairs_of, refuse_cross_site, see_other
from api.console_agreements import NAME, PATH, agreement_page, target_of
from api.console_pages import office_of
from api.editor_leaving import leave_to_send
from api.editor_page import (
    Shown,
    beside_saved,
    editor_page,
    faults_in_words,
    with_left_behind,
)
from api.member_call import ConsoleCall, MemberCall, QuietCall
from api.party_pages import language_of
from commands.agreement import change_agreement, members_agreement
from commands.agreement_write import draft_body
from commands.attempt import attempt
from commands.editing_session import (
    EditingPlace,
    Editor,
    editing_row,
    hear_editor,
    keep_left_behind,
    let_go,
    open_editor,
    put_away,
    why_lost,
)
from domain.agreement import Pinned
from domain.agreement_errors import (
    AgreementClosed,
    AgreementFaulty,
    AgreementSigned,
    AgreementStale,
    WindowHeld,
    WindowLost,
)
from domain.agreement_unsaved import applied, unsaved
from domain.left_behind import draft_of
from domain.permission import Permission
from domain.window import Place

MOST_BYTES = 512 * 1024
MOST_FIELDS = 4000
"""A draft of 200 fields in a form, twice: as it was given, and as it is."""
SEND = "send"
CONFLICT = 409

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}/{{agreement_id}}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


async def editor_pairs(request: Request) -> list[tuple[str, str]]:
    """The editor's form; raises as `posted_pairs` does."""
    return await pairs_of(request, MOST_BYTES, MOST_FIELDS)


EditorPairs = Annotated[list[tuple[str, str]], Depends(editor_pairs)]


@router.post("/edit", name=NAME)
async def post_edit(posted: PostedPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """Opens the editor in a window; a double click is one window (SX-5).

    While another window is open the page asks, and says who is in it (EX-15).
    """
    editor = editor_of(call, agreement_id, field_of(posted, "window"))
    whole = await members_agreement(call.work, agreement_id, call.workspace_id)
    if refusal := whole.value.refuses_edit():
        return await agreement_page(call, agreement_id, refused=refusal)
    try:
        async with attempt(call.work):
            takes_over = field_of(posted, "take_over") == "yes"
            await open_editor(call.work, editor, take_over=takes_over)
    except WindowHeld as held:
        return await held_page(call, editor, whole, held)
    return see_other(_address(call, editor))


def _address(call: MemberCall, editor: Editor, more: str = "") -> str:
    base = f"{office_of(call.workspace).base}{PATH}/{editor.agreement_id}/edit"
    return f"{base}?window={editor.window}{more}"


@router.get("/edit", name=NAME)
async def get_edit(call: ConsoleCall, agreement_id: UUID) -> Response:
    """The editor, in the window that has the place; getting it changes nothing."""
    call.needs(Permission.AGREEMENTS_MANAGE)
    query = call.request.query_params
    if not query.get("window"):
        return see_other(f"{office_of(call.workspace).base}{PATH}/{agreement_id}")
    editor = editor_of(call, agreement_id, query["window"])
    whole = await members_agreement(call.work, agreement_id, call.workspace_id)
    if refusal := whole.value.refuses_edit():
        return await agreement_page(call, agreement_id, refused=refusal)
    row = await editing_row(call.work, editor)
    fence = row.fence if row is not None and row.member_id == call.member.id else 0
    place = Place(editor.window, fence)
    lost = await why_lost(call.work, editor, place)
    if row is None or lost is not None:
        return await lost_page(call, editor, lost or WindowLost(""), is_kept=False)
    shown = Shown(done=query.get("done", ""))
    if draft := draft_of(row.drafts, query.get("use", "")):
        saved = draft_body(whole.row, whole.version, whole.signers)
        shown = Shown(form=with_left_behind(draft, saved), uses_left=draft.id)
    return await editor_page(call, whole, row, place, shown)


@router.post("/edit/save", name=NAME)
async def post_save(posted: EditorPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """Saves what was typed, or leads to sending; without a script, acts on a field of the form."""
    editor, place = editor_of(call, agreement_id, field_of(posted, "window")), place_in(posted)
    whole = await members_agreement(call.work, agreement_id, call.workspace_id)
    form, faults = await _with_new_signer(call, read_form(posted), field_of(posted, "new_signer"))
    if lost := await why_lost(call.work, editor, place):
        return await _lost_with_changes(call, editor, place, posted, lost)
    row = await editing_row(call.work, editor)
    assert row is not None  # noqa: S101 - what is not lost is held
    shown = Shown(
        form=form,
        base=base_of(posted),
        uses_left=field_of(posted, "uses_left"),
        page=field_of(posted, "page"),
        faults=faults,
        new_signer=field_of(posted, "new_signer") if faults else "",
        refused=AgreementFaulty(()) if faults else None,
    )
    acted = form.acted(field_of(posted, "action"))
    if acted is not None or faults:
        return await editor_page(call, whole, row, place, replace(shown, form=acted or form))
    if field_of(posted, "action") == SEND:
        return await leave_to_send(call, editor, place, (whole, row, shown))
    return await _save(call, editor, place, posted, shown)


async def _with_new_signer(
    call: MemberCall, form: DraftForm, text: str
) -> tuple[DraftForm, dict[str, str]]:
    """The form with a signer that was typed; or why there is none such."""
    if not text.strip():
        return form, {}
    fitting, known = await parties_meant(call, text), {each.party for each in form.signers}
    if fault := signer_fault(fitting, known, language_of(call.request, call.member.locale)):
        return form, {"new_signer": fault}
    row = SignerRow(str(fitting[0].id), str(len(form.signers) + 1))
    return replace(form, signers=(*form.signers, row)), {}


async def _save(
    call: MemberCall, editor: Editor, place: Place, posted: Pairs, shown: Shown
) -> Response:
    pairs = list(posted)
    given = Pinned(number_in(pairs, "version"), field_of(pairs, "sha256"))
    assert shown.form is not None  # noqa: S101 - it was posted
    body = body_of(shown.form)
    whole = await members_agreement(call.work, editor.agreement_id, call.workspace_id)
    saved = draft_body(whole.row, whole.version, whole.signers)
    if given == whole.value.current and not unsaved(saved, body) and not shown.uses_left:
        await put_away(call.work, editor, place, shown.page, {})
        return see_other(_address(call, editor, "&done=nothing"))
    from_here = replace(target_of(call, editor.agreement_id), place=EditingPlace(editor, place))
    try:
        async with attempt(call.work):
            await change_agreement(call.work, from_here, given, body)
            if shown.uses_left:
                await let_go(call.work, editor, place, shown.uses_left)
            await put_away(call.work, editor, place, shown.page, {})
    except (AgreementStale, AgreementFaulty) as refused:
        return await _again(call, editor, place, shown, refused)
    except (AgreementClosed, AgreementSigned) as refused:
        return await agreement_page(call, editor.agreement_id, refused=refused)
    except WindowLost as lost:
        return await _lost_with_changes(call, editor, place, posted, lost)
    return see_other(_address(call, editor, "&done=saved"))


async def _again(
    call: MemberCall,
    editor: Editor,
    place: Place,
    shown: Shown,
    refused: AgreementStale | AgreementFaulty,
) -> Response:
    """The form as it was typed, with what is wrong; beside what somebody else has saved."""
    whole = await members_agreement(call.work, editor.agreement_id, call.workspace_id)
    row = await editing_row(call.work, editor)
    assert row is not None and shown.form is not None  # noqa: PT018, S101 - as above
    if isinstance(refused, AgreementFaulty):
        page = replace(shown, refused=refused, faults=faults_in_words(call, refused))
        return await editor_page(call, whole, row, place, page)
    saved = draft_body(whole.row, whole.version, whole.signers)
    typed = body_of(shown.form)
    form, sides = beside_saved(typed, saved, unsaved(shown.base or saved, typed))
    page = replace(shown, refused=refused, form=form, sides=sides, base=saved)
    return await editor_page(call, whole, row, place, page)


async def _lost_with_changes(
    call: MemberCall, editor: Editor, place: Place, posted: Pairs, lost: WindowLost
) -> HTMLResponse:
    is_kept = await _keep(call, editor, place, posted)
    return await lost_page(call, editor, lost, is_kept=is_kept)


async def _keep(call: MemberCall, editor: Editor, place: Place, posted: Pairs) -> bool:
    """Keeps apart what this window had not saved; whether there was anything (N8)."""
    changes = await _changes_in(posted)
    page = field_of(list(posted), "page")
    return bool(changes) and await keep_left_behind(call.work, editor, place, changes, page)


async def _changes_in(posted: Pairs) -> dict[str, Any]:
    """What was not saved; of what nobody's page sends nothing."""
    form, base = read_form(posted), base_of(posted)
    changes = unsaved(base, body_of(form)) if base else {}
    return changes if await _can_be_shown(base, changes) else {}


async def _can_be_shown(base: dict[str, Any], changes: dict[str, Any]) -> bool:
    """Whether it reads as a draft: what nobody's page sends is not kept."""
    try:
        read = applied(base, changes)
    except (KeyError, TypeError, AttributeError):
        return False
    return {"title", "message", "consent", "signers", "fields"} <= read.keys()


@router.post("/edit/left-behind", name=NAME)
async def post_left_behind(posted: EditorPairs, call: QuietCall, agreement_id: UUID) -> Response:
    """What a window that was told of its loss had not saved; answers why, and who is in it now.

    Of one that has its place still, but may be gone before it is asked: put away.
    """
    editor, place = editor_of(call, agreement_id, field_of(posted, "window")), place_in(posted)
    lost = await why_lost(call.work, editor, place)
    if lost is None:
        changes = await _changes_in(posted)
        await put_away(call.work, editor, place, field_of(posted, "page"), changes)
        return Response(status_code=204)
    is_kept = await _keep(call, editor, place, posted)
    return _told(await loss_of(call, editor, lost), is_kept=is_kept)


def _told(loss: Loss, *, is_kept: bool = False, status: int = 200) -> Response:
    return JSONResponse({"reason": loss.reason, "who": loss.who, "kept": is_kept}, status)


@router.post("/edit/beat", name=NAME)
async def post_beat(posted: PostedPairs, call: QuietCall, agreement_id: UUID) -> Response:
    """The window is open, or with `leaving` closes now: whoever comes next is asked nothing."""
    editor, place = editor_of(call, agreement_id, field_of(posted, "window")), place_in(posted)
    try:
        leaving = field_of(posted, "leaving") == "yes"
        async with attempt(call.work):
            await hear_editor(call.work, editor, place, leaving=leaving)
    except WindowLost as lost:
        return _told(await loss_of(call, editor, lost), status=CONFLICT)
    return Response(status_code=204)


@router.post("/edit/let-go", name=NAME)
async def post_let_go(posted: PostedPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """One draft that was not taken over is thrown away, because somebody said so (N8)."""
    editor, place = editor_of(call, agreement_id, field_of(posted, "window")), place_in(posted)
    try:
        async with attempt(call.work):
            await let_go(call.work, editor, place, field_of(posted, "draft"))
    except WindowLost as lost:
        return await lost_page(call, editor, lost, is_kept=False)
    return see_other(_address(call, editor, "&done=let_go"))
