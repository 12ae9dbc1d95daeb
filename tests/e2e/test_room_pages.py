"""The room's pages in a real browser: what its scripts add, and that nothing depends on them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, expect

from adapters.embedded.ports import free_port
from api.open_pages import poll_until_stopped
from commands.public_session import revoke
from store.public_session import PublicSessionRow
from tests.rooms.house import House, bare_house, furnish
from tests.rooms.party_browser import app_of, browser_at

NOTICE = "dialog[open]"


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    # What a session is issued with counts in it: nobody waits for the minute between two mails.
    async with bare_house(database_url, code_mail_interval=timedelta(0)) as house:
        await furnish(house)
        yield house


@pytest_asyncio.fixture
async def session(house: House) -> PublicSessionRow:
    return (await house.create()).issued[0]


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    """The application and its poll on a socket, for as long as the block lasts."""
    port, stop = free_port(), asyncio.Event()
    url = f"http://localhost:{port}"
    app = app_of(house, public_url=url, code_mail_interval=timedelta(0))
    config = uvicorn.Config(app, port=port, lifespan="off", log_level="error")
    config.timeout_graceful_shutdown = 2
    server = uvicorn.Server(config)
    poll = asyncio.create_task(poll_until_stopped(app.state, stop))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.01)
    try:
        yield url
    finally:
        stop.set()
        await poll
        server.should_exit = True
        await serving


@dataclass(slots=True)
class Person:
    """Somebody with a browser and a mailbox."""

    context: BrowserContext
    house: House
    url: str
    complaints: list[str]

    async def page(self) -> Page:
        """A new tab; what its console complains of is kept."""
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # A bound method would not do: playwright wants to set an attribute on its owner.
        page.on("console", lambda message: self._note(message))  # noqa: PLW0108
        return page

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    async def come_in(self, session: PublicSessionRow) -> Page:
        """Opens the link, asks for a code, types it."""
        page = await self.page()
        await page.goto(f"{self.url}/s/{await self.house.link(session.id)}")
        await page.get_by_role("button", name="Email me a code").click()
        async with browser_at(app_of(self.house), self.house) as reader:
            code = await reader.mailed_code(session.id)
        await page.get_by_label("Code of 8 digits").fill(f"{code[:4]} {code[4:]}")
        await page.get_by_role("button", name="Confirm").click()
        await page.wait_for_url(f"{self.url}/sessions/{session.id}")
        return page


@asynccontextmanager
async def person(chromium: Browser, house: House, url: str, **more: Any) -> AsyncIterator[Person]:
    """A person whose pages must raise no error and break no rule of the policy."""
    context = await chromium.new_context(**more)
    somebody = Person(context, house, url, [])
    yield somebody
    await context.close()
    assert somebody.complaints == []


async def test_a_revocation_shows_in_every_tab_within_a_second(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    """PS-30: one connection of the browser tells all its tabs; then the page explains."""
    async with served(house) as url, person(chromium, house, url) as vera:
        first = await vera.come_in(session)
        second = await vera.page()
        await second.goto(f"{first.url}/tasks/profile")
        await second.wait_for_timeout(500)
        async with house.transactions.work() as work:
            await revoke(work, house.target(session), "rationale", "We chose another vendor.")
        revoked = time.monotonic()
        for page in (first, second):
            await page.wait_for_selector(NOTICE)
        assert time.monotonic() - revoked < 1.5, "a second, and half of one for a busy machine"
        for page in (first, second):
            await expect(page.get_by_text("We chose another vendor.")).to_be_visible(timeout=8000)


async def test_a_takeover_loses_no_typing(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    """C3: the first browser is told why, and what was typed stays until it was copied."""
    async with (
        served(house) as url,
        person(chromium, house, url) as vera,
        person(chromium, house, url) as same_on_phone,
    ):
        page = await vera.come_in(session)
        await page.goto(f"{page.url}/tasks/profile")
        await page.get_by_label("Company").fill("Half a sentence")
        await page.wait_for_timeout(300)
        await same_on_phone.come_in(session)
        await expect(page.locator(NOTICE)).to_contain_text("Opened in another browser")
        await page.wait_for_timeout(4500)
        await page.get_by_role("button", name="Let me copy it first").click()
        await expect(page.get_by_label("Company")).to_have_value("Half a sentence")
        await expect(page.get_by_role("button", name="Send and go on")).to_be_hidden()


async def test_the_idle_warning_is_answered_in_one_tab_for_all(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    """SX-3, C18: the banner comes in each tab and a click in one takes it from each."""
    async with served(house) as url, person(chromium, house, url) as vera:
        first = await vera.come_in(session)
        second = await vera.page()
        await second.goto(first.url)
        await second.wait_for_timeout(300)
        house.clock.turn(minutes=30, seconds=5)
        for page in (first, second):
            await expect(page.get_by_role("alertdialog")).to_be_visible()
        await second.get_by_role("button", name="I'm still here").click()
        for page in (first, second):
            await expect(page.get_by_role("alertdialog")).to_be_hidden()
        house.clock.turn(minutes=29)
        await first.reload()
        await expect(first.get_by_role("heading", name="Vendor intake")).to_be_visible()


async def test_quitting_is_told_to_the_other_tabs(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    """SX-9: the cookie is gone, and yet every tab says the true reason."""
    async with served(house) as url, person(chromium, house, url) as vera:
        first = await vera.come_in(session)
        second = await vera.page()
        await second.goto(first.url)
        await first.get_by_role("button", name="Quit").click()
        await expect(second.locator(NOTICE)).to_contain_text("You have left")
        assert [each["name"] for each in await vera.context.cookies()] == ["gatepass-door"]


async def test_a_lost_connection_is_never_called_an_end(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    async with person(chromium, house, "") as vera:
        async with served(house) as url:
            vera.url = url
            page = await vera.come_in(session)
        await page.wait_for_timeout(3000)
        assert await page.locator(NOTICE).count() == 0


async def test_everything_works_without_javascript(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    async with (
        served(house) as url,
        person(chromium, house, url, java_script_enabled=False) as vera,
    ):
        page = await vera.come_in(session)
        await page.get_by_role("link", name="Open Profile").click()
        await page.get_by_label("Company").fill("")
        await page.get_by_role("button", name="Send and go on").click()
        await expect(page.get_by_role("heading", name="1 answer needs")).to_be_visible()
        await page.get_by_label("Company").fill("ACME")
        await page.get_by_role("button", name="Send and go on").click()
        await page.get_by_label("I have read the terms.").check()
        await page.get_by_role("button", name="Send and finish").click()
        await expect(page.get_by_role("heading", name="All done, thank you")).to_be_visible()


async def test_pages_fit_a_phone(
    chromium: Browser, house: House, session: PublicSessionRow
) -> None:
    """Nothing scrolls sideways at 320 px (WCAG 1.4.10), and every button is a target of 44 px."""
    phone = {"width": 320, "height": 700}
    async with served(house) as url, person(chromium, house, url, viewport=phone) as vera:
        page = await vera.come_in(session)
        room = page.url
        link = f"{url}/s/{await house.link(session.id)}"
        for path in (room, f"{room}/tasks/profile", f"{room}/decline", link, f"{link}x"):
            await page.goto(path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
            for button in await page.locator(".button:visible").all():
                box = await button.bounding_box()
                assert box is not None
                assert box["height"] >= 44, path
