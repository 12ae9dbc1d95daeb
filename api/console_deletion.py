"""A signed-in member asks to delete its account: the password again, then a mailed link."""

from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.browser import PostedPairs, field_of, refuse_cross_site
from api.console_pages import member_page
from api.context import Begin
from api.errors import status_of
from api.member_call import ConsoleCall, MemberCall, member_secret
from api.proof import page_afterwards
from commands.account_deletion import AskDeletion, ask_deletion
from commands.workspace import find_workspace
from domain.errors import MailTooSoon
from domain.member_errors import LastAdministrator, PasswordRefused

router = APIRouter(
    prefix="/console/{workspace}/account/delete",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

Refused = PasswordRefused | LastAdministrator | MailTooSoon


@router.get("", name="Delete your account")
async def get_deletion(call: ConsoleCall) -> HTMLResponse:
    """Says what deleting means, and asks for the password."""
    return await _page(call)


async def _page(call: MemberCall, refused: Refused | None = None) -> HTMLResponse:
    faults = refused.faults if isinstance(refused, PasswordRefused) else {}
    return member_page(
        call,
        "delete_account.html",
        status_of(refused) if refused else 200,
        fault=faults.get("password", ""),
        is_last=isinstance(refused, LastAdministrator),
        next_at=refused.next_at if isinstance(refused, MailTooSoon) else None,
    )


@router.post("", name="Delete your account")
async def post_deletion(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Mails the link that deletes the account; until it is confirmed nothing happens."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    wanted = AskDeletion(row.id, member_secret(request), field_of(posted, "password"))
    try:
        await ask_deletion(begin, wanted)
    except (PasswordRefused, LastAdministrator, MailTooSoon) as refused:
        again = partial(_page, refused=refused)
        return await page_afterwards(request, workspace, begin, again)
    return await page_afterwards(request, workspace, begin, _sent)


async def _sent(call: MemberCall) -> HTMLResponse:
    return member_page(call, "delete_account_sent.html")
