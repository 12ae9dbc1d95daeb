"""`/api/v1/settings`: the catalogue with what counts here, changed and tried out (N16, SH-4)."""

from fastapi import APIRouter

from api.call import ApiCall, Call
from api.errors import refusals
from api.shapes.field import Object, Page
from api.shapes.setting import SettingChangeShape, SettingShape, setting_shape
from commands.setting import ChangeSettings, change_settings, own_settings
from commands.setting_preview import preview_settings
from domain.member_errors import SettingRefused
from domain.settings import CATALOGUE

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])


@router.get("", responses=refusals())
async def list_settings(call: ApiCall) -> Page[SettingShape]:
    """Every setting with its effective value and where that comes from."""
    return await _page(call)


async def _page(call: Call) -> Page[SettingShape]:
    own = await own_settings(call.work, call.workspace_id)
    return Page(items=[setting_shape(each, call.work.settings, own) for each in CATALOGUE])


@router.patch("", responses=refusals(SettingRefused))
async def patch_settings(call: ApiCall, values: Object) -> Page[SettingShape]:
    """Sets the workspace's own, by name, all or none; null goes back to the installation's.

    They count for what begins from now on: what was stated before stays as stated (SH-20).
    """
    await change_settings(call.work, ChangeSettings(call.workspace_id, values, call.actor))
    await call.work.db.flush()
    return await _page(call)


@router.post("/preview", responses=refusals(SettingRefused))
async def post_preview(call: ApiCall, values: Object) -> Page[SettingChangeShape]:
    """What the same body as a PATCH would affect; nothing is saved."""
    found = await preview_settings(call.work, call.workspace_id, values)
    return Page(items=[SettingChangeShape.of(each) for each in found])
