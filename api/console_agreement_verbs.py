"""Sent, cancelled, handed over, erased: each asked first, on a page that says what will happen."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.agreement_window import number_in
from api.agreements import detail_of
from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_agreements import (
    NAME,
    PATH,
    agreement_page,
    back_to,
    is_rationale,
    new_window,
    rationale_in,
    target_of,
)
from api.console_pages import member_page
from api.console_sign_out import CLEARED
from api.context import Begin
from api.ended_hint import keep_ended
from api.errors import status_of
from api.member_call import (
    ConsoleCall,
    MemberCall,
    console_call,
    forget_member,
    member_secret,
)
from api.shapes.field import LONGEST_RATIONALE
from commands.agreement import (
    Whole,
    cancel_agreement,
    members_agreement,
    send_agreement,
)
from commands.agreement_erasure import erase_agreement
from commands.agreement_handover import open_as_signer
from commands.agreement_signer import open_signer
from commands.attempt import attempt
from domain.agreement import Pinned
from domain.agreement_errors import (
    AgreementClosed,
    AgreementFaulty,
    AgreementStale,
    NoSigningCertificate,
    WindowHeld,
)
from domain.errors import DomainError
from domain.member_session import MemberSessionEnd
from domain.permission import Permission
from store.signing_certificate import current_certificate

REFUSED = (AgreementClosed, AgreementFaulty, AgreementStale, NoSigningCertificate, WindowHeld)

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}/{{agreement_id}}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


async def _own(
    call: MemberCall, agreement_id: UUID, needs: Permission = Permission.AGREEMENTS_MANAGE
) -> Whole:
    call.needs(needs)
    return await members_agreement(call.work, agreement_id, call.workspace_id)


@router.get("/send", name=NAME)
async def get_send(call: ConsoleCall, agreement_id: UUID) -> Response:
    """What will happen: who is mailed, first or at once, until when, and what is missing.

    While a member is in its editor nothing is offered that would be refused: who, and ways on.
    """
    return await _send_page(call, await _own(call, agreement_id))


async def _send_page(
    call: MemberCall, whole: Whole, refused: DomainError | None = None
) -> HTMLResponse:
    if refusal := whole.value.refuses_send():
        return await agreement_page(call, whole.row.id, refused=refusal)
    certificate = await current_certificate(call.work.db, call.workspace_id)
    is_certified = certificate is not None and certificate.not_after > call.work.at
    return member_page(
        call,
        "agreement_send.html",
        status_of(refused) if refused else 200,
        agreement=await detail_of(call.work, whole),
        is_certified=is_certified,
        sets_up=Permission.SETTINGS_EDIT in call.rights,
        window=new_window(),
        refused=type(refused).__name__ if refused else "",
        faults=refused.faults if isinstance(refused, AgreementFaulty) else (),
    )


@router.post("/send", name=NAME)
async def post_send(posted: PostedPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """Sends exactly what the page showed; a refusal is told where it was asked (PS-43)."""
    whole = await _own(call, agreement_id)
    given = Pinned(number_in(posted, "version"), field_of(posted, "sha256"))
    try:
        async with attempt(call.work):
            await send_agreement(call.work, target_of(call, agreement_id), given)
    except REFUSED as refused:
        return await _send_page(call, whole, refused)
    return back_to(call, agreement_id, "sent")


@router.get("/cancel", name=NAME)
async def get_cancel(call: ConsoleCall, agreement_id: UUID) -> Response:
    """Asks why."""
    return await _cancel_page(call, await _own(call, agreement_id))


async def _cancel_page(
    call: MemberCall, whole: Whole, typed: str = "", fault: str = ""
) -> HTMLResponse:
    if refusal := whole.value.refuses_cancel():
        return await agreement_page(call, whole.row.id, refused=refusal)
    status = status_of(AgreementFaulty(())) if fault else 200
    known: Mapping[str, Any] = {"typed": typed, "fault": fault, "longest": LONGEST_RATIONALE}
    detail = await detail_of(call.work, whole)
    return member_page(call, "agreement_cancel.html", status, agreement=detail, **known)


@router.post("/cancel", name=NAME)
async def post_cancel(posted: PostedPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """Cancels it: links still open, and say so (EX-23)."""
    whole = await _own(call, agreement_id)
    rationale = rationale_in(posted)
    if not is_rationale(rationale):
        return await _cancel_page(call, whole, rationale, "rationale")
    try:
        async with attempt(call.work):
            await cancel_agreement(call.work, target_of(call, agreement_id), rationale)
    except AgreementClosed as refused:
        return await agreement_page(call, agreement_id, refused=refused)
    return back_to(call, agreement_id, "cancelled")


@router.get("/signers/{position}/open", name=NAME)
async def get_open(call: ConsoleCall, agreement_id: UUID, position: int) -> Response:
    """Asks before the device is handed over: the member's session ends (EX-5)."""
    whole = await _own(call, agreement_id)
    try:
        _, signer, _ = await open_signer(call.work, target_of(call, agreement_id), position)
    except AgreementClosed as refused:
        return await agreement_page(call, agreement_id, refused=refused)
    return member_page(call, "agreement_hand_over.html", agreement=whole.row, signer=signer)


@router.post("/signers/{position}/open", name=NAME)
async def post_open(
    request: Request, workspace: str, begin: Begin, agreement_id: UUID, position: int
) -> Response:
    """Ends this browser's member sessions, then leads to the signer's door (EX-5)."""
    async with console_call(request, workspace, begin) as call:
        await _own(call, agreement_id)
        try:
            target = target_of(call, agreement_id)
            secret = member_secret(request)
            link = await open_as_signer(call.work, target, position, call.found, secret)
        except AgreementClosed as refused:
            return await agreement_page(call, agreement_id, refused=refused)
    answer = see_other(link)
    forget_member(request, answer)
    keep_ended(request, answer, call.workspace.key, MemberSessionEnd.OPEN_AS_SIGNER)
    answer.headers["clear-site-data"] = CLEARED
    return answer


@router.get("/erase", name=NAME)
async def get_erase(call: ConsoleCall, agreement_id: UUID) -> Response:
    """What will be gone for good, and why it is to go (PS-28)."""
    return await _erase_page(call, await _own(call, agreement_id, Permission.ERASE))


async def _erase_page(call: MemberCall, whole: Whole, typed: str = "", fault: str = "") -> Response:
    if whole.row.erased_at is not None:
        return await agreement_page(call, whole.row.id)
    status = status_of(AgreementFaulty(())) if fault else 200
    known: Mapping[str, Any] = {"typed": typed, "fault": fault, "longest": LONGEST_RATIONALE}
    return member_page(call, "agreement_erase.html", status, agreement=whole.row, **known)


@router.post("/erase", name=NAME)
async def post_erase(posted: PostedPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """Erases it; a second click finds it erased."""
    whole = await _own(call, agreement_id, Permission.ERASE)
    rationale = rationale_in(posted)
    if not is_rationale(rationale):
        return await _erase_page(call, whole, rationale, "rationale")
    await erase_agreement(call.work, target_of(call, agreement_id), rationale)
    return back_to(call, agreement_id, "erased")
