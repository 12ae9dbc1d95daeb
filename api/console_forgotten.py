"""Asking for a link to choose another password: whoever asks learns nothing of any account.

The answer is the same page for every address, and leaves at the same time (ASVS 6.3.8).
"""

from fastapi import APIRouter, Depends, Request, Response

from api.browser import PostedPairs, field_of, refuse_cross_site
from api.console_pages import outside_page
from api.context import Begin
from commands.answer_time import answers_at, leaves_at
from commands.forgotten_password import mail_new_password_link
from commands.workspace import find_workspace

router = APIRouter(
    prefix="/console/{workspace}/forgot-password",
    dependencies=[Depends(refuse_cross_site)],
    include_in_schema=False,
)

LONGEST_ADDRESS = 320


@router.get("")
async def get_forgot_password(request: Request, workspace: str, begin: Begin) -> Response:
    """Asks for the address."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
    return outside_page(request, row, "forgot_password.html")


@router.post("")
async def post_forgot_password(
    request: Request, workspace: str, posted: PostedPairs, begin: Begin
) -> Response:
    """Mails a link if the address is a member's; says that it does so if it is."""
    answer_at = answers_at()
    email = field_of(posted, "email").strip()[:LONGEST_ADDRESS]
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        await mail_new_password_link(work, row.id, email)
    await leaves_at(answer_at)
    return outside_page(request, row, "forgot_password_sent.html", email=email)
