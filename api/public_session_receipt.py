"""A completed session's receipt, as members get it."""

import asyncio
from uuid import UUID

from fastapi import APIRouter, Response

from api.call import ApiCall
from api.errors import refusals
from api.public_session_views import find_session
from api.receipt import PDF, attached
from api.shapes.receipt import ReceiptShape
from commands.receipt import note_read, receipt_of
from domain.errors import Erased, NotFound

router = APIRouter(prefix="/api/v1/public-sessions/{session_id}", tags=["public-sessions"])


@router.get("/receipt", responses=refusals(NotFound, Erased))
async def get_receipt(call: ApiCall, session_id: UUID) -> ReceiptShape:
    """What was done, and the proof; that it was read is written down (PS-25)."""
    row = await find_session(call, session_id)
    given = await receipt_of(call.work, row)
    await note_read(call.work, row, call.actor)
    return ReceiptShape.of(given)


@router.get(
    "/receipt.pdf",
    response_class=Response,
    responses={200: {"content": {PDF: {}}}, **refusals(NotFound, Erased)},
)
async def get_pdf(call: ApiCall, session_id: UUID) -> Response:
    """The receipt as the party has it; that it was read is written down (PS-25)."""
    row = await find_session(call, session_id)
    given = await receipt_of(call.work, row)
    await note_read(call.work, row, call.actor)
    return attached("receipt.pdf", PDF, await asyncio.to_thread(given.pdf))
