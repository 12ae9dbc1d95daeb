"""`/api/v1/forms`: what a party is asked, each saved as versions."""

from fastapi import APIRouter

from api.call import ApiCall
from api.definitions import Key, NewKey, Version, page, save, show
from api.errors import refusals
from api.paging import Pages
from api.shapes.definition import DefinitionShape, DefinitionVersion
from api.shapes.field import Object, Page
from commands.definition import save_form
from domain.definition import DefinitionKind
from domain.errors import CursorInvalid, DefinitionFaulty, NotFound

router = APIRouter(prefix="/api/v1/forms", tags=["forms"])


@router.put("/{form}", responses=refusals(DefinitionFaulty))
async def put_form(call: ApiCall, form: NewKey, body: Object) -> DefinitionShape:
    """Saves a form, a JSON Schema 2020-12 subset with `x-ui` hints, as a new version."""
    return await save(call, form, body, save_form)


@router.get("/{form}", responses=refusals(NotFound))
async def get_form(call: ApiCall, form: Key, version: Version = None) -> DefinitionShape:
    """The newest version, or the one that is asked for."""
    return await show(call, DefinitionKind.FORM, form, version)


@router.get("", responses=refusals(CursorInvalid))
async def list_forms(call: ApiCall, paging: Pages) -> Page[DefinitionVersion]:
    """The newest version of each, by key, without their bodies."""
    return await page(call, DefinitionKind.FORM, paging)
