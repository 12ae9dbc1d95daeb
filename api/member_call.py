"""One request of a signed-in member's browser: its transaction, who it is, what it may do.

One cookie a browser; workspaces in one browser share it, each with a session of its own (EE-4,
EE-5). The cookie names no workspace: which one is meant says the path, `/console/{workspace}/…`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from api.browser import cookie_name, forget_cookie, keep_cookie, settings_of
from api.context import Begin
from commands.member import actor_of
from commands.member_session import LONGEST_BROWSER, Browser, SignedIn, recognise_member
from commands.trusted_device import TrustedBrowser
from commands.work import Transactions, Work
from commands.workspace import find_workspace
from domain.actor import Actor
from domain.member import Role
from domain.member_errors import PermissionDenied, SignedOut
from domain.permission import Permission, may
from store.member import MemberRow
from store.member_session import MemberSessionRow
from store.workspace import WorkspaceRow

MEMBER = "member"
TRUSTED = "trusted-"
MOST_TRUSTED = 20
"""Cookies of members who trust one browser that are looked at."""
LONGEST_SECRET = 128


def member_secret(request: Request) -> str:
    """The secret of this browser's cookie, or ""."""
    return request.cookies.get(cookie_name(settings_of(request), MEMBER), "")[:LONGEST_SECRET]


def browser_of(request: Request) -> Browser:
    """The browser as a sign-in remembers it."""
    name = request.headers.get("user-agent", "")[:LONGEST_BROWSER]
    return Browser(member_secret(request), name, trusted=trusted_secrets(request))


def trusted_secrets(request: Request) -> tuple[str, ...]:
    """The secrets by which members trust this browser: a cookie each."""
    beginning = cookie_name(settings_of(request), TRUSTED)
    found = [value for name, value in request.cookies.items() if name.startswith(beginning)]
    return tuple(each[:LONGEST_SECRET] for each in found[:MOST_TRUSTED])


def keep_trusted(request: Request, response: Response, trusted: TrustedBrowser) -> None:
    """Gives the browser the secret by which a member trusts it."""
    keep_cookie(request, response, TRUSTED + trusted.member_id.hex, trusted.secret, trusted.lasts)


def keep_member(request: Request, response: Response, secret: str) -> None:
    """Gives the browser its secret until it is closed; the server knows when it ends before."""
    keep_cookie(request, response, MEMBER, secret)


def forget_member(request: Request, response: Response) -> None:
    """Takes the browser's secret."""
    forget_cookie(request, response, MEMBER)


@dataclass(frozen=True, slots=True)
class MemberCall:
    """A request of a known member; what it does is one transaction, rolled back by any error."""

    request: Request
    work: Work
    workspace: WorkspaceRow
    found: SignedIn

    @property
    def member(self) -> MemberRow:
        """Who is signed in."""
        return self.found.member

    @property
    def session(self) -> MemberSessionRow:
        """The session of this browser in this workspace."""
        return self.found.session

    @property
    def workspace_id(self) -> UUID:
        """The only workspace this call sees."""
        return self.workspace.id

    @property
    def actor(self) -> Actor:
        """Who the audit names."""
        return actor_of(self.member)

    def needs(self, permission: Permission) -> None:
        """Raises `PermissionDenied` unless the member's role has it."""
        if not may(Role(self.member.role), permission):
            raise PermissionDenied(permission)


async def signed_in(
    request: Request, begin: Transactions, workspace: str, *, acting: bool
) -> SignedIn:
    """Recognises the browser in a transaction of its own, so that a refusal's fact is committed.

    Raises `SignedOut`, or `NotFound` for a workspace that does not exist.
    """
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await recognise_member(work, row.id, member_secret(request), acting=acting)
    if isinstance(found, SignedOut):
        raise found
    return found


async def member_call_of(
    request: Request, workspace: str, begin: Begin
) -> AsyncIterator[MemberCall]:
    """Begins the transaction of a person's request, which counts as activity in every tab (SX-3).

    The session is asked again in the transaction that acts, so that an end works at once.
    """
    await signed_in(request, begin, workspace, acting=True)
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await recognise_member(work, row.id, member_secret(request), acting=False)
        if isinstance(found, SignedOut):
            raise found
        yield MemberCall(request, work, row, found)


ConsoleCall = Annotated[MemberCall, Depends(member_call_of, scope="function")]
