"""What every route may ask for: transactions, settings, the caller."""

from typing import Annotated

from fastapi import Depends, Request

from adapters.temporal import Telegraph
from commands.token import Caller, recognise
from commands.work import Transactions
from domain.errors import Unauthenticated

SCHEME = "bearer "


def transactions_of(request: Request) -> Transactions:
    """The process's way to begin units of work."""
    transactions: Transactions = request.app.state.transactions
    return transactions


def telegraph_of(request: Request) -> Telegraph:
    """The process's way to Temporal."""
    telegraph: Telegraph = request.app.state.telegraph
    return telegraph


Begin = Annotated[Transactions, Depends(transactions_of)]


async def caller_of(request: Request, begin: Begin) -> Caller:
    """The token behind the Authorization header; raises `Unauthenticated`."""
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(SCHEME):
        raise Unauthenticated
    async with begin.work() as work:
        return await recognise(work, header[len(SCHEME) :].strip())


TokenCaller = Annotated[Caller, Depends(caller_of)]
