"""Another document in the place of an agreement's, from the window that edits it (EX-19).

Fields stay where they are; one on a page that the new document does not have is refused by name.
"""

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from adapters.languages import translations_for
from api.agreement_source_form import Typed, in_words, read_typed, saved_documents
from api.agreement_window import editor_of, lost_page, number_in, place_in
from api.browser import field_of, refuse_cross_site, see_other
from api.console_agreements import NAME, PATH, agreement_page, target_of
from api.console_pages import member_page, office_of
from api.context import Begin
from api.errors import status_of
from api.member_call import MemberCall, console_call, quiet_call
from api.party_pages import language_of
from commands.agreement import change_agreement, members_agreement
from commands.agreement_source import MOST_BYTES, paper_from
from commands.attempt import attempt
from commands.editing_session import EditingPlace, Editor, editing_row, why_lost
from commands.work import Transactions
from domain.agreement import Pinned
from domain.agreement_errors import (
    AgreementClosed,
    AgreementFaulty,
    AgreementSigned,
    AgreementStale,
    DocumentRefused,
    WindowLost,
)
from domain.errors import NotFound
from domain.paper import Paper
from domain.permission import Permission
from domain.upload import MIB, UploadRefused
from domain.window import Place

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}/{{agreement_id}}/edit/document",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("", name=NAME)
async def get_document(
    request: Request, workspace: str, begin: Begin, agreement_id: UUID
) -> Response:
    """The form; only for the window that has the place."""
    async with console_call(request, workspace, begin) as call:
        editor = editor_of(call, agreement_id, request.query_params.get("window", ""))
        row = await editing_row(call.work, editor)
        fence = row.fence if row is not None and row.member_id == call.member.id else 0
        return await _page(call, editor, Place(editor.window, fence))


async def _page(
    call: MemberCall,
    editor: Editor,
    place: Place,
    typed: Typed | None = None,
    fault: str = "",
) -> Response:
    whole = await members_agreement(call.work, editor.agreement_id, call.workspace_id)
    if refusal := whole.value.refuses_edit():
        return await agreement_page(call, editor.agreement_id, refused=refusal)
    if lost := await why_lost(call.work, editor, place):
        return await lost_page(call, editor, lost, is_kept=False)
    return member_page(
        call,
        "agreement_document.html",
        status_of(AgreementFaulty(())) if fault else 200,
        agreement=whole.row,
        place=place,
        documents=await saved_documents(call),
        chosen=typed.text("document") if typed else "",
        fault=fault,
        largest=MOST_BYTES // MIB,
    )


@router.post("", name=NAME)
async def post_document(
    request: Request, workspace: str, begin: Begin, agreement_id: UUID
) -> Response:
    """Makes the document fit to be signed, outside of any transaction, and saves the version."""
    async with console_call(request, workspace, begin) as call:
        call.needs(Permission.AGREEMENTS_MANAGE)
    typed = await read_typed(request)
    paper, fault = await _paper(begin, call, typed)
    async with quiet_call(request, workspace, begin) as call:
        editor = editor_of(call, agreement_id, typed.text("window"))
        place = place_in(typed.texts)
        if paper is None:
            return await _page(call, editor, place, typed, fault)
        return await _save(call, editor, place, typed, paper)


async def _paper(begin: Transactions, call: MemberCall, typed: Typed) -> tuple[Paper | None, str]:
    locale = language_of(call.request, call.member.locale)
    if typed.source is None:
        _ = translations_for(locale).gettext
        return None, _("Choose a PDF, or one of the saved documents.")
    try:
        paper, _fields = await paper_from(begin, call.workspace_id, typed.source, signers=0)
    except (DocumentRefused, UploadRefused, NotFound) as refused:
        return None, in_words(refused, locale)
    return paper, ""


async def _save(
    call: MemberCall, editor: Editor, place: Place, typed: Typed, paper: Paper
) -> Response:
    given = Pinned(number_in(typed.texts, "version"), field_of(typed.texts, "sha256"))
    target = replace(target_of(call, editor.agreement_id), place=EditingPlace(editor, place))
    try:
        async with attempt(call.work):
            await change_agreement(call.work, target, given, {}, paper)
    except WindowLost as lost:
        return await lost_page(call, editor, lost, is_kept=False)
    except (AgreementClosed, AgreementSigned, AgreementStale) as refused:
        return await agreement_page(call, editor.agreement_id, refused=refused)
    except AgreementFaulty:
        _ = translations_for(language_of(call.request, call.member.locale)).gettext
        fault = _("It has fewer pages, and there are fields on those that it does not have.")
        return await _page(call, editor, place, typed, fault)
    base = f"{office_of(call.workspace).base}{PATH}/{editor.agreement_id}/edit"
    return see_other(f"{base}?window={editor.window}&done=saved")
