"""The ways out of an agreement's editor: to send, back, away with something unsaved, by silence."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.bureau import Bureau
from tests.e2e.house import until
from tests.e2e.person import Browsers
from tests.e2e.test_members import SLOW

pytestmark = pytest.mark.timeout(120)


async def editing(bureau: Bureau, browsers: Browsers) -> Page:
    """Anna in the editor."""
    page = await bureau.sign_in(await browsers.context())
    await bureau.edit(page)
    await expect(page.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    return page


async def test_the_editors_own_send_leads_to_what_can_be_sent(
    bureau: Bureau, browsers: Browsers
) -> None:
    await bureau.desk.certify()
    page = await editing(bureau, browsers)
    await page.get_by_role("button", name="Send …").click()
    await expect(page.get_by_role("heading", name="Send this agreement?")).to_be_visible()
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    await expect(page.get_by_text("You have its editor open")).to_have_count(0)


async def test_back_from_the_editor_looks_again_by_itself(
    bureau: Bureau, browsers: Browsers
) -> None:
    """The page may have been made before the window's good-bye arrived: here it certainly was."""
    await bureau.desk.certify()
    editor = await editing(bureau, browsers)
    page = await editor.context.new_page()
    await page.clock.install(time=0)
    await page.clock.pause_at(1_000)
    await page.goto(f"{bureau.path}/send")
    await expect(page.get_by_text("You have its editor open in a window.")).to_be_visible()
    await editor.goto("about:blank")

    async def is_let_go() -> bool:
        return "data-looks-again" not in await (await page.request.get(page.url)).text()

    await until(is_let_go, "the good-bye arrived")
    await page.clock.run_for(5_000)
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    await expect(page.get_by_text("You have its editor open")).to_have_count(0)
