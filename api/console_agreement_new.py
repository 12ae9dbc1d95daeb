"""A new agreement: its document, its signers and their order; then its editor opens (EX-15)."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.languages import translations_for
from api.agreement_signers import parties_meant, signer_fault, suggested
from api.agreement_source_form import Typed, in_words, read_typed, saved_documents
from api.browser import refuse_cross_site, see_other
from api.console_agreements import NAME, PATH, new_window
from api.console_pages import member_page, office_of
from api.context import Begin
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall, console_call, quiet_call
from api.party_pages import language_of
from commands.agreement import create_agreement
from commands.agreement_source import MOST_BYTES, paper_from
from commands.editing_session import Editor, open_editor
from domain.agreement_draft import LONGEST_TITLE
from domain.agreement_errors import AgreementFaulty, DocumentRefused
from domain.definition import DefinitionKind
from domain.errors import NotFound
from domain.paper import Paper
from domain.permission import Permission
from domain.upload import UploadRefused
from store.definition import latest_definition
from store.idempotency import Claim, claim_key

NEW = f"{PATH}/new"
SIGNER_ROWS = 4

router = APIRouter(
    prefix=f"/console/{{workspace}}{NEW}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("", name=NAME)
async def get_new(call: ConsoleCall) -> HTMLResponse:
    """The form."""
    call.needs(Permission.AGREEMENTS_MANAGE)
    return await _page(call, Typed([("ordered", "on")]), {})


def _locale(call: MemberCall) -> str:
    return language_of(call.request, call.member.locale)


async def _page(call: MemberCall, typed: Typed, faults: dict[str, str]) -> HTMLResponse:
    signers = typed.signers or []
    return member_page(
        call,
        "agreement_new.html",
        status_of(AgreementFaulty(())) if faults else 200,
        typed=typed,
        faults=faults,
        documents=await saved_documents(call),
        parties=await suggested(call),
        signers=signers + [""] * max(0, SIGNER_ROWS - len(signers)),
        window=new_window(),
        largest=MOST_BYTES // 1024**2,
    )


@router.post("", name=NAME)
async def post_new(request: Request, workspace: str, begin: Begin) -> Response:
    """Makes the draft and opens its editor; a second click finds what the first has made."""
    async with console_call(request, workspace, begin) as call:
        call.needs(Permission.AGREEMENTS_MANAGE)
    typed = await read_typed(request)
    async with quiet_call(request, workspace, begin) as call:
        draft, faults = await _draft(call, typed)
    prepared = None
    if typed.source is not None:
        try:
            # Up to seconds, and outside of any transaction.
            workspace_id, signers = call.workspace_id, len(draft["signers"])
            prepared = await paper_from(begin, workspace_id, typed.source, signers=signers)
        except (DocumentRefused, UploadRefused, NotFound) as refused:
            faults["source"] = in_words(refused, _locale(call))
    async with quiet_call(request, workspace, begin) as call:
        call.needs(Permission.AGREEMENTS_MANAGE)
        if faults or prepared is None:
            return await _page(call, typed, faults)
        return await _create(call, typed.window, draft, prepared)


async def _draft(call: MemberCall, typed: Typed) -> tuple[dict[str, Any], dict[str, str]]:
    """The draft's members, and for each place where that is not possible why."""
    _ = translations_for(_locale(call)).gettext
    faults: dict[str, str] = {}
    parties: list[str] = []
    for at, each in enumerate(typed.signers):
        if not each:
            continue
        fitting = await parties_meant(call, each)
        if fault := signer_fault(fitting, parties, _locale(call)):
            faults[f"signer-{at}"] = fault
        else:
            parties.append(str(fitting[0].id))
    if typed.source is None:
        faults["source"] = _("Choose a PDF, or one of the saved documents.")
    title = typed.text("title") or await _title(call, typed)
    if not title and "source" not in faults:
        faults["title"] = _("Enter a title.")
    draft = {
        "title": title[:LONGEST_TITLE],
        "consent": _("I agree to be bound by this agreement."),
        "ordered": bool(typed.text("ordered")),
        "signers": [{"party": each} for each in parties],
    }
    return draft, faults


async def _title(call: MemberCall, typed: Typed) -> str:
    """The document's own, where none was typed: its title, or the name of its file."""
    if typed.file_name:
        return typed.file_name.removesuffix(".pdf").strip()
    kind, key = DefinitionKind.DOCUMENT, typed.text("document")
    row = await latest_definition(call.work.db, call.workspace_id, kind, key)
    return str(row.body["title"]) if row else ""


async def _create(
    call: MemberCall,
    window: str,
    draft: dict[str, Any],
    prepared: tuple[Paper, list[dict[str, Any]]],
) -> Response:
    claim = Claim(call.workspace_id, call.member.id, f"agreement-{window}", "console", call.work.at)
    kept, is_ours = await claim_key(call.work.db, claim)
    if is_ours:
        paper, fields = prepared
        body = draft | {"fields": fields}
        whole = await create_agreement(call.work, call.workspace_id, body, paper, call.actor)
        await call.work.db.flush()
        editor = Editor(call.found, call.actor, whole.row.id, window)
        await open_editor(call.work, editor, take_over=False)
        address = f"{office_of(call.workspace).base}{PATH}/{whole.row.id}/edit?window={window}"
        kept.status, kept.text = 303, address
    return see_other(kept.text)
