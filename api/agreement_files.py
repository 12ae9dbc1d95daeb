"""The files of an agreement: its versions, each as a PDF, and what was sealed at the end."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.call import ApiCall
from api.errors import refusals
from api.receipt import PDF, attached
from api.shapes.agreement import VersionShape
from api.shapes.field import Page
from commands.agreement import whole_agreement
from commands.agreement_read import read_sealed, version_pdf
from domain.errors import Erased, NotFound
from store.agreement import versions_of

router = APIRouter(prefix="/api/v1/agreements/{agreement_id}", tags=["agreements"])

MOST_VERSIONS = 2**31 - 1
Number = Annotated[int | None, Query(ge=1, le=MOST_VERSIONS, description="The current one if none")]
A_PDF: dict[int | str, Any] = {200: {"content": {PDF: {}}}}


@router.get("/versions", responses=refusals(NotFound))
async def list_versions(call: ApiCall, agreement_id: UUID) -> Page[VersionShape]:
    """Every version that was with the signers, oldest first; of a draft the present one."""
    whole = await whole_agreement(call.work, agreement_id, call.workspace_id)
    rows = await versions_of(call.work.db, whole.row.id)
    return Page(items=[VersionShape.of(each) for each in rows])


@router.get("/document.pdf", response_class=Response, responses=A_PDF | refusals(NotFound, Erased))
async def get_document(call: ApiCall, agreement_id: UUID, version: Number = None) -> Response:
    """The pages of a version, before anything was filled in."""
    whole = await whole_agreement(call.work, agreement_id, call.workspace_id)
    return attached("document.pdf", PDF, await version_pdf(call.work, whole, version, call.actor))


@router.get("/sealed.pdf", response_class=Response, responses=A_PDF | refusals(NotFound, Erased))
async def get_sealed(call: ApiCall, agreement_id: UUID) -> Response:
    """What all have signed, with its certificate of completion, sealed."""
    whole = await whole_agreement(call.work, agreement_id, call.workspace_id)
    copy = await read_sealed(call.work, whole, call.actor)
    return attached("sealed.pdf", PDF, copy.pdf)
