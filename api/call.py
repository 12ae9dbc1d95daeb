"""One authenticated request: its transaction and its caller, committed before the answer leaves.

What the caller's role does not allow is refused here, before the route, and noted where the
application report reads it (EE-16).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.context import Begin
from api.credentials import shown_by
from api.permissions import PERMISSION_OF
from commands.access import Visit, note_visit
from commands.caller import Caller, recognise
from commands.public_session import Target
from commands.work import Transactions, Work
from domain.actor import Actor
from domain.member_errors import PermissionDenied
from domain.permission import Permission, may


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a known caller; what it does is one transaction, rolled back by any error."""

    request: Request
    work: Work
    caller: Caller

    @property
    def workspace_id(self) -> UUID:
        """The only workspace this call sees."""
        return self.caller.workspace_id

    @property
    def actor(self) -> Actor:
        """Who the audit names."""
        return self.caller.actor

    def on(self, session_id: UUID) -> Target:
        """A public session as the target of a verb."""
        return Target(session_id, self.workspace_id, self.actor)


async def call_of(request: Request, begin: Begin) -> AsyncIterator[Call]:
    """Begins the request's transaction; raises `Unauthenticated` or `PermissionDenied`.

    What it shows is looked up in the transaction that acts, so that revoking it works at once.
    """
    shown, asked = await shown_by(request, begin), _Asked.by(request)
    async with begin.work() as work:
        caller = await recognise(work, shown)
        if asked.admits(work, caller):
            yield Call(request, work, caller)
            return
    raise PermissionDenied(asked.permission)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks for: a route by its name, never the path with ids, and what it needs."""

    page: str
    permission: Permission

    @classmethod
    def by(cls, request: Request) -> "_Asked":
        path = request.scope["route"].path
        return cls(f"{request.method} {path}", PERMISSION_OF[request.method, path])

    def admits(self, work: Work, caller: Caller) -> bool:
        """Whether the caller may; noted if it may not, and for every member."""
        allowed = may(caller.role, self.permission)
        if caller.is_member or not allowed:
            note_visit(work, self._visit(caller, denied=not allowed))
        return allowed

    def _visit(self, caller: Caller, *, denied: bool) -> Visit:
        whose = {"member_id" if caller.is_member else "token_id": caller.id}
        return Visit(caller.workspace_id, self.page, mode=caller.mode, denied=denied, **whose)


ApiCall = Annotated[Call, Depends(call_of, scope="function")]


@asynccontextmanager
async def acting(request: Request, begin: Transactions) -> AsyncIterator[Call]:
    """The transaction of a caller who was admitted before something slow was done for it.

    Who it is, and what it may, is looked up again: it may have been revoked meanwhile.
    """
    shown, asked = await shown_by(request, begin), _Asked.by(request)
    async with begin.work() as work:
        caller = await recognise(work, shown)
        if may(caller.role, asked.permission):
            yield Call(request, work, caller)
            return
    raise PermissionDenied(asked.permission)


async def caller_of(request: Request, begin: Begin) -> Caller:
    """The caller, recognised in a transaction of its own: for what must not keep one open.

    Raises as `call_of` does.
    """
    shown, asked = await shown_by(request, begin), _Asked.by(request)
    async with begin.work() as work:
        caller = await recognise(work, shown)
        is_admitted = asked.admits(work, caller)
    if not is_admitted:
        raise PermissionDenied(asked.permission)
    return caller


ApiCaller = Annotated[Caller, Depends(caller_of)]
