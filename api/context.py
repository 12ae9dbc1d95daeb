"""What every route may ask for: the process's transactions."""

from typing import Annotated

from fastapi import Depends, Request

from commands.work import Transactions


def transactions_in(request: Request) -> Transactions:
    """The process's way to begin units of work."""
    transactions: Transactions = request.app.state.transactions
    return transactions


async def begin_of(request: Request) -> Transactions:
    """As a dependency: a coroutine, for FastAPI runs a plain function in a thread each time."""
    return transactions_in(request)


Begin = Annotated[Transactions, Depends(begin_of)]
