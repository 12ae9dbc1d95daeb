"""A workspace with members, and their browsers without a screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from httpx2 import Response

from commands.member import invite_member, set_password
from commands.password import hashed
from commands.setting import ChangeSettings, change_settings
from commands.workspace import find_workspace
from domain.actor import OPERATOR
from domain.member import MemberFields, Role
from store.member import MemberRow
from store.workspace import workspace_by_id
from tests.rooms.house import House
from tests.rooms.party_browser import HOST, PartyBrowser, browser_at

PASSWORD = "correct horse battery"
EMAIL = "anna@office.example"


async def make_member(
    house: House, email: str = EMAIL, name: str = "Anna Berg", role: Role = Role.ADMIN, **more: Any
) -> MemberRow:
    """A member who has registered with `PASSWORD`."""
    kept = await hashed(PASSWORD)
    async with house.transactions.work() as work:
        fields = MemberFields(email, name, role, **more)
        invited = await invite_member(work, house.workspace_id, fields, OPERATOR)
    async with house.transactions.work() as work:
        token = work.keyring.member_link_token(invited.link.id, invited.link.key_version)
        return await set_password(work, house.workspace_id, token, kept)


async def set_here(house: House, **values: Any) -> None:
    """What the workspace sets: `session_allow_concurrent=True` is `session.allow_concurrent`."""
    named = {name.replace("_", ".", 1): value for name, value in values.items()}
    async with house.transactions.work() as work:
        await change_settings(work, ChangeSettings(house.workspace_id, named, OPERATOR))


async def console_of(house: House) -> str:
    """The path that every page of the house's workspace begins with."""
    async with house.transactions.work() as work:
        row = await workspace_by_id(work.db, house.workspace_id)
        return f"/console/{(await find_workspace(work, row.key)).key}"


@dataclass(slots=True)
class MemberBrowser:
    """One browser at one workspace's console."""

    party: PartyBrowser
    base: str

    async def get(self, path: str = "", **more: Any) -> Response:
        """Opens a page of the console."""
        return await self.party.get(self.base + path, **more)

    async def post(self, path: str, **fields: Any) -> Response:
        """Sends a form of one of our own pages."""
        return await self.party.post(self.base + path, **fields)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Response:
        """Types address and password."""
        return await self.post("/sign-in", email=email, password=password, **more)

    async def follow(self, answer: Response) -> Response:
        """The page that an answer leads to."""
        assert answer.status_code == 303, answer.text
        return await self.party.get(answer.headers["location"])

    def cookie(self, what: str) -> str | None:
        """One of our cookies in this browser."""
        names = {f"gatepass-{what}", f"__Host-gatepass-{what}"}
        found = [each.value for each in self.party.client.cookies.jar if each.name in names]
        return found[0] if found else None


@asynccontextmanager
async def member_browser(
    app: FastAPI, house: House, host: str = HOST
) -> AsyncIterator[MemberBrowser]:
    """A new browser, without cookies; it calls itself a Firefox on Windows."""
    async with browser_at(app, house, host) as party:
        party.client.headers["user-agent"] = (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
        )
        yield MemberBrowser(party, await console_of(house))
