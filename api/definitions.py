"""The routes that forms, documents and lifecycles have alike: save, read one, list."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Path, Query

from api.call import Call
from api.paging import Paging
from api.shapes.definition import DefinitionShape, DefinitionVersion
from api.shapes.field import Page
from commands.definition import SaveDefinition, definition_by_key
from commands.work import Work
from domain.definition import KEY, DefinitionKind
from domain.errors import NotFound
from store.definition import DefinitionRow, definition_version, definitions_page

LARGEST_VERSION = 2**31 - 1

Key = Annotated[str, Path(pattern=f"^{KEY.pattern}$")]
"""A key in a path; one that cannot be a key reads the same as one that does not exist."""
NewKey = Annotated[str, Path(description="Lower-case letters, digits and dashes, 63 at most")]
Version = Annotated[
    int | None, Query(ge=1, le=LARGEST_VERSION, description="Another version than the newest")
]
Save = Callable[[Work, SaveDefinition], Awaitable[DefinitionRow]]


async def save(call: Call, key: str, body: dict[str, object], saving: Save) -> DefinitionShape:
    """Saves a definition as its newest version; the same body again makes none."""
    wanted = SaveDefinition(call.workspace_id, key, body, call.actor)
    return DefinitionShape.model_validate(await saving(call.work, wanted))


async def show(call: Call, kind: DefinitionKind, key: str, version: int | None) -> DefinitionShape:
    """The newest version, or the one that is asked for; raises `NotFound`."""
    return DefinitionShape.model_validate(await _found(call, kind, key, version))


async def _found(call: Call, kind: DefinitionKind, key: str, version: int | None) -> DefinitionRow:
    if version is None:
        return await definition_by_key(call.work, call.workspace_id, kind, key)
    row = await definition_version(call.work.db, call.workspace_id, kind, key, version)
    if row is None:
        raise NotFound(kind.replace("_", " "))
    return row


async def page(call: Call, kind: DefinitionKind, paging: Paging) -> Page[DefinitionVersion]:
    """A page of the newest versions, by key, without their bodies."""
    rows, following = await definitions_page(
        call.work.db, call.workspace_id, kind, paging.cursor, paging.limit
    )
    return Page(items=[DefinitionVersion.model_validate(each) for each in rows], next=following)
