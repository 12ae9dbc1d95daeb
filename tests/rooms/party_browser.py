"""A party's browser without a screen: its cookies, what it sends by itself, what its pages say."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from sqlmodel import SQLModel, select

from api.app import create_app
from commands.work import Transactions
from store.sealed import SealedRow, opened
from tests.rooms.house import KEYRING, DiesAfterCommit, House

Row = TypeVar("Row", bound=SQLModel)

HOST = "http://localhost:8000"
TAGS = re.compile(r"<(script|style|template)\b.*?</\1>|<[^>]+>", re.DOTALL)


def app_of(house: House, **settings: Any) -> FastAPI:
    """The product's application on a house's database and clock, without its lifespan."""
    chosen = replace(house.transactions.settings, **settings)
    transactions = Transactions(house.engine, chosen, KEYRING, DiesAfterCommit(), house.clock)
    app = create_app(chosen, clock=house.clock)
    app.state.transactions = transactions
    return app


@dataclass(slots=True)
class PartyBrowser:
    """One browser; what it is told and tells goes through real cookies and headers."""

    client: AsyncClient
    house: House
    sent: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})

    async def get(self, path: str, **more: Any) -> Response:
        """Opens a page."""
        return await self.client.get(path, **more)

    async def post(self, path: str, **fields: Any) -> Response:
        """Sends a form of one of our own pages."""
        return await self.client.post(path, data=fields, headers=self.sent)

    async def ask_code(self, link: str) -> Response:
        """Presses the button that mails a code."""
        return await self.post(f"/s/{link}/code")

    async def mailed_code(self, session_id: UUID) -> str:
        """The code that the newest mail has, derived instead of read."""
        return await self.house.mailed_code(session_id)

    async def verify(self, session_id: UUID) -> str:
        """Comes in through door and code; returns the room's path."""
        link = await self.house.link(session_id)
        await self.ask_code(link)
        answer = await self.post(f"/s/{link}/verify", code=await self.mailed_code(session_id))
        assert answer.status_code == 303, words(answer)
        return str(answer.headers["location"])


@asynccontextmanager
async def browser_at(app: FastAPI, house: House, host: str = HOST) -> AsyncIterator[PartyBrowser]:
    """A new browser, without cookies."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=host) as client:
        yield PartyBrowser(client, house)


def words(page: Response) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(TAGS.sub(" ", page.text)).split())


async def rows(house: House, table: type[Row]) -> list[Row]:
    """Every row of a table."""
    async with house.transactions.work() as work:
        found = list((await work.db.scalars(select(table))).all())
        await opened(work.db, [each for each in found if isinstance(each, SealedRow)])
        return found
