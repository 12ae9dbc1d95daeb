"""A workspace with Anna and Ben, and a browser at its console."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from domain.member import Role
from store.audit import AuditRow
from store.mail import MailRow
from store.member import MemberRow
from tests.rooms.house import House, bare_house
from tests.rooms.member_browser import MemberBrowser, make_member, member_browser
from tests.rooms.party_browser import HOST, app_of

BEN = "ben@office.example"


@dataclass(slots=True)
class Console:
    """The application with two members: Anna, an administrator, and Ben, who audits."""

    house: House
    app: FastAPI
    anna: MemberRow
    ben: MemberRow

    @asynccontextmanager
    async def browser(self, host: str = HOST) -> AsyncIterator[MemberBrowser]:
        """A new browser."""
        async with member_browser(self.app, self.house, host) as browser:
            yield browser

    @asynccontextmanager
    async def signed_in(self, **more: Any) -> AsyncIterator[MemberBrowser]:
        """A new browser in which Anna, or who is named, has signed in."""
        async with self.browser() as browser:
            answer = await browser.sign_in(**more)
            assert answer.status_code == 303, answer.text
            yield browser

    async def alerts(self) -> list[MailRow]:
        """What members were told of sign-ins from elsewhere, oldest first."""
        rows = await self.house.all(MailRow)
        found = [each for each in rows if each.kind == "member_new_device"]
        return sorted(found, key=lambda row: row.id)

    async def ends(self) -> list[str]:
        """Why sessions ended, as the audit has it."""
        rows = await self.house.all(AuditRow)
        ended = [each for each in rows if each.event == "member_session.ended"]
        return [str(each.details["reason"]) for each in ended]


@asynccontextmanager
async def open_console(url: str, **settings: Any) -> AsyncIterator[Console]:
    """A new workspace with its members."""
    async with bare_house(url, **settings) as house:
        anna = await make_member(house)
        ben = await make_member(house, BEN, "Ben Okri", Role.AUDITOR, zone="Europe/Berlin")
        yield Console(house, app_of(house), anna, ben)
