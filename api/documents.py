"""`/api/v1/documents`: texts that tasks refer to, each saved as versions."""

from fastapi import APIRouter

from api.call import ApiCall
from api.definitions import Key, NewKey, Version, page, save, show
from api.errors import refusals
from api.paging import Pages
from api.shapes.definition import DefinitionShape, DefinitionVersion
from api.shapes.field import Object, Page
from commands.definition import save_document
from domain.definition import DefinitionKind
from domain.errors import CursorInvalid, DefinitionFaulty, NotFound

router = APIRouter(prefix="/api/v1/documents", tags=["documents"])


@router.put("/{document}", responses=refusals(DefinitionFaulty))
async def put_document(call: ApiCall, document: NewKey, body: Object) -> DefinitionShape:
    """Saves a document, Markdown with a title, as a new version."""
    return await save(call, document, body, save_document)


@router.get("/{document}", responses=refusals(NotFound))
async def get_document(call: ApiCall, document: Key, version: Version = None) -> DefinitionShape:
    """The newest version, or the one that is asked for."""
    return await show(call, DefinitionKind.DOCUMENT, document, version)


@router.get("", responses=refusals(CursorInvalid))
async def list_documents(call: ApiCall, paging: Pages) -> Page[DefinitionVersion]:
    """The newest version of each, by key, without their bodies."""
    return await page(call, DefinitionKind.DOCUMENT, paging)
