"""Agreements in the running house: made by its commands, opened and signed in a browser."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from playwright.async_api import BrowserContext, Page

from commands.agreement import Whole
from commands.work import Transactions
from domain.paper import Paper
from tests.e2e.house import CODE, Office
from tests.e2e.person import Person
from tests.rooms.agreements import CONSENT, Desk
from tests.rooms.house import Clock, DiesAfterCommit, House
from tests.rooms.papers import paper_of

ONE = "This supply agreement is between Demo Ltd and the supplier.\n\n" + (
    "The supplier delivers what was ordered, on time and in good order. " * 12
)
TWO = "Signatures. The parties agree to what is written above."


def field(key: str, kind: str, at: tuple[int, float, float], **more: Any) -> dict[str, Any]:
    """One field of the first signer: on which page, how far from the left and from the top."""
    page, x, y = at
    size = {"width": 0.35, "height": 0.05}
    known = {"key": key, "kind": kind, "label": key.title(), "signer": 1}
    return {**known, "page": page, "x": x, "y": y, **size, **more}


FIELDS = [
    field("price", "text", (1, 0.1, 0.55), signer=None, value="100 EUR"),
    field("name", "text", (1, 0.1, 0.65), label="Full name"),
    field("day", "date", (1, 0.55, 0.65), label="Delivery day", width=0.25),
    field("terms", "checkbox", (1, 0.1, 0.8), label="Terms read", width=0.03, height=0.02),
    field("initials", "initials", (1, 0.6, 0.85), label="Initials", width=0.15),
    field("signature", "signature", (2, 0.1, 0.5), label="Signature", width=0.5, height=0.1),
]


@dataclass(slots=True)
class Deal:
    """An agreement that one person was asked to sign, and the way to it."""

    office: Office
    desk: Desk
    whole: Whole

    async def enter(self, page: Page) -> Person:
        """To the page that says what is to be signed."""
        person = Person(page)
        session = await self.desk.session_of(self.whole)
        link = await self.office.link(session)
        await person.come_in(link, await self.office.fresh_code(session), "Signature request")
        return await self.land(page)

    async def pass_a_minute(self) -> None:
        """As if the mail of the code to come in with had been asked for a minute before (C13)."""
        earlier = "UPDATE mail SET created_at = created_at - interval '1 minute'"
        workspace = self.office.workspace_id
        await self.office.sql(f"{earlier} WHERE workspace_id = :workspace", workspace=workspace)

    async def mailed_code(self) -> str:
        """The code to sign with, in the mail that arrived."""
        vera = f"vera@signer-{self.office.workspace_id}.example"
        found = CODE.search((await self.office.mail_to(vera, "Your code for a signature")).text)
        assert found is not None
        return found[1]

    async def land(self, page: Page) -> Person:
        """The same in a browser that is in already."""
        session = await self.desk.session_of(self.whole)
        await page.goto(f"{self.office.house.url}/sessions/{session}/tasks/sign")
        return Person(page)

    async def open(self, context: BrowserContext) -> Page:
        """Into the viewer, in a new window of a browser that is in already or comes in now."""
        page = await context.new_page()
        person = await (self.land(page) if context.pages[:-1] else self.enter(page))
        await person.press("Review and sign")
        await page.locator("[data-signing-form]").wait_for()
        return page

    async def change(self, paper: Paper | None = None, **price: str) -> None:
        """The next version: another price, and other pages if there are some."""
        fields = [
            each | ({"value": price["price"]} if each["key"] == "price" else {}) for each in FIELDS
        ]
        self.whole = await self.desk.change(self.whole, {"fields": fields}, paper)


def desk_in(office: Office) -> Desk:
    """The commands on the running house's database; its worker delivers what is to be told."""
    known = office.transactions
    transactions = Transactions(
        office.engine, office.house.settings, known.keyring, DiesAfterCommit(), _now
    )
    clock = cast("Clock", _now)
    return Desk(House(office.engine, transactions, clock, office.workspace_id))


def _now() -> datetime:
    return datetime.now(UTC)


async def deal_in(office: Office, **more: Any) -> Deal:
    """A new agreement, sent."""
    desk = desk_in(office)
    wanted = {"paper": await paper_of(ONE, TWO), "fields": FIELDS, "consent": CONSENT} | more
    return Deal(office, desk, await desk.sent("Vera Ltd", **wanted))
