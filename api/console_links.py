"""Where links mailed to members lead: an account is made, given another password, or deleted.

Opening one changes nothing, for mail scanners open everything (SX-7); a posted form uses it up.
"""

from fastapi import APIRouter, Depends, Request, Response

from api.browser import PostedPairs, field_of, refuse_cross_site
from api.console_pages import office_of, outside_page
from api.context import Begin
from api.errors import status_of
from api.link import link_in
from api.party_pages import language_of, page
from commands.account_deletion import delete_account
from commands.member import check_registration, set_password
from commands.member_link import LinkKind, OpenLink, open_link
from commands.password import LONGEST, hashed
from commands.setting import effective_settings
from commands.work import Transactions
from commands.workspace import find_workspace
from domain.errors import DomainError, NotFound
from domain.member_errors import LastAdministrator, LinkOver, PasswordRefused
from domain.settings import Settings
from store.workspace import WorkspaceRow

router = APIRouter(
    prefix="/console/{workspace}/links",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)


# Twice, because a line break of a wrapped link does not match a `path`, nor a slash anything else.
@router.api_route("/{token}", methods=["GET", "HEAD"])
@router.api_route("/{token:path}", methods=["GET", "HEAD"])
async def get_link(request: Request, workspace: str, token: str, begin: Begin) -> Response:
    """What the link leads to, or how to get a new one (SH-18)."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    return await _page(request, begin, row, link_in(token))


async def _page(
    request: Request,
    begin: Transactions,
    row: WorkspaceRow,
    token: str,
    refused: DomainError | None = None,
) -> Response:
    """The page of a link that can be used, saying what was refused; else that it cannot be."""
    try:
        async with begin.work() as work:
            found = await open_link(work, row.id, token)
            settings = await effective_settings(work, row.id)
    except (LinkOver, NotFound) as over:
        return _over(request, row, over)
    return _form(request, row, token, found, settings, refused)


def _form(
    request: Request,
    row: WorkspaceRow,
    token: str,
    found: OpenLink,
    settings: Settings,
    refused: DomainError | None,
) -> Response:
    deletes = found.row.kind == LinkKind.DELETE_ACCOUNT
    return page(
        f"console/{'link_delete' if deletes else 'link_password'}.html",
        language_of(request, found.member.locale),
        status_of(refused) if refused else 200,
        it=office_of(row),
        me=None,
        token=token,
        kind=found.row.kind,
        owner=found.member,
        expires_at=found.row.expires_at,
        zone=found.member.zone,
        faults=refused.faults if isinstance(refused, PasswordRefused) else {},
        is_last=isinstance(refused, LastAdministrator),
        shortest=settings.password_shortest,
        longest=LONGEST,
    )


def _over(request: Request, row: WorkspaceRow, refused: LinkOver | NotFound) -> Response:
    kind = refused.kind if isinstance(refused, LinkOver) else ""
    return outside_page(request, row, "link_over.html", status_of(refused), kind=kind)


@router.post("/{token}")
async def post_link(
    request: Request, workspace: str, token: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Does what the link is for, once; of any number at once, one succeeds."""
    link = link_in(token)
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    try:
        return await _use(request, begin, row, link, field_of(posted, "password"))
    except (LinkOver, NotFound) as over:
        return _over(request, row, over)
    except (PasswordRefused, LastAdministrator) as refused:
        return await _page(request, begin, row, link, refused)


async def _use(
    request: Request, begin: Transactions, row: WorkspaceRow, token: str, password: str
) -> Response:
    async with begin.work() as work:
        found = await open_link(work, row.id, token)
        if found.row.kind == LinkKind.DELETE_ACCOUNT:
            await delete_account(work, row.id, token)
            return outside_page(request, row, "account_deleted.html")
        await check_registration(work, row.id, token, password)
    kept = await hashed(password)
    async with begin.work() as work:
        await set_password(work, row.id, token, kept)
    return outside_page(request, row, "password_set.html", kind=found.row.kind)
