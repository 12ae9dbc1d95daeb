"""A workspace's agreements for its members: listed, looked at, their files (EX-23, PS-43)."""

import secrets
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.agreements import detail_of
from api.browser import field_of, refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.context import Begin
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall, quiet_call
from api.page_pictures import WEBP, page_pictures_of
from api.receipt import PDF, attached
from api.shapes.agreement import AgreementShape
from api.shapes.field import LONGEST_RATIONALE
from commands.agreement import AgreementTarget, Whole, whole_agreement
from commands.agreement_read import find_version, note_read, read_sealed, version_pdf
from domain.agreement import CANCELLABLE, AgreementState
from domain.errors import DomainError, Erased, NotFound
from domain.permission import Permission
from store.agreement import agreements_page, versions_of
from store.editing_session import editing_session_of
from store.paper import paper_pdf

NAME = "Agreements"
PATH = "/agreements"
ON_A_PAGE = 50
FIRST = 1

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


def new_window() -> str:
    """What a page calls the window that it may open: the same for both clicks of a double one."""
    return secrets.token_urlsafe(16)


def target_of(call: MemberCall, agreement_id: UUID) -> AgreementTarget:
    """An agreement as what a member acts on."""
    return AgreementTarget(agreement_id, call.workspace_id, call.actor)


def may_manage(call: MemberCall) -> bool:
    """Whether the member may change agreements."""
    return Permission.AGREEMENTS_MANAGE in call.rights


@router.get("", name=NAME)
async def get_agreements(call: ConsoleCall) -> HTMLResponse:
    """All of them with their states, newest first, or those in one state."""
    call.needs(Permission.AGREEMENTS_READ)
    query = call.request.query_params
    state = query.get("state", "")
    wanted = state if state in set(AgreementState) else None
    rows, following = await agreements_page(
        call.work.db, call.workspace_id, wanted, query.get("cursor"), ON_A_PAGE
    )
    return member_page(
        call,
        "agreements.html",
        agreements=[AgreementShape.of(each) for each in rows],
        states=list(AgreementState),
        wanted=wanted or "",
        following=following,
        manages=may_manage(call),
    )


@router.get("/{agreement_id}", name=NAME)
async def get_agreement(call: ConsoleCall, agreement_id: UUID) -> HTMLResponse:
    """One agreement: where it stands, who has signed, its seal, and what may be done."""
    return await agreement_page(call, agreement_id, done=call.request.query_params.get("done", ""))


async def agreement_page(
    call: MemberCall, agreement_id: UUID, *, done: str = "", refused: DomainError | None = None
) -> HTMLResponse:
    """The page of an agreement, saying what was done or why not."""
    call.needs(Permission.AGREEMENTS_READ)
    whole = await whole_agreement(call.work, agreement_id, call.workspace_id)
    editing = await editing_session_of(call.work.db, whole.row.id)
    return member_page(
        call,
        "agreement_erased.html" if whole.row.erased_at else "agreement.html",
        status_of(refused) if refused else 200,
        agreement=await detail_of(call.work, whole),
        versions=await versions_of(call.work.db, whole.row.id),
        left=editing.drafts if editing else (),
        done=done,
        refused=type(refused).__name__ if refused else "",
        window=new_window(),
        **acts_on(call, whole),
    )


def back_to(call: MemberCall, agreement_id: UUID, done: str) -> Response:
    """To the agreement's page, which says what was done."""
    return see_other(f"{office_of(call.workspace).base}{PATH}/{agreement_id}?done={done}")


def rationale_in(posted: list[tuple[str, str]]) -> str:
    """Why something is done, as it was typed."""
    return field_of(posted, "rationale").replace("\0", "").strip()


def is_rationale(text: str) -> bool:
    """Whether it says why, in no more than `LONGEST_RATIONALE` characters."""
    return 0 < len(text) <= LONGEST_RATIONALE


def acts_on(call: MemberCall, whole: Whole) -> dict[str, Any]:
    """What this member may do with it now."""
    is_own = may_manage(call) and whole.row.session_id is None
    return {
        "edits": is_own and whole.value.refuses_edit() is None,
        "sends": is_own and whole.row.state == AgreementState.DRAFT,
        "cancels": is_own and whole.row.state in CANCELLABLE and not whole.value.is_signed,
        "hands_over": is_own,
        "erases": Permission.ERASE in call.rights and whole.row.session_id is None,
    }


@router.get("/{agreement_id}/document.pdf", name=NAME)
async def get_document(call: ConsoleCall, agreement_id: UUID) -> Response:
    """The pages of a version."""
    whole = await _read(call, agreement_id)
    pdf = await version_pdf(call.work, whole, _version(call.request), call.actor)
    return attached("document.pdf", PDF, pdf)


@router.get("/{agreement_id}/sealed.pdf", name=NAME)
async def get_sealed(call: ConsoleCall, agreement_id: UUID) -> Response:
    """What all have signed, sealed."""
    whole = await _read(call, agreement_id)
    copy = await read_sealed(call.work, whole, call.actor)
    return attached("sealed.pdf", PDF, copy.pdf)


async def _read(call: MemberCall, agreement_id: UUID) -> Whole:
    call.needs(Permission.AGREEMENTS_READ)
    return await whole_agreement(call.work, agreement_id, call.workspace_id)


def _version(request: Request) -> int | None:
    """The version that an address names; raises `NotFound` for what is none."""
    text = request.query_params.get("version", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len("2147483647") - 1:
        raise NotFound("version")
    return int(text)


@router.get("/{agreement_id}/pages/{number}.webp", name=NAME)
async def get_page(
    request: Request, workspace: str, begin: Begin, agreement_id: UUID, number: int
) -> Response:
    """The picture of a page: part of a page that was asked for, so no visit of its own."""
    async with quiet_call(request, workspace, begin) as call:
        whole = await _read(call, agreement_id)
        version = await find_version(call.work, whole, _version(request))
        if whole.row.erased_at is not None:
            raise Erased
        if not 1 <= number <= len(version.pages):
            raise NotFound("page")
        pdf = await paper_pdf(call.work.db, version.paper_id)
        if pdf is not None and number == FIRST:
            # One row for all pictures of a document, as for its file (PS-25).
            note_read(call.work, whole, call.actor, {"version": version.version, "pages": True})
    if pdf is None:
        raise Erased
    pictures = page_pictures_of(request.app.state)
    shown = await pictures.drawn(version.paper_id, pdf, number, len(version.pages))
    return Response(shown, media_type=WEBP)
