"""Session and links expiry time: a workspace's settings, for its administrators (SH-4, PS-44, N16).

Saving takes two steps: the first says what the change would affect, the second does it.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall
from api.setting_form import NOTHING, UNITS, Read, Typed, fields_of, length_in_words, read_form
from api.settings import workspace_shapes
from api.shapes.setting import SettingShape
from commands.setting import ChangeSettings, change_settings
from commands.setting_preview import preview_settings
from domain.member_errors import SettingRefused
from domain.permission import Permission

NAME = "Session and Links Expiry Time"
PATH = "/settings/session-and-links"
BACK, CONFIRM = "back", "confirm"

router = APIRouter(
    prefix=f"/console/{{workspace}}{PATH}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


@router.get("", name=NAME)
async def get_settings(call: ConsoleCall) -> HTMLResponse:
    """Every setting with its field, limits, meaning, what counts, and why it may be locked."""
    done = call.request.query_params.get("done", "")
    return _form_page(call, await _shapes(call), done=done)


@router.post("", name=NAME)
async def post_settings(posted: PostedPairs, call: ConsoleCall) -> Response:
    """Says what would change and asks; saves what was confirmed; shows faults at their fields."""
    shapes, typed = await _shapes(call), Typed.of(posted)
    read = read_form(shapes, typed)
    step = field_of(posted, "step")
    if step == BACK:
        return _form_page(call, shapes, typed)
    if read.faulty:
        return _form_page(call, shapes, typed, read)
    if not read.values:
        return _form_page(call, shapes, typed, done="nothing")
    if step == CONFIRM:
        return await _save(call, read)
    return await _confirm_page(call, shapes, typed, read)


async def _shapes(call: MemberCall) -> list[SettingShape]:
    call.needs(Permission.SETTINGS_EDIT)
    return await workspace_shapes(call.work, call.workspace_id)


async def _save(call: MemberCall, read: Read) -> Response:
    await change_settings(call.work, ChangeSettings(call.workspace_id, read.values, call.actor))
    return see_other(f"{office_of(call.workspace).base}{PATH}?done=saved")


def _form_page(
    call: MemberCall,
    shapes: Sequence[SettingShape],
    typed: Typed = NOTHING,
    read: Read | None = None,
    done: str = "",
) -> HTMLResponse:
    faulty = read.faulty if read else frozenset()
    status = status_of(SettingRefused(())) if faulty else 200
    sections = fields_of(shapes, typed, faulty)
    wrong = [each for fields in sections.values() for each in fields if each.is_faulty]
    return _page(call, "settings.html", status, sections=sections, faulty=wrong, done=done)


async def _confirm_page(
    call: MemberCall, shapes: Sequence[SettingShape], typed: Typed, read: Read
) -> HTMLResponse:
    changes = {
        each.name: each
        for each in await preview_settings(call.work, call.workspace_id, read.values)
    }
    fields = [
        each
        for section in fields_of(shapes, typed).values()
        for each in section
        if each.shape.name in read.values
    ]
    return _page(call, "settings_confirm.html", 200, fields=fields, changes=changes)


def _page(call: MemberCall, name: str, status: int, **values: Any) -> HTMLResponse:
    return member_page(
        call, name, status, path=PATH, units=list(UNITS), length=length_in_words, **values
    )
