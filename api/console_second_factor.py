"""A member's own second factor: set up, replaced, taken away; recovery codes; trusted browsers.

Whatever changes it asks for password and code again (ASVS 7.5.1). Keys and recovery codes are shown
to the session that asked, and never again.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.authenticator import picture_of
from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_pages import member_page
from api.context import Begin
from api.errors import status_of
from api.ids import known_id
from api.member_call import (
    ConsoleCall,
    MemberCall,
    keep_member,
    member_secret,
    signed_in,
    trusted_secrets,
)
from api.proof import page_afterwards, page_with_newer_secret, proof_in
from commands.reauthentication import Done
from commands.second_factor_change import (
    begin_setting_up,
    confirm_setting_up,
    give_up_factor,
    renew_recovery_codes,
)
from commands.setting import effective_settings
from commands.trusted_device import PURPOSE, end_trust
from commands.work import Transactions
from domain.browser_name import browser_and_system
from domain.errors import NotFound
from domain.member_errors import PasswordRefused, SignedOut
from domain.permission import Permission
from domain.second_factor import SecondFactorRule, grouped_key
from store.second_factor import count_recovery_codes, enrolment_of, factor_of
from store.trusted_device import TrustedDeviceRow, devices_of

router = APIRouter(
    prefix="/console/{workspace}/account/second-factor",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

NAME = "Second factor"
SET_UP, REMOVE, CODES = "begin", "remove", "recovery-codes"
"""The forms that ask for password and code, as their addresses name them."""


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """A browser that a member trusts, as its owner sees it."""

    id: UUID
    browser: str
    system: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    is_this: bool


def _own_device(row: TrustedDeviceRow, here: Sequence[str]) -> OwnDevice:
    browser, system = browser_and_system(row.browser)
    times = (row.created_at, row.used_at, row.expires_at)
    return OwnDevice(row.id, browser, system, *times, is_this=row.digest in here)


@router.get("", name=NAME)
async def get_second_factor(call: ConsoleCall) -> HTMLResponse:
    """What there is, and the forms that change it."""
    return await _overview(call)


async def _overview(
    call: MemberCall, refused: PasswordRefused | None = None, form: str = ""
) -> HTMLResponse:
    call.needs(Permission.ACCOUNT_OWN)
    settings = await effective_settings(call.work, call.workspace_id)
    factor = await factor_of(call.work.db, call.member.id)
    return member_page(
        call,
        "second_factor.html",
        status_of(refused) if refused else 200,
        rule=SecondFactorRule(settings.login_second_factor).value,
        factor=factor,
        left=await count_recovery_codes(call.work.db, call.member.id),
        devices=await _devices(call),
        faults=refused.faults if refused else {},
        form=form,
        done=call.request.query_params.get("done", ""),
    )


async def _devices(call: MemberCall) -> list[OwnDevice]:
    secrets = trusted_secrets(call.request)
    here = [each for secret in secrets for each in call.work.keyring.digests(PURPOSE, secret)]
    rows = await devices_of(call.work.db, call.member.id, call.work.at)
    return [_own_device(each, here) for each in rows]


@router.get("/set-up", name=NAME)
async def get_set_up(call: ConsoleCall) -> Response:
    """The key that this session is shown, and the form that confirms it."""
    return await _set_up_page(call)


async def _set_up_page(call: MemberCall, refused: PasswordRefused | None = None) -> Response:
    call.needs(Permission.ACCOUNT_OWN)
    shown = await enrolment_of(call.work.db, call.member.id, call.session.id, call.work.at)
    if shown is None:
        return _to(call.workspace.key, "late" if refused else "")
    return member_page(
        call,
        "second_factor_set_up.html",
        status_of(refused) if refused else 200,
        fault=refused.faults.get("code", "") if refused else "",
        key=grouped_key(shown.key),
        picture=picture_of(shown.key, call.member.email, call.workspace.name),
    )


def _to(workspace: str, done: str = "") -> Response:
    query = f"?done={done}" if done else ""
    return see_other(f"/console/{workspace}/account/second-factor{query}")


@router.post("/set-up", name=NAME)
async def post_set_up(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Confirms the app; every other session ends, and the recovery codes are shown once."""
    found = await signed_in(request, begin, workspace, acting=True)
    code, secret = field_of(posted, "code"), member_secret(request)
    try:
        async with begin.work() as work:
            workspace_id = found.member.workspace_id
            done = await confirm_setting_up(work, workspace_id, secret, code)
    except NotFound:
        return _to(workspace, "late")
    if isinstance(done, SignedOut):
        raise done
    if isinstance(done, PasswordRefused):
        return await page_afterwards(
            request, workspace, begin, lambda call: _set_up_page(call, done)
        )
    return await _codes_page(request, workspace, begin, done, is_new=True)


async def _codes_page(
    request: Request,
    workspace: str,
    begin: Transactions,
    done: Done[list[str]],
    *,
    is_new: bool,
) -> Response:
    def shown(call: MemberCall) -> Response:
        codes = [grouped_key(each) for each in done.result]
        return member_page(call, "recovery_codes.html", codes=codes, is_new=is_new)

    return await page_with_newer_secret(request, workspace, begin, done.secret, shown)


@router.post(f"/{SET_UP}", name=NAME)
async def post_begin(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Makes a key for a new app, after password and code of the one before."""
    try:
        done = await begin_setting_up(begin, await proof_in(request, workspace, posted, begin))
    except PasswordRefused as refused:
        return await _refused(request, workspace, begin, refused, SET_UP)
    answer = see_other(f"/console/{workspace}/account/second-factor/set-up")
    keep_member(request, answer, done.secret)
    return answer


async def _refused(
    request: Request, workspace: str, begin: Transactions, refused: PasswordRefused, form: str
) -> Response:
    def again(call: MemberCall) -> Awaitable[Response]:
        return _overview(call, refused, form)

    return await page_afterwards(request, workspace, begin, again)


@router.post(f"/{REMOVE}", name=NAME)
async def post_remove(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Takes the second factor away; every other session ends."""
    try:
        done = await give_up_factor(begin, await proof_in(request, workspace, posted, begin))
    except PasswordRefused as refused:
        return await _refused(request, workspace, begin, refused, REMOVE)
    answer = _to(workspace, "removed")
    keep_member(request, answer, done.secret)
    return answer


@router.post(f"/{CODES}", name=NAME)
async def post_recovery_codes(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Makes ten new recovery codes and shows them once."""
    try:
        done = await renew_recovery_codes(begin, await proof_in(request, workspace, posted, begin))
    except PasswordRefused as refused:
        return await _refused(request, workspace, begin, refused, CODES)
    return await _codes_page(request, workspace, begin, done, is_new=False)


@router.post("/devices/{device_id}/end", name=NAME)
async def post_end_device(call: ConsoleCall, device_id: str) -> Response:
    """Trusts one browser no longer: the next sign-in there asks for the second factor."""
    call.needs(Permission.ACCOUNT_OWN)
    await end_trust(call.work, call.member, known_id(device_id, "browser"), call.actor)
    return _to(call.workspace.key, "device")


@router.get("/{rest:path}", name=NAME)
async def get_rest(call: ConsoleCall, rest: str) -> Response:
    """The forms are on the overview: whoever comes back to their addresses is led there."""
    if rest not in {SET_UP, REMOVE, CODES} and not rest.startswith("devices/"):
        raise NotFound
    return _to(call.workspace.key)
