"""Erases an agreement for good, after asking on a page that says what will be gone (PS-28)."""

from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.browser import PostedPairs, refuse_cross_site
from api.console_agreements import (
    NAME,
    PATH,
    agreement_page,
    back_to,
    rationale_in,
    target_of,
)
from api.console_pages import member_page
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall
from api.shapes.field import LONGEST_RATIONALE
from commands.agreement import Whole, members_agreement
from commands.agreement_erasure import erase_agreement
from domain.agreement_errors import AgreementFaulty
from domain.permission import Permission

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}/{{agreement_id}}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("/erase", name=NAME)
async def get_erase(call: ConsoleCall, agreement_id: UUID) -> Response:
    """What will be gone, and why it is to go."""
    return await _erase_page(call, await _own(call, agreement_id))


async def _own(call: MemberCall, agreement_id: UUID) -> Whole:
    call.needs(Permission.ERASE)
    return await members_agreement(call.work, agreement_id, call.workspace_id)


async def _erase_page(call: MemberCall, whole: Whole, typed: str = "", fault: str = "") -> Response:
    if whole.row.erased_at is not None:
        return await agreement_page(call, whole.row.id)
    return member_page(
        call,
        "agreement_erase.html",
        status_of(AgreementFaulty(())) if fault else 200,
        agreement=whole.row,
        typed=typed,
        fault=fault,
        longest=LONGEST_RATIONALE,
    )


@router.post("/erase", name=NAME)
async def post_erase(posted: PostedPairs, call: ConsoleCall, agreement_id: UUID) -> Response:
    """Erases it; a second click finds it erased."""
    whole = await _own(call, agreement_id)
    rationale = rationale_in(posted)
    if not 0 < len(rationale) <= LONGEST_RATIONALE:
        return await _erase_page(call, whole, rationale, "rationale")
    await erase_agreement(call.work, target_of(call, agreement_id), rationale)
    return back_to(call, agreement_id, "erased")
