"""What a signed-in member shows again, and the pages that follow in transactions of their own."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import Request, Response

from api.browser import field_of
from api.member_call import MemberCall, keep_member, member_call_of, member_secret, signed_in
from commands.member_session import recognise_member
from commands.reauthentication import Proof
from commands.work import Transactions
from commands.workspace import find_workspace
from domain.member_errors import SignedOut


async def proof_in(
    request: Request, workspace: str, posted: list[tuple[str, str]], begin: Transactions
) -> Proof:
    """The password and code that were posted, and by whom; raises as `signed_in` does."""
    found = await signed_in(request, begin, workspace, acting=True)
    typed = field_of(posted, "password"), field_of(posted, "code")
    return Proof(found.member.workspace_id, member_secret(request), *typed)


async def page_afterwards(
    request: Request,
    workspace: str,
    begin: Transactions,
    show: Callable[[MemberCall], Awaitable[Response]],
) -> Response:
    """A page after the transaction that acted, or refused and wrote down the fact of it."""
    async with asynccontextmanager(member_call_of)(request, workspace, begin) as call:
        return await show(call)


async def page_with_newer_secret(
    request: Request,
    workspace: str,
    begin: Transactions,
    secret: str,
    show: Callable[[MemberCall], Response],
) -> Response:
    """What is shown once, to the browser that has this new secret from now on."""
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await recognise_member(work, row.id, secret, acting=False)
        if isinstance(found, SignedOut):
            raise found
        answer = show(MemberCall(request, work, row, found))
    keep_member(request, answer, secret)
    return answer
