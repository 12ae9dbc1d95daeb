"""The dialogs of the agreement editor in two real browsers, phone and desk, by keyboard alone.

EX-13, EX-15 to EX-18, N8. Members come in as everybody does; then there are Tab, Enter, Escape.
"""

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.bureau import NARROW, WIDE, Bureau, shot
from tests.e2e.person import Browsers, Keyboard
from tests.e2e.test_members import BEN, SLOW

pytestmark = pytest.mark.timeout(120)

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])


async def two_members(bureau: Bureau, browsers: Browsers, size: ViewportSize) -> tuple[Page, Page]:
    """Anna has typed something into the editor, and Ben is asked whether he edits it anyway."""
    anna = await bureau.sign_in(await browsers.context(viewport=size))
    ben = await bureau.sign_in(await browsers.context(viewport=size), BEN)
    await bureau.edit(anna)
    title = anna.get_by_label("Title", exact=True)
    await title.fill("Anna's title", timeout=SLOW)
    await bureau.edit(ben)
    asked = ben.get_by_role("alertdialog", name="Anna Berg is in this agreement")
    await expect(asked).to_be_visible(timeout=SLOW)
    await expect(ben.get_by_role("button", name="Edit Anyway")).to_be_focused()
    await shot(ben, f"{size['width']}-editor-held", whole=False)
    return anna, ben


@SIZES
async def test_cancel_leaves_the_other_one_in_peace(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """EX-18: one Tab and Enter; nothing happens to who is in it."""
    anna, ben = await two_members(bureau, browsers, size)
    await ben.keyboard.press("Tab")
    await expect(ben.get_by_role("link", name="Cancel")).to_be_focused()
    await ben.keyboard.press("Enter")
    await expect(ben.get_by_role("heading", level=1, name="Agreements")).to_be_visible()
    await Keyboard().press(anna.get_by_role("button", name="Save", exact=True))
    await expect(anna.get_by_text("Saved as version 2")).to_be_visible(timeout=SLOW)


@SIZES
async def test_edit_anyway_and_lost(bureau: Bureau, browsers: Browsers, size: ViewportSize) -> None:
    """EX-13, EX-16, EX-17, EX-18: Enter takes over; who lost it reads why, and Enter leads out."""
    anna, ben = await two_members(bureau, browsers, size)
    await ben.keyboard.press("Enter")
    await expect(ben.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    lost = anna.get_by_role("alertdialog", name="Warning: Session Timeout")
    await expect(lost).to_contain_text("Ben Okri has taken this agreement over", timeout=SLOW)
    await expect(lost).to_contain_text("What you had not saved is kept apart")
    okay = lost.get_by_role("link", name="Okay")
    await expect(okay).to_be_focused()
    await shot(anna, f"{size['width']}-editor-lost", whole=False)
    for _ in range(3):
        await anna.keyboard.press("Escape")
    await expect(lost).to_be_visible()
    # Nothing behind the dialog is reached.
    await anna.keyboard.press("Tab")
    await anna.keyboard.press("Shift+Tab")
    await expect(okay).to_be_focused()
    await anna.keyboard.press("Enter")
    await expect(anna.get_by_role("heading", level=1, name="Agreements")).to_be_visible()
