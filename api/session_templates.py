"""`/api/v1/session-templates`: drafted, published, retired (PS-3 to PS-7)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.call import ApiCall, Call
from api.definitions import Key
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.paging import Pages
from api.shapes.definition import Recent, TemplateDetail, TemplateShape, Trigger
from api.shapes.field import Object, Page
from commands.definition import (
    SaveDefinition,
    change_template,
    create_template,
    publish_template,
    retire_template,
)
from commands.work import Work
from domain.actor import Actor
from domain.agreement_errors import TemplateReserved
from domain.definition import DefinitionKind, DefinitionStatus
from domain.errors import (
    CursorInvalid,
    DefinitionExists,
    DefinitionFaulty,
    IdempotencyKeyReused,
    NotFound,
    TemplateStateRefused,
)
from domain.fault import Fault
from domain.lifecycle import Lifecycle
from store.definition import (
    DefinitionRow,
    definition_versions,
    definitions_page,
    latest_definitions,
)
from store.public_session_list import outcomes_of

router = APIRouter(prefix="/api/v1/session-templates", tags=["session-templates"])

RECENTLY = timedelta(days=30)
NOUN = "session template"
Verb = Callable[[Work, UUID, str, Actor], Awaitable[DefinitionRow]]


@router.post(
    "",
    status_code=201,
    response_model=TemplateDetail,
    responses=refusals(DefinitionFaulty, DefinitionExists, TemplateReserved, IdempotencyKeyReused),
)
async def post_template(call: ApiCall, body: Object, _key: IdempotencyKey = None) -> Response:
    """Drafts a template: key, name, trigger, scope, bound, order, reminders, settings, tasks."""
    return await once(call, 201, partial(_create, call, body))


async def _create(call: Call, body: dict[str, Any]) -> TemplateDetail:
    given = body.get("key")
    key = given if isinstance(given, str) else ""
    await create_template(call.work, SaveDefinition(call.workspace_id, key, body, call.actor))
    return await _detail(call, key)


@router.get("", responses=refusals(CursorInvalid))
async def list_templates(
    call: ApiCall, paging: Pages, status: DefinitionStatus | None = None
) -> Page[TemplateShape]:
    """The newest version of each template, by key, with what was issued of it lately (PS-21)."""
    rows, following = await definitions_page(
        call.work.db,
        call.workspace_id,
        DefinitionKind.TEMPLATE,
        paging.cursor,
        paging.limit,
        status,
    )
    recent = await _recent(call, [each.key for each in rows])
    return Page(items=[TemplateShape.of(each, recent[each.key]) for each in rows], next=following)


@router.get("/{template}", responses=refusals(NotFound))
async def get_template(call: ApiCall, template: Key) -> TemplateDetail:
    """One template with its versions, what triggers it and its recent outcomes (PS-23)."""
    return await _detail(call, template)


@router.patch("/{template}", responses=refusals(NotFound, DefinitionFaulty, TemplateReserved))
async def patch_template(call: ApiCall, template: Key, changes: Object) -> TemplateDetail:
    """Replaces members of the draft; a published version stays and a new draft begins (PS-35)."""
    if changes.get("key", template) != template:
        raise DefinitionFaulty(NOUN, (Fault("/key", "cannot be changed"),))
    await change_template(call.work, call.workspace_id, template, changes, call.actor)
    return await _detail(call, template)


@router.post(
    "/{template}/publish",
    response_model=TemplateDetail,
    responses=refusals(NotFound, TemplateStateRefused, TemplateReserved, IdempotencyKeyReused),
)
async def post_publish(call: ApiCall, template: Key, _key: IdempotencyKey = None) -> Response:
    """Freezes the draft with the forms and documents it uses; it issues to real parties now."""
    return await once(call, 200, partial(_change_status, call, template, publish_template))


@router.post(
    "/{template}/retire",
    response_model=TemplateDetail,
    responses=refusals(NotFound, TemplateStateRefused, TemplateReserved, IdempotencyKeyReused),
)
async def post_retire(call: ApiCall, template: Key, _key: IdempotencyKey = None) -> Response:
    """Issues to nobody from now on; running sessions go on (PS-35)."""
    return await once(call, 200, partial(_change_status, call, template, retire_template))


async def _change_status(call: Call, key: str, verb: Verb) -> TemplateDetail:
    await verb(call.work, call.workspace_id, key, call.actor)
    return await _detail(call, key)


async def _detail(call: Call, key: str) -> TemplateDetail:
    versions = await definition_versions(
        call.work.db, call.workspace_id, DefinitionKind.TEMPLATE, key
    )
    if not versions:
        raise NotFound(NOUN)
    recent = await _recent(call, [key])
    return TemplateDetail.whole(versions, await _triggers(call, key), recent[key])


async def _triggers(call: Call, key: str) -> list[Trigger]:
    rows = await latest_definitions(call.work.db, call.workspace_id, DefinitionKind.LIFECYCLE)
    lifecycles = [Lifecycle.of(each.body) for each in rows]
    return [
        Trigger(lifecycle=each.kind, at=at) for each in lifecycles for at in each.triggers_of(key)
    ]


async def _recent(call: Call, keys: list[str]) -> dict[str, Recent]:
    since = call.work.at - RECENTLY
    counts = await outcomes_of(call.work.db, call.workspace_id, keys, since, call.work.at)
    return {key: Recent.of(since, counts.get(key, {})) for key in keys}
