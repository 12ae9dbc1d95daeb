"""A member's own pages: where one begins, who one is here, and the password."""

from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from adapters.languages import language_name
from api.browser import PostedPairs, field_of, refuse_cross_site, see_other
from api.console_pages import member_page, office_of
from api.context import Begin
from api.errors import status_of
from api.member_call import (
    ConsoleCall,
    MemberCall,
    keep_member,
    member_secret,
    note_page,
    signed_in,
)
from api.party_pages import language_of
from api.proof import page_afterwards
from commands.password import LONGEST
from commands.password_change import ChangePassword, change_password
from commands.setting import effective_settings
from domain.member_errors import PasswordRefused
from domain.permission import Permission
from store.member_session import living_sessions

router = APIRouter(
    prefix="/console/{workspace}",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

CHANGED = "password_changed"


@router.get("", name="Home")
async def get_home(call: ConsoleCall) -> HTMLResponse:
    """Who is signed in, as what, and what there is."""
    living = await living_sessions(call.work.db, call.member.id, call.work.at)
    return member_page(call, "home.html", sessions=len(living), rights=call.rights)


@router.get("/account", name="Account")
async def get_account(call: ConsoleCall) -> HTMLResponse:
    """Name, address, language, zone, role, and the password's form."""
    return await _account_page(call)


async def _account_page(call: MemberCall, refused: PasswordRefused | None = None) -> HTMLResponse:
    call.needs(Permission.ACCOUNT_OWN)
    settings = await effective_settings(call.work, call.workspace_id)
    return member_page(
        call,
        "account.html",
        status_of(refused) if refused else 200,
        language=language_name(call.member.locale, language_of(call.request, call.member.locale)),
        faults=refused.faults if refused else {},
        is_changed=call.request.query_params.get("done") == CHANGED,
        shortest=settings.password_shortest,
        longest=LONGEST,
    )


@router.get("/account/password", name="Password")
async def get_password(call: ConsoleCall) -> Response:
    """The form is on the account's page."""
    return see_other(f"{office_of(call.workspace).base}/account")


@router.post("/account/password", name="Password")
async def post_password(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Changes the password: every other session ends, and this browser has a new secret.

    No transaction is open while passwords are compared, which takes long on purpose.
    """
    found = await signed_in(request, begin, workspace, acting=True)
    wanted = ChangePassword(
        found.member.workspace_id,
        member_secret(request),
        field_of(posted, "old"),
        field_of(posted, "password"),
    )
    try:
        secret = await change_password(begin, wanted)
    except PasswordRefused as refused:
        return await page_afterwards(
            request, workspace, begin, partial(_account_page, refused=refused)
        )
    await note_page(request, begin, found)
    answer = see_other(f"/console/{workspace}/account?done={CHANGED}")
    keep_member(request, answer, secret)
    return answer
