"""`/api/v1/sign-in-modes`: the identity provider through which members may sign in."""

from fastapi import APIRouter, Response

from api.call import ApiCall, Call
from api.console_federated import back_address
from api.errors import refusals
from api.shapes.sign_in_mode import FederationShape, FederationWanted
from commands.federation import SetFederation, find_federation, remove_federation, set_federation
from domain.errors import NotFound
from domain.member_errors import ChannelDenied, FederationInvalid
from store.federation import FederationRow
from store.workspace import workspace_by_id

router = APIRouter(prefix="/api/v1/sign-in-modes", tags=["settings"])


async def _shape(call: Call, row: FederationRow) -> FederationShape:
    workspace = await workspace_by_id(call.work.db, call.workspace_id)
    return FederationShape.of(row, back_address(call.work.settings, workspace.key))


@router.get("/federated", responses=refusals(NotFound))
async def get_federated(call: ApiCall) -> FederationShape:
    """The provider, without our secret there."""
    return await _shape(call, await find_federation(call.work, call.workspace_id))


@router.put("/federated", responses=refusals(ChannelDenied, FederationInvalid))
async def put_federated(call: ApiCall, wanted: FederationWanted) -> FederationShape:
    """Sets the provider; with another issuer nobody is bound to a subject any more."""
    fields = SetFederation(call.workspace_id, wanted.fields(), call.actor)
    return await _shape(call, await set_federation(call.work, fields))


@router.delete("/federated", status_code=204, response_class=Response, responses=refusals(NotFound))
async def delete_federated(call: ApiCall) -> Response:
    """Nobody signs in through it any more; sessions that began so go on to their end."""
    await remove_federation(call.work, call.workspace_id, call.actor)
    return Response(status_code=204)
