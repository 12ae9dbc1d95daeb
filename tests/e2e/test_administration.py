"""Administrators in a real browser on a phone, without scripts: settings, members, reports."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.person import Browsers
from tests.e2e.test_members import BEN, SLOW, Front
from tests.e2e.test_room_pages import served
from tests.rooms.house import bare_house
from tests.rooms.member_browser import console_of, make_member

pytestmark = pytest.mark.timeout(120)

PHONE = {"width": 360, "height": 740}


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """What is expected may take longer than in life."""
    expect.set_options(timeout=SLOW)
    yield
    expect.set_options(timeout=None)


@pytest_asyncio.fixture
async def front(database_url: str) -> AsyncIterator[Front]:
    async with bare_house(database_url) as house:
        await make_member(house)
        await make_member(house, BEN, "Ben Okri")
        async with served(house) as url:
            yield Front(house, url, await console_of(house))


async def fits(page: Page) -> None:
    """Nothing is wider than the screen (WCAG 1.4.10)."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_an_administrator_needs_no_scripts_and_no_wide_screen(
    front: Front, browsers: Browsers
) -> None:
    # SH-4, N16, EE-15, EE-16
    context = await browsers.context(viewport=PHONE, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(front.console)
    await front.sign_in(page)
    await page.get_by_role("link", name="Session and Links Expiry Time").click()
    await page.get_by_label("Time to answer the warning", exact=True).fill("1")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="You typed “1”.").click()
    await fits(page)
    await page.get_by_label("Time to answer the warning", exact=True).fill("25")
    await page.get_by_label("Registration and invitation links", exact=True).fill("2")
    await page.get_by_label("Unit of “Registration and invitation links”").select_option("days")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("From 1 hour to 2 days")).to_be_visible()
    await fits(page)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Counts now: 25 seconds, set here.")).to_be_visible()
    await page.goto(f"{front.console}/members")
    await page.get_by_role("link", name="Ben Okri").click()
    await page.get_by_label("What this member may do").select_option("auditor")
    await page.get_by_role("button", name="Change role").click()
    await expect(page.get_by_role("heading", name="Make Ben Okri Auditor?")).to_be_visible()
    await page.get_by_role("button", name="Change role").click()
    await expect(page.get_by_text("The role is changed")).to_be_visible()
    await fits(page)
    for path in ("logins", "access"):
        await page.goto(f"{front.console}/reports/{path}")
        await expect(page.get_by_role("cell", name="Anna Berg").first).to_be_visible()
        await fits(page)
