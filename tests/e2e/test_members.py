"""Members in a real browser: tabs that end together, warn together, and work without scripts."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from store.member_session import MemberSessionRow
from tests.e2e.person import BASICS, Browsers, Keyboard
from tests.e2e.test_room_pages import served
from tests.rooms.house import House, bare_house
from tests.rooms.member_browser import (
    EMAIL,
    PASSWORD,
    console_of,
    make_member,
    set_here,
)

pytestmark = pytest.mark.timeout(120)

BEN = "ben@office.example"
SLOW = 15_000
"""For a busy machine; what is waited for comes within a second or two."""


@dataclass(slots=True)
class Front:
    """A workspace's console on a socket, with Anna and Ben."""

    house: House
    url: str
    base: str

    @property
    def console(self) -> str:
        """Where the console begins."""
        return self.url + self.base

    async def sign_in(self, page: Page, email: str = EMAIL) -> None:
        """Types address and password where the page asks for them."""
        await page.get_by_label("Email address").fill(email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()

    async def tabs(self, context: BrowserContext) -> tuple[Page, Page]:
        """Anna's home, and her account in a second tab; both hear of ends."""
        first, second = await context.new_page(), await context.new_page()
        await first.goto(self.console)
        await self.sign_in(first)
        await expect(first.get_by_role("heading", name="Welcome, Anna Berg")).to_be_visible()
        await second.goto(f"{self.console}/account")
        await expect(second.get_by_role("heading", name="Your account")).to_be_visible()
        return first, second


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


async def is_at_sign_in(page: Page, words: str, following: str = "") -> None:
    """The whole page is the sign-in, says why, and knows the way back (EE-7, N9)."""
    await expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text(words)
    if following:
        await expect(page.locator("input[name=next]").first).to_have_value(following)


async def test_the_warning_is_in_both_tabs_and_one_answer_clears_both(
    front: Front, browsers: Browsers
) -> None:
    # SH-1, SH-2, SX-3
    first, second = await front.tabs(await browsers.context())
    front.house.clock.turn(minutes=5, seconds=1)
    for page in (first, second):
        dialog = page.get_by_role("alertdialog", name="Are you still there?")
        await expect(dialog).to_be_visible()
        await expect(dialog.get_by_role("timer")).to_have_text(re.compile(r"^0:(0\d|1[0-4]) left$"))
        await expect(dialog.get_by_role("button", name="Stay Connected")).to_be_focused()
    await second.get_by_role("button", name="Stay Connected").click()
    for page in (first, second):
        await expect(page.get_by_role("alertdialog")).to_be_hidden()
    front.house.clock.turn(minutes=4, seconds=50)
    await first.reload()
    await expect(first.get_by_role("heading", name="Welcome, Anna Berg")).to_be_visible()


async def test_a_request_in_another_tab_answers_too(front: Front, browsers: Browsers) -> None:
    # SX-3
    first, second = await front.tabs(await browsers.context())
    front.house.clock.turn(minutes=5, seconds=1)
    await expect(first.get_by_role("alertdialog")).to_be_visible()
    await second.goto(f"{front.console}/account/sessions")
    await expect(first.get_by_role("alertdialog")).to_be_hidden()


async def test_no_answer_takes_every_tab_to_the_sign_in_and_back(
    front: Front, browsers: Browsers
) -> None:
    # SH-3, EE-7, EX-7
    first, second = await front.tabs(await browsers.context())
    front.house.clock.turn(minutes=5, seconds=16)
    await is_at_sign_in(first, "because nothing was done for a while", front.base)
    await is_at_sign_in(second, "because nothing was done for a while", f"{front.base}/account")
    await front.sign_in(second)
    await expect(second.get_by_role("heading", name="Your account")).to_be_visible()


async def test_logging_out_in_one_tab_takes_both_to_the_sign_in(
    front: Front, browsers: Browsers
) -> None:
    # EX-3, EE-7
    first, second = await front.tabs(await browsers.context())
    await first.get_by_role("banner").get_by_role("button", name="Log out").click()
    await is_at_sign_in(first, "You have logged out")
    await is_at_sign_in(second, "You have logged out", f"{front.base}/account")


async def test_the_warnings_own_way_out(front: Front, browsers: Browsers) -> None:
    # SH-2
    first, second = await front.tabs(await browsers.context())
    front.house.clock.turn(minutes=5, seconds=1)
    await second.get_by_role("alertdialog").get_by_role("button", name="Log out").click()
    for page in (first, second):
        await is_at_sign_in(page, "You have logged out")


async def test_a_killed_session_is_told_to_every_tab(front: Front, browsers: Browsers) -> None:
    # SH-19, N4
    await set_here(front.house, session_allow_concurrent=True)
    first, second = await front.tabs(await browsers.context())
    elsewhere = await (await browsers.context()).new_page()
    await elsewhere.goto(f"{front.console}/account/sessions")
    await front.sign_in(elsewhere)
    await elsewhere.get_by_role("link", name="End all others").click()
    await elsewhere.get_by_role("button", name="End 1 session").click()
    for page in (first, second):
        await is_at_sign_in(page, "Your session was ended")
    await expect(elsewhere.get_by_text("All the other sessions have ended.")).to_be_visible()


async def test_another_person_in_this_browser_is_told_to_the_tabs_of_the_first(
    front: Front, browsers: Browsers
) -> None:
    # EX-4, C15: after a warning that names her
    first, second = await front.tabs(await browsers.context())
    await second.goto(f"{front.console}/sign-in")
    await front.sign_in(second, BEN)
    await expect(second.get_by_role("heading", level=1)).to_have_text(
        "Anna Berg is signed in on this browser"
    )
    await expect(first.get_by_role("heading", name="Welcome, Anna Berg")).to_be_visible()
    await second.get_by_role("button", name="Go on as Ben Okri").click()
    await expect(second.get_by_role("heading", name="Welcome, Ben Okri")).to_be_visible()
    await is_at_sign_in(first, "Somebody else has signed in on this browser")
    await expect(first.get_by_role("link", name="Go on as Ben Okri")).to_be_visible()


async def test_a_lost_connection_is_never_called_an_end(
    database_url: str, browser_context: BrowserContext
) -> None:
    async with bare_house(database_url) as house:
        await make_member(house)
        async with served(house) as url:
            front = Front(house, url, await console_of(house))
            first, _ = await front.tabs(browser_context)
        await first.wait_for_timeout(2500)
        await expect(first.get_by_role("heading", name="Welcome, Anna Berg")).to_be_visible()


async def test_a_keyboard_is_enough(front: Front, browsers: Browsers) -> None:
    # WCAG 2.1.1: sign in, answer the warning, change the password, log out
    person = await browsers.person(Keyboard())
    page = person.page
    await page.goto(front.console)
    await expect(page.get_by_label("Email address")).to_be_focused()
    await page.keyboard.type(EMAIL)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await person.sees("Welcome, Anna Berg")
    front.house.clock.turn(minutes=5, seconds=1)
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alertdialog")).to_be_hidden()
    front.house.clock.turn(minutes=5, seconds=1)
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("alertdialog")).to_be_hidden()
    await person.press("Your account", "link")
    await person.sees("Your account")
    await person.hands.answer(
        page, {"Present password": PASSWORD, "New password": "another horse battery"}
    )
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your password is changed")).to_be_visible()
    await person.press("Log out")
    await is_at_sign_in(page, "You have logged out")


async def test_everything_works_without_javascript(front: Front, browsers: Browsers) -> None:
    # the next request says so
    context = await browsers.context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{front.console}/account/sessions")
    await front.sign_in(page)
    await expect(page.get_by_text("This browser")).to_be_visible()
    front.house.clock.turn(minutes=5, seconds=16)
    await page.get_by_role("link", name="Account").click()
    await is_at_sign_in(page, "because nothing was done for a while", f"{front.base}/account")
    await front.sign_in(page)
    front.house.clock.turn(minutes=5, seconds=16)
    await page.get_by_label("Present password").fill(PASSWORD)
    await page.get_by_label("New password").fill("another horse battery")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was done")
    await page.get_by_role("link", name="Sign in").click()
    await front.sign_in(page)
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    await page.get_by_role("button", name="Log out").first.click()
    await is_at_sign_in(page, "You have logged out")


@pytest.mark.parametrize("width", [360, 1280])
async def test_pages_fit(front: Front, browsers: Browsers, width: int) -> None:
    """Nothing scrolls sideways (WCAG 1.4.10), and every button is a target of 44 px."""
    await set_here(front.house, session_allow_concurrent=True, session_concurrent_limit=2)
    context = await browsers.context(viewport={"width": width, "height": 740})
    page, other = await context.new_page(), await (await browsers.context()).new_page()
    for each in (page, other):
        await each.goto(front.console)
        await fits(page)
        await front.sign_in(each)
        await expect(each.get_by_role("heading", name="Welcome")).to_be_visible()
    rows = await front.house.all(MemberSessionRow)
    end = f"/account/sessions/{rows[1].id}/end"
    for path in ("", "/account", "/account/sessions", end, "/sign-in", "/nothing"):
        await page.goto(front.console + path)
        await fits(page)
    third = await (await browsers.context(viewport={"width": width, "height": 740})).new_page()
    await third.goto(front.console)
    await front.sign_in(third)
    await expect(third.get_by_role("heading", name="Too many sessions")).to_be_visible()
    await fits(third)
    await page.goto(front.console)
    front.house.clock.turn(minutes=5, seconds=1)
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await fits(page)


async def fits(page: Page) -> None:
    """A page is made as pages should be."""
    basics = await page.evaluate(BASICS)
    assert basics["language"] == "en"
    assert {key: basics[key] for key in ("headings", "nameless", "doubled", "tooWide")} == {
        "headings": 1,
        "nameless": [],
        "doubled": [],
        "tooWide": False,
    }, page.url
    for button in await page.locator(".button:visible").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, page.url
