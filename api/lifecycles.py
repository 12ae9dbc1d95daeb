"""`/api/v1/lifecycles`: a party kind's states, transitions and what they issue."""

from fastapi import APIRouter

from api.call import ApiCall
from api.definitions import Key, NewKey, Version, page, save, show
from api.errors import refusals
from api.paging import Pages
from api.shapes.definition import DefinitionShape, DefinitionVersion
from api.shapes.field import Object, Page
from commands.definition import save_lifecycle
from domain.definition import DefinitionKind
from domain.errors import CursorInvalid, DefinitionFaulty, NotFound

router = APIRouter(prefix="/api/v1/lifecycles", tags=["lifecycles"])


@router.put("/{kind}", responses=refusals(DefinitionFaulty))
async def put_lifecycle(call: ApiCall, kind: NewKey, body: Object) -> DefinitionShape:
    """Saves the lifecycle of a party kind as a new version."""
    return await save(call, kind, body, save_lifecycle)


@router.get("/{kind}", responses=refusals(NotFound))
async def get_lifecycle(call: ApiCall, kind: Key, version: Version = None) -> DefinitionShape:
    """The newest version, or the one that is asked for."""
    return await show(call, DefinitionKind.LIFECYCLE, kind, version)


@router.get("", responses=refusals(CursorInvalid))
async def list_lifecycles(call: ApiCall, paging: Pages) -> Page[DefinitionVersion]:
    """The newest version of each, by key, without their bodies."""
    return await page(call, DefinitionKind.LIFECYCLE, paging)
