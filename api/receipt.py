"""The party's receipt: a page, its PDF, and the proof for machines (PS-13, N10)."""

import asyncio

from fastapi import APIRouter, Depends, Request, Response

from api.browser import refuse_cross_site, see_other, visitor_of
from api.context import Begin
from api.party_pages import language_of, page_of
from api.room import room_values
from commands.agreement_read import read_signed
from commands.receipt import GivenReceipt, note_read, receipt_of
from commands.room import Room, enter_completed, party_of
from commands.work import Work
from store.agreement import signed_in_session

router = APIRouter(dependencies=[Depends(refuse_cross_site)], include_in_schema=False)

JSON, PDF = "application/json", "application/pdf"


@router.get("/sessions/{session_id}/receipt")
async def get_receipt(request: Request, session_id: str, begin: Begin) -> Response:
    """What was done, when, and the proof; for the browser that did it."""
    async with begin.work() as work:
        room = await enter_completed(work, visitor_of(request, session_id))
        given = await _given(request, work, room)
        shown = await room_values(request, work, room)
        signed = await signed_in_session(work.db, room.session.id)
    return page_of(name="receipt.html", receipt=given.receipt, signed=signed, **shown)


async def _given(request: Request, work: Work, room: Room) -> GivenReceipt:
    party = await party_of(work, room)
    given = await receipt_of(work, room.session, language_of(request, party.locale))
    await note_read(work, room.session, room.actor)
    return given


@router.get("/sessions/{session_id}/receipt.pdf")
async def get_pdf(request: Request, session_id: str, begin: Begin) -> Response:
    """The receipt to keep; until the log's head is signed, without its proof."""
    async with begin.work() as work:
        room = await enter_completed(work, visitor_of(request, session_id))
        given = await _given(request, work, room)
    return attached("receipt.pdf", PDF, await asyncio.to_thread(given.pdf))


@router.get("/sessions/{session_id}/receipt.json")
async def get_json(request: Request, session_id: str, begin: Begin) -> Response:
    """What anybody checks offline; before there is a proof, the way to the page that says so."""
    async with begin.work() as work:
        room = await enter_completed(work, visitor_of(request, session_id))
        given = await _given(request, work, room)
    if not given.text:
        return see_other(f"/sessions/{room.session.id}/receipt")
    return attached("receipt.json", JSON, given.text.encode())


@router.get("/sessions/{session_id}/signed/{agreement_id}.pdf")
async def get_signed(
    request: Request, session_id: str, agreement_id: str, begin: Begin
) -> Response:
    """The sealed document that was signed in this session, for the browser that completed it."""
    async with begin.work() as work:
        room = await enter_completed(work, visitor_of(request, session_id))
        copy = await read_signed(work, room, agreement_id)
    return attached("signed.pdf", PDF, copy.pdf)


def attached(name: str, media_type: str, content: bytes) -> Response:
    """A file that a browser keeps instead of showing it."""
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=disposition)
