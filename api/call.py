"""One authenticated request: its transaction and its caller, committed before the answer leaves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.context import Begin
from commands.public_session import Target
from commands.token import Caller, recognise
from commands.work import Work
from domain.actor import Actor
from domain.errors import Unauthenticated

SCHEME = "bearer "


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
    """Begins the request's transaction; raises `Unauthenticated`.

    The token is looked up in the transaction that acts, so that revoking it works at once.
    """
    text = bearer_of(request)
    async with begin.work() as work:
        yield Call(request, work, await recognise(work, text))


def bearer_of(request: Request) -> str:
    """The token that came with a request; raises `Unauthenticated` where none did."""
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(SCHEME):
        raise Unauthenticated
    return header[len(SCHEME) :].strip()


ApiCall = Annotated[Call, Depends(call_of, scope="function")]


async def caller_of(request: Request, begin: Begin) -> Caller:
    """The caller, recognised in a transaction of its own: for what must not keep one open.

    Raises `Unauthenticated`.
    """
    text = bearer_of(request)
    async with begin.work() as work:
        return await recognise(work, text)


ApiCaller = Annotated[Caller, Depends(caller_of)]
