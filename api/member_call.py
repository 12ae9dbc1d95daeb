"""One request of a signed-in member's browser: its transaction, who it is, what it may do.

One cookie a browser; workspaces in one browser share it, each with a session of its own (EE-4,
EE-5). The cookie names no workspace: which one is meant says the path, `/console/{workspace}/…`.
"""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from api.browser import cookie_name, forget_cookie, keep_cookie, settings_of
from api.context import Begin, transactions_in
from api.vouched import vouched_by_proxy
from commands.access import Visit, note_visit
from commands.member import actor_here
from commands.member_session import (
    LONGEST_BROWSER,
    Browser,
    SignedIn,
    look_for_member,
    recognise_member,
    vouched_in,
)
from commands.trusted_device import TrustedBrowser
from commands.work import Transactions, Work
from commands.workspace import find_workspace
from domain.actor import Actor
from domain.member import Role
from domain.member_errors import DelegationOver, PermissionDenied, SignedOut
from domain.permission import PERMISSIONS, Permission
from store.member import MemberRow
from store.member_session import MemberSessionRow
from store.workspace import WorkspaceRow

MEMBER = "member"
TRUSTED = "trusted-"
DEVICE = "device"
OUR_DEVICE = re.compile(r"[A-Za-z0-9_-]{43}")
DEVICE_LASTS = timedelta(days=400)
"""As long as browsers keep any cookie. Until when the device is known, the server knows."""
MOST_TRUSTED = 20
"""Cookies of members who trust one browser that are looked at."""
LONGEST_SECRET = 128
LONGEST_PAGE = 80


def given_secret(request: Request) -> str:
    """Whatever this browser's cookie has, or ""; what a program shows (with a NUL) is no cookie."""
    given = request.cookies.get(cookie_name(settings_of(request), MEMBER), "")[:LONGEST_SECRET]
    return "" if "\0" in given else given


def member_secret(request: Request) -> str:
    """The secret of this browser's cookie, or "".

    One that was given to somebody whom a proxy vouched for is good for that person alone.
    """
    secret = given_secret(request)
    return secret if vouched_in(secret) in {"", vouched_digest(request)} else ""


def vouched_digest(request: Request) -> str:
    """What a browser's secret is bound to while a proxy says who is there, or ""."""
    address = vouched_by_proxy(request)
    return transactions_in(request).keyring.address_digest(address) if address else ""


def browser_of(request: Request) -> Browser:
    """The browser as a sign-in remembers it."""
    name = request.headers.get("user-agent", "")[:LONGEST_BROWSER]
    return Browser(
        member_secret(request),
        name,
        vouched=vouched_digest(request),
        trusted=trusted_secrets(request),
        device=device_of(request),
    )


def device_of(request: Request) -> str:
    """What tells this browser from others at a sign-in; a new one if it has none yet."""
    found = _device_shown(request)
    if not found:
        # The same for the whole request: what is remembered is what the browser is given.
        found = getattr(request.state, DEVICE, "") or secrets.token_urlsafe(32)
        setattr(request.state, DEVICE, found)
    return found


def _device_shown(request: Request) -> str:
    found = request.cookies.get(cookie_name(settings_of(request), DEVICE), "")
    # Only what we could have given: a cookie is whatever somebody sends.
    return found if OUR_DEVICE.fullmatch(found) else ""


def keep_device(request: Request, response: Response) -> None:
    """Gives the browser what it is known by, or lets it keep that for longer."""
    keep_cookie(request, response, DEVICE, device_of(request), DEVICE_LASTS)


def give_device(request: Request, response: Response) -> None:
    """Gives it to a browser that has none, before anybody signs in: two tabs are one browser."""
    if not _device_shown(request):
        keep_device(request, response)


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
        return actor_here(self.found)

    @property
    def rights(self) -> frozenset[Permission]:
        """What the member may do here; acting for another, only what both may (C8)."""
        people = [self.member, *([self.found.acting_for] if self.found.acting_for else [])]
        return frozenset.intersection(*(PERMISSIONS[Role(each.role)] for each in people))

    def needs(self, permission: Permission) -> None:
        """Raises `PermissionDenied` unless it is among the rights."""
        if permission not in self.rights:
            raise PermissionDenied(permission)


async def signed_in(
    request: Request, begin: Transactions, workspace: str, *, acting: bool
) -> SignedIn:
    """Recognises the browser in a transaction of its own, so that a refusal's fact is committed.

    Raises `SignedOut`, `DelegationOver`, or `NotFound` for a workspace that does not exist.
    """
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await recognise_member(work, row.id, member_secret(request), acting=acting)
    return _still(found)


def _still(found: SignedIn | SignedOut) -> SignedIn:
    if isinstance(found, SignedOut):
        raise found
    if found.is_delegation_over:
        raise DelegationOver
    return found


async def member_call_of(
    request: Request, workspace: str, begin: Begin
) -> AsyncIterator[MemberCall]:
    """Begins the transaction of a person's request, which counts as activity in every tab (SX-3).

    The session is asked again in the transaction that acts, so that an end works at once. The page
    that was opened, or denied, is noted when that is known (EE-16).
    """
    seen = await signed_in(request, begin, workspace, acting=True)
    try:
        async with begin.work() as work:
            row = await find_workspace(work, workspace)
            found = await recognise_member(work, row.id, member_secret(request), acting=False)
            yield MemberCall(request, work, row, _still(found))
    except PermissionDenied:
        await note_page(request, begin, seen, denied=True)
        raise
    await note_page(request, begin, seen)


async def note_page(
    request: Request, begin: Transactions, found: SignedIn, *, denied: bool = False
) -> None:
    """Writes down who opened a page, in a transaction of its own.

    It locks the member's row, which whoever acts on two members may not do in any order.
    """
    member, mode = found.member, found.session.mode
    visit = Visit(
        member.workspace_id,
        page_name(request),
        member_id=member.id,
        on_behalf_of=found.acting_for.id if found.acting_for else None,
        mode=mode,
        denied=denied,
    )
    async with begin.work() as work:
        note_visit(work, visit)


def page_name(request: Request) -> str:
    """The name of the page that was asked for, as its route has it (EE-16, EE-21)."""
    name = getattr(request.scope.get("route"), "name", "") or request.url.path
    return str(name)[:LONGEST_PAGE]


async def quiet_call_of(
    request: Request, workspace: str, begin: Begin
) -> AsyncIterator[MemberCall]:
    """The transaction of what an open page sends by itself: no activity (SX-3), and no visit.

    Looking ends nothing; raises as `signed_in` does.
    """
    async with begin.work() as work:
        row = await find_workspace(work, workspace)
        found = await look_for_member(work, row.id, member_secret(request))
        yield MemberCall(request, work, row, _still(found))


console_call = asynccontextmanager(member_call_of)
quiet_call = asynccontextmanager(quiet_call_of)
"""The same for a route that must not keep a transaction open: it begins one when it needs it."""
QuietCall = Annotated[MemberCall, Depends(quiet_call_of, scope="function")]
ConsoleCall = Annotated[MemberCall, Depends(member_call_of, scope="function")]
