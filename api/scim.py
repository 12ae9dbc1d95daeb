"""`/scim/v2`: a directory provisions members and puts them into roles (SCIM 2.0, RFC 7643, 7644).

Only tokens of `gatepass token create --scim` are good here, and they are good nowhere else.
"""

import json

from fastapi import APIRouter, Request, Response
from scim2_models import SCIMException
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest

from api.browser import settings_of
from api.context import Begin
from api.credentials import bearer_of
from api.scim_answers import MEDIA_TYPE, SCIM
from api.scim_service import SERVICE
from api.scim_storage import ProvisionStorage
from commands.caller import recognise_directory

router = APIRouter(prefix=SCIM, include_in_schema=False)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SEARCH = ".search"


@router.api_route("", methods=METHODS)
@router.api_route("/{path:path}", methods=METHODS)
async def serve(request: Request, begin: Begin, path: str = "") -> Response:
    """Answers one request of a directory; each operation in it is one transaction."""
    token = bearer_of(request)
    async with begin.work() as work:
        await recognise_directory(work, token)
    storage = ProvisionStorage(begin, token, writes=_writes(request, path))
    try:
        told = await AsyncScimHandler(SERVICE, storage).handle(await _read(request, path))
    except SCIMException as refusal:
        told = SERVICE.error_response(refusal)
    body = None if told.body is None else json.dumps(told.body)
    return Response(body, int(told.status), dict(told.headers), MEDIA_TYPE)


def _writes(request: Request, path: str) -> bool:
    return request.method != "GET" and not path.endswith(SEARCH)


async def _read(request: Request, path: str) -> ScimRequest:
    return ScimRequest(
        method=request.method,
        base_url=settings_of(request).public_url.rstrip("/") + SCIM,
        path=f"/{path}",
        query=dict(request.query_params),
        headers=list(request.headers.items()),
        body=await request.body(),
    )
