"""A workspace's console on a socket, and what every page of it must keep.

The product is served from here; the clock is the house's. What is waited for comes within a second.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import BrowserContext, Page, ViewportSize, expect

from commands.agreement import Whole
from commands.agreement_source import Source, paper_from
from domain.member import Role
from tests.e2e.person import BASICS, Browsers, Person
from tests.e2e.signing import FIELDS, ONE, TWO
from tests.e2e.test_members import BEN
from tests.e2e.test_room_pages import served
from tests.rooms.agreements import CONSENT, Desk
from tests.rooms.house import House, bare_house
from tests.rooms.member_browser import EMAIL, PASSWORD, console_of, make_member
from tests.rooms.papers import a_pdf, paper_of

NARROW: ViewportSize = {"width": 390, "height": 844}
TURNED: ViewportSize = {"width": 844, "height": 390}
WIDE: ViewportSize = {"width": 1280, "height": 900}
SHOTS = os.environ.get("GATEPASS_TEST_SHOTS", "")


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signer with the document open: what, which public session, and where it is opened."""

    person: Person
    whole: Whole
    session: UUID
    task: str


@dataclass(slots=True)
class Bureau:
    """A workspace's console on a socket, with an agreement that Anna and Ben may edit."""

    house: House
    desk: Desk
    url: str
    base: str
    agreement_id: UUID

    @property
    def path(self) -> str:
        """Where the agreement's page is."""
        return f"{self.url}{self.base}/agreements/{self.agreement_id}"

    async def sign_in(self, context: BrowserContext, email: str = EMAIL) -> Page:
        """The agreement's page of somebody who has just signed in."""
        page = await context.new_page()
        await page.goto(self.path)
        await page.get_by_label("Email address").fill(email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Supply agreement")
        return page

    async def edit(self, page: Page, words: str = "Edit") -> None:
        """Opens the editor from the agreement's page."""
        await page.goto(self.path)
        await page.get_by_role("button", name=words, exact=True).click()

    async def to_viewer(self, person: Person, session: UUID) -> None:
        """A signer's way from the link in the mail, with the code, to the document."""
        await person.open(f"{self.url}/s/{await self.house.link(session)}")
        await person.ask_for_code()
        await person.confirm(await self.house.fresh_code(session))
        await person.sees("Signature request")
        await person.press("Open", "link")
        await person.sees("Review and sign")
        await person.press("Review and sign")
        await person.page.locator("[data-signing-form]").wait_for()

    async def viewer(self, browsers: Browsers, **options: Any) -> Viewer:
        """Somebody who was asked to sign, with the document open."""
        known = {"paper": await paper_of(ONE, TWO), "fields": FIELDS, "consent": CONSENT}
        whole = await self.desk.sent("Vera Ltd", **known)
        session = await self.desk.session_of(whole)
        person = await browsers.person(**options)
        await self.to_viewer(person, session)
        return Viewer(person, whole, session, f"{self.url}/sessions/{session}/tasks/sign")


@asynccontextmanager
async def open_bureau(database_url: str, **settings: Any) -> AsyncIterator[Bureau]:
    """Anna administers, Ben publishes."""
    async with bare_house(database_url, **settings) as house:
        await make_member(house)
        await make_member(house, BEN, "Ben Okri", Role.PUBLISHER)
        desk = Desk(house)
        vera, walt = await desk.party("Vera Ltd"), await desk.party("Walt Ltd")
        source = Source(pdf=a_pdf(2))
        paper, _ = await paper_from(house.transactions, house.workspace_id, source, signers=2)
        whole = await desk.draft(vera.id, walt.id, paper=paper)
        async with served(house) as url:
            yield Bureau(house, desk, url, await console_of(house), whole.row.id)


async def shot(page: Page, name: str, *, whole: bool = True) -> None:
    """Kept where `GATEPASS_TEST_SHOTS` says, to be looked at; the whole page, or what is seen."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=whole)


async def good(page: Page) -> None:
    """Labels, one heading, nothing doubled, nothing wider than the window."""
    found = await page.evaluate(BASICS)
    assert found["language"] == "en"
    assert found["headings"] == 1, page.url
    assert not found["nameless"], (page.url, found["nameless"])
    assert not found["doubled"], (page.url, found["doubled"])
    assert not found["tooWide"], page.url
