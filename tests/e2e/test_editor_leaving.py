"""The ways out of an agreement's editor: to send, back, away with something unsaved, by silence."""

from typing import Any

import pytest
from playwright.async_api import Dialog, Page, expect

from store.editing_session import EditingSessionRow
from tests.e2e.bureau import Bureau
from tests.e2e.house import until
from tests.e2e.person import Browsers
from tests.e2e.test_members import SLOW

pytestmark = pytest.mark.timeout(120)


async def kept(bureau: Bureau) -> Any:
    """The title that is kept apart of an editor that did not save it."""
    rows = await bureau.house.all(EditingSessionRow)
    return next((each.content.get("title") for each in rows[0].drafts), None)


async def types_a_title(page: Page, title: str) -> None:
    """As a person does: only whoever has touched a page is asked before leaving it."""
    await page.get_by_label("Title", exact=True).click()
    await page.keyboard.press("Control+a")
    await page.keyboard.type(title)
    await expect(page.get_by_text("Not saved yet")).to_be_visible()


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


async def test_leaving_with_something_unsaved_is_asked_about(
    bureau: Bureau, browsers: Browsers
) -> None:
    """Whoever stays has it in the form; whoever leaves finds it kept apart; saving asks nothing."""
    page = await editing(bureau, browsers)
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await types_a_title(page, "Typed")
    home = page.get_by_role("link", name="Home")
    await home.click()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Typed")
    assert asked == ["beforeunload"]
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved as version 2")).to_be_visible(timeout=SLOW)
    await types_a_title(page, "Typed again")
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())
    await home.click()
    await expect(page.get_by_role("heading", name="Edit the draft")).to_have_count(0)
    assert asked == ["beforeunload"]
    await until(lambda: kept(bureau), "what was left is kept")
    await bureau.edit(page)
    left = page.get_by_role("region", name="Changes of yours that were not taken over").first
    await expect(left).to_contain_text("Typed again", timeout=SLOW)


async def test_silence_ends_the_session_and_what_was_typed_is_kept(
    bureau: Bureau, browsers: Browsers
) -> None:
    """EE-7, N8: put away when the person is asked if they are there; the end waits for nobody."""
    page = await editing(bureau, browsers)
    await types_a_title(page, "Typed")
    bureau.house.clock.turn(minutes=5, seconds=1)
    await expect(page.get_by_role("alertdialog", name="Are you still there?")).to_be_visible()
    assert await until(lambda: kept(bureau), "what was typed is kept") == "Typed"
    bureau.house.clock.turn(seconds=20)
    await expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible(timeout=SLOW)
    page = await bureau.sign_in(page.context)
    await expect(page.get_by_text("There are changes that were not taken over.")).to_be_visible()
