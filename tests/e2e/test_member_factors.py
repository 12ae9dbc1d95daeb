"""Second factors and passkeys in a real browser, whose device is a virtual one."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.person import Browsers
from tests.e2e.test_members import Front, fits, front, patience  # noqa: F401 - fixtures
from tests.rooms.authenticator import newest_phone
from tests.rooms.member_browser import PASSWORD

pytestmark = pytest.mark.timeout(120)

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def give_device(page: Page) -> None:
    """The page's browser has a device that makes passkeys and says yes."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


async def has_title(page: Page, title: str) -> None:
    await expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    await fits(page)


async def test_a_passkey_is_made_and_signs_in(front: Front, browsers: Browsers) -> None:  # noqa: F811 - a fixture
    page = await (await browsers.context(viewport={"width": 360, "height": 740})).new_page()
    await give_device(page)
    await page.goto(f"{front.console}/account/passkeys")
    await front.sign_in(page)
    await has_title(page, "Passkeys")
    await page.get_by_label("Present password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on").click()
    await has_title(page, "A new passkey")
    await page.get_by_role("button", name="Make the passkey").click()
    await expect(page.get_by_role("status")).to_contain_text("Your passkey is kept")
    await fits(page)
    await page.get_by_role("button", name="Log out").first.click()
    await has_title(page, "Sign in")
    await page.get_by_role("button", name="Use a passkey").click()
    await has_title(page, "Welcome, Anna Berg")


async def test_no_passkey_leaves_the_password(front: Front, browsers: Browsers) -> None:  # noqa: F811 - a fixture
    page = await (await browsers.context()).new_page()
    await give_device(page)
    await page.goto(front.console)
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_text("Nothing came of it")).to_be_visible()
    await front.sign_in(page)
    await has_title(page, "Welcome, Anna Berg")


async def test_an_app_is_set_up_and_asked_for_without_scripts(
    front: Front,  # noqa: F811 - a fixture
    browsers: Browsers,
) -> None:
    context = await browsers.context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = await context.new_page()
    await page.goto(f"{front.console}/account/second-factor")
    await front.sign_in(page)
    await page.get_by_label("Present password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    phone = await newest_phone(front.house)
    await page.get_by_label("Code from your authenticator app").fill(
        phone.code(front.house.clock.now)
    )
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.locator(".recovery-codes li")).to_have_count(10)
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    await page.get_by_role("button", name="Log out").first.click()
    front.house.clock.turn(seconds=30)
    await front.sign_in(page)
    await expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    await page.get_by_label("Code from your authenticator app").fill(
        phone.code(front.house.clock.now)
    )
    await page.get_by_label("Trust this browser").check()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("heading", name="Welcome, Anna Berg")).to_be_visible()


async def test_the_pages_of_the_second_factor_fit(front: Front, browsers: Browsers) -> None:  # noqa: F811 - a fixture
    page = await (await browsers.context(viewport={"width": 360, "height": 740})).new_page()
    await page.goto(f"{front.console}/account/second-factor")
    await front.sign_in(page)
    await has_title(page, "Second factor")
    await page.get_by_label("Present password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on").click()
    await has_title(page, "Set up your second factor")
    phone = await newest_phone(front.house)
    code = page.get_by_label("Code from your authenticator app")
    await code.fill("000000")
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    await fits(page)
    await code.fill(phone.code(front.house.clock.now))
    await page.get_by_role("button", name="Confirm").click()
    await has_title(page, "Your recovery codes")
    await page.get_by_role("link", name="I have kept them").click()
    await has_title(page, "Second factor")
    await page.get_by_role("button", name="Log out").first.click()
    await front.sign_in(page)
    await has_title(page, "Confirm that it is you")
