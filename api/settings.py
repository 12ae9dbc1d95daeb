"""`/api/v1/settings`: the catalogue with what counts here, changed and tried out (N16, SH-4)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.call import ApiCall, Call
from api.errors import refusals
from api.shapes.field import AnyId, Object, Page, Text
from api.shapes.setting import SettingChangeShape, SettingShape, setting_shape
from commands.setting import ChangeSettings, change_settings
from commands.setting_level import (
    Levels,
    levels_of_session,
    levels_of_template,
    levels_of_workspace,
    overridden_in,
)
from commands.setting_preview import preview_settings
from commands.work import Work
from domain.errors import NotFound
from domain.member_errors import SettingRefused
from domain.settings import CATALOGUE

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])


@router.get("", responses=refusals(NotFound))
async def list_settings(
    call: ApiCall,
    template: Annotated[Text | None, Query(description="A session template's key")] = None,
    session: Annotated[AnyId | None, Query(description="A public session's id")] = None,
) -> Page[SettingShape]:
    """Every setting with its effective value and where that comes from.

    For the workspace; for what would be issued from a template now; or for one public session, as
    it was issued: then `template` says nothing more.
    """
    if session is not None:
        return _page(await levels_of_session(call.work, call.workspace_id, session))
    if template is not None:
        return _page(await levels_of_template(call.work, call.workspace_id, template))
    return await _page_of_workspace(call)


def _page(levels: Levels) -> Page[SettingShape]:
    return Page(items=[setting_shape(each, levels) for each in CATALOGUE])


async def _page_of_workspace(call: Call) -> Page[SettingShape]:
    return Page(items=await workspace_shapes(call.work, call.workspace_id))


async def workspace_shapes(work: Work, workspace_id: UUID) -> list[SettingShape]:
    """Every setting of a workspace, and where it is set otherwise."""
    levels = await levels_of_workspace(work, workspace_id)
    overridden = await overridden_in(work, workspace_id)
    return [setting_shape(each, levels, overridden.get(each.name)) for each in CATALOGUE]


@router.patch("", responses=refusals(SettingRefused))
async def patch_settings(call: ApiCall, values: Object) -> Page[SettingShape]:
    """Sets the workspace's own, by name, all or none; null goes back to the installation's.

    They count for what begins from now on: what was stated before stays as stated (SH-20).
    """
    await change_settings(call.work, ChangeSettings(call.workspace_id, values, call.actor))
    await call.work.db.flush()
    return await _page_of_workspace(call)


@router.post("/preview", responses=refusals(SettingRefused))
async def post_preview(call: ApiCall, values: Object) -> Page[SettingChangeShape]:
    """What the same body as a PATCH would affect; nothing is saved."""
    found = await preview_settings(call.work, call.workspace_id, values)
    return Page(items=[SettingChangeShape.of(each) for each in found])
