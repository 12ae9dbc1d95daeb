"""A signed-in member asks to delete its account: the password again, then a mailed link."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from api.browser import PostedPairs, field_of, refuse_cross_site
from api.console_pages import office_of, ways_of
from api.context import Begin
from api.errors import status_of
from api.member_call import member_secret, note_page, signed_in
from api.party_pages import language_of, page
from commands.account_deletion import AskDeletion, ask_deletion
from commands.work import Transactions
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
async def get_deletion(request: Request, workspace: str, begin: Begin) -> Response:
    """Says what deleting means, and asks for the password."""
    return await _page(request, workspace, begin, "delete_account.html")


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
        return await _page(request, workspace, begin, "delete_account.html", refused)
    return await _page(request, workspace, begin, "delete_account_sent.html")


async def _page(
    request: Request,
    workspace: str,
    begin: Transactions,
    name: str,
    refused: Refused | None = None,
) -> Response:
    found = await signed_in(request, begin, workspace, acting=True)
    await note_page(request, begin, found)
    member = found.member
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    return page(
        f"console/{name}",
        language_of(request, member.locale),
        status_of(refused) if refused else 200,
        it=office_of(row),
        me=member,
        acting_for=found.acting_for,
        ways=ways_of(found.session),
        zone=member.zone,
        **_said(refused),
    )


def _said(refused: Refused | None) -> dict[str, Any]:
    return {
        "fault": refused.faults.get("password", "") if isinstance(refused, PasswordRefused) else "",
        "is_last": isinstance(refused, LastAdministrator),
        "next_at": refused.next_at if isinstance(refused, MailTooSoon) else None,
    }
