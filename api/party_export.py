"""Everything that is held about a party, as one archive."""

from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from api.call import ApiCall
from api.context import Begin
from api.errors import refusals
from commands.party_export import PartyExport, note_export
from domain.errors import Erased, NotFound

router = APIRouter(prefix="/api/v1/parties", tags=["parties"])

MEDIA_TYPE = "application/zip"
ARCHIVE = {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


@router.get(
    "/{party_id}/export",
    response_class=StreamingResponse,
    responses=refusals(NotFound, Erased) | {200: ARCHIVE | {"description": "The archive"}},
)
async def get_export(call: ApiCall, party_id: UUID, begin: Begin) -> Response:
    """Everything held about a party, with its files; that it was read is written down first."""
    await note_export(call.work, call.workspace_id, party_id, call.actor)
    objects = call.request.app.state.objects
    export = PartyExport(begin, objects, call.workspace_id, party_id)
    headers = {
        "Content-Disposition": f'attachment; filename="party-{party_id}.zip"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(export.stream(), media_type=MEDIA_TYPE, headers=headers)
