"""What a signer's windows had not saved when they lost their place, on a phone (C7, N8)."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bureau import NARROW, Bureau, good, shot
from tests.e2e.person import Browsers
from tests.e2e.test_agreement_screens import TARGETS

pytestmark = pytest.mark.timeout(120)

SENDS = """async (typed) => {
  const form = document.querySelector("[data-signing-form]");
  const body = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(typed)) body.set(name, value);
  const address = `${document.getElementById("signing").dataset.task}/values`;
  return (await (await fetch(address, { method: "POST", body })).json()).kept;
}"""
"""As a window does whose last keystrokes arrive after it lost its place."""


async def taking_over(page: Page) -> Page:
    """Another window of the same browser, which takes the place."""
    other = await page.context.new_page()
    await other.goto(page.url.split("?", maxsplit=1)[0])
    await other.get_by_role("button", name="Open Here").click()
    await other.locator("[data-signing-form]").wait_for()
    return other


async def test_each_windows_draft_is_told_shown_and_used_by_itself(
    bureau: Bureau, browsers: Browsers
) -> None:
    first = (await bureau.viewer(browsers, viewport=NARROW)).person.page
    second = await taking_over(first)
    third = await taking_over(second)
    typed = {"field:name": "Vera Vendor", "field:day": "early in May"}
    assert await first.evaluate(SENDS, typed)
    assert await second.evaluate(SENDS, {"field:name": "Vera Vendor of Porto"})
    show = third.get_by_role("link", name="Show what was not taken over")
    await expect(show).to_be_visible(timeout=15_000)
    await expect(third.get_by_text("3 fields were not taken over")).to_be_visible()
    await shot(third, "left-behind-told", whole=False)
    await show.click()
    firsts = third.get_by_role("region", name="2 fields were not taken over")
    seconds = third.get_by_role("region", name="1 field was not taken over")
    await expect(firsts).to_contain_text("Vera Vendor")
    await expect(firsts).to_contain_text("early in May")
    await expect(seconds).to_contain_text("Vera Vendor of Porto")
    await expect(show).to_be_hidden()
    await good(third)
    assert await third.evaluate(TARGETS) == []
    await shot(third, "left-behind-shown", whole=False)
    await seconds.get_by_role("button", name="Use them").click()
    await expect(third.get_by_label("Full name")).to_have_value("Vera Vendor of Porto")
    await expect(firsts).to_be_visible()
    await firsts.get_by_role("button", name="Let them go").click()
    await expect(firsts).to_be_hidden()
    await expect(third.get_by_label("Full name")).to_have_value("Vera Vendor of Porto")
