"""Two members at one agreement, in real browsers: who is in it, Edit Anyway, told at once.

The product is served from here; the clock is the house's. What is waited for comes within a second.
"""

import re
import time

import pytest
from playwright.async_api import Page, ViewportSize, expect

from domain.agreement import Pinned
from tests.e2e.bureau import NARROW, WIDE, Bureau, good, shot
from tests.e2e.person import Browsers
from tests.e2e.test_members import BEN, SLOW

pytestmark = pytest.mark.timeout(180)

TOLD_WITHIN = 1.0
"""Seconds until an open editor knows that it lost its place (EX-22)."""


async def test_edit_anyway_takes_over_and_the_other_knows_within_a_second(
    bureau: Bureau, browsers: Browsers
) -> None:
    """EX-15, EX-16, EX-17, EX-18, N8, C1: named, taken over, told, kept apart, shown and used."""
    anna = await bureau.sign_in(await browsers.context())
    ben = await bureau.sign_in(await browsers.context(), BEN)
    await bureau.edit(anna)
    await expect(anna.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    await anna.get_by_label("Title", exact=True).fill("Anna's title")
    await expect(anna.get_by_text("Not saved yet")).to_be_visible()

    await bureau.edit(ben)
    dialog = ben.get_by_role("alertdialog", name="Anna Berg is in this agreement")
    await expect(dialog).to_be_visible(timeout=SLOW)
    await shot(ben, "held")
    await dialog.get_by_role("link", name="Cancel").click()
    await expect(ben.get_by_role("heading", level=1, name="Agreements")).to_be_visible()

    await bureau.edit(ben)
    await ben.get_by_role("button", name="Edit Anyway").click()
    since = time.monotonic()
    lost = anna.get_by_role("alertdialog", name="Warning: Session Timeout")
    await lost.wait_for(timeout=SLOW)
    took = time.monotonic() - since
    await expect(lost).to_contain_text("Ben Okri has taken this agreement over")
    await expect(lost).to_contain_text("What you had not saved is kept apart")
    await shot(anna, "lost")
    assert took < TOLD_WITHIN + 1.0, took  # the click itself answers within that second
    for _ in range(3):
        await anna.keyboard.press("Escape")
    await expect(lost).to_be_visible()
    await lost.get_by_role("link", name="Okay").click()
    await expect(anna.get_by_role("heading", level=1, name="Agreements")).to_be_visible()

    await uses_what_was_left(bureau, ben)


async def uses_what_was_left(bureau: Bureau, ben: Page) -> None:
    """N8: shown beside what is saved, and saved by nobody but who wants it."""
    await bureau.edit(ben)
    await expect(ben.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    left = ben.get_by_role("region", name="Changes of Anna Berg that were not taken over").first
    await expect(left).to_contain_text("Anna's title")
    await shot(ben, "left-behind")
    assert (await bureau.desk.now(bureau.agreement_id)).row.title == "Supply agreement"
    await left.get_by_role("link", name="Use them").click()
    await expect(ben.get_by_label("Title", exact=True)).to_have_value("Anna's title")
    await ben.get_by_role("button", name="Save", exact=True).click()
    await expect(ben.get_by_text("Saved as version 2")).to_be_visible(timeout=SLOW)
    assert (await bureau.desk.now(bureau.agreement_id)).row.title == "Anna's title"


async def test_a_reload_is_the_same_window_and_a_duplicate_asks(
    bureau: Bureau, browsers: Browsers
) -> None:
    # EX-15, SX-6, C16: nobody is in conflict with oneself
    context = await browsers.context()
    first = await bureau.sign_in(context)
    await bureau.edit(first)
    await expect(first.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    await first.reload()
    await expect(first.get_by_role("heading", name="Edit the draft")).to_be_visible()
    duplicate = await context.new_page()
    await duplicate.goto(first.url)
    asked = duplicate.get_by_role("alertdialog", name="You have this open in another window")
    await expect(asked).to_be_visible(timeout=SLOW)
    await asked.get_by_role("button", name="Edit Anyway").click()
    await expect(duplicate.get_by_label("Title", exact=True)).to_be_visible(timeout=SLOW)
    await first.bring_to_front()
    lost = first.get_by_role("alertdialog", name="Warning: Session Timeout")
    await expect(lost).to_contain_text("in another window", timeout=SLOW)
    await duplicate.close()
    await bureau.edit(first)
    await expect(first.get_by_label("Title", exact=True)).to_be_visible(timeout=SLOW)


async def test_a_version_saved_by_a_program_is_told_and_shown_side_by_side(
    bureau: Bureau, browsers: Browsers
) -> None:
    # EX-20, EX-22
    page = await bureau.sign_in(await browsers.context())
    await bureau.edit(page)
    await page.get_by_label("Title", exact=True).fill("Mine")
    bureau.house.clock.turn(seconds=25)
    whole = await bureau.desk.now(bureau.agreement_id)
    assert whole.value.current == Pinned(whole.row.version, whole.row.digest)
    await bureau.desk.change(whole, {"title": "A program's"})
    newer = page.get_by_text("A newer version was saved elsewhere, by a program.")
    await expect(newer).to_be_visible(timeout=SLOW)
    await page.get_by_role("button", name="Save", exact=True).click()
    sides = page.get_by_role("region", name="What you typed / What is saved now")
    await expect(sides).to_contain_text("A program's", timeout=SLOW)
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Mine")
    await shot(page, "stale")


async def test_fields_are_placed_moved_and_resized_by_keyboard_alone(
    bureau: Bureau, browsers: Browsers
) -> None:
    # EX-23, WCAG 2.1.1, 2.5.7
    page = await bureau.sign_in(await browsers.context(viewport=WIDE))
    await bureau.edit(page)
    await page.get_by_label("New field").focus()
    await page.keyboard.press("Home")
    await page.get_by_role("button", name="Add it").focus()
    await page.keyboard.press("Enter")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowRight", "PageDown"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("status").filter(has_text="page 2")).to_have_count(1)
    await shot(page, "editor-wide")
    await page.get_by_role("button", name="Save", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Saved as version 2")).to_be_visible(timeout=SLOW)
    field = (await bureau.desk.now(bureau.agreement_id)).version.fields[-1]
    assert (field["kind"], field["page"], field["signer"]) == ("signature", 2, 1)
    assert (field["x"], field["y"], field["width"]) == (0.355, 0.38, 0.305)


async def test_fields_are_placed_and_dragged_by_pointer(bureau: Bureau, browsers: Browsers) -> None:
    page = await bureau.sign_in(await browsers.context(viewport=WIDE))
    await bureau.edit(page)
    await page.get_by_role("button", name="Click on a page to place it").click()
    paper = page.locator("[data-sheet='1'] [data-paper]")
    await expect(paper.locator("img")).to_have_js_property("complete", value=True, timeout=SLOW)
    box = await paper.bounding_box()
    assert box
    await paper.click(position={"x": box["width"] / 2, "y": box["height"] * 0.3})
    mark = page.get_by_role("button", name=re.compile("Signature: Signature, Vera Ltd"))
    await mark.scroll_into_view_if_needed()
    at = await mark.bounding_box()
    assert at
    await page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(at["x"] + at["width"] / 2 + box["width"] / 10, at["y"] + 60, steps=4)
    await page.mouse.up()
    fields = page.locator("[data-list] > details")
    row = fields.last
    await row.locator("summary").click()
    x = float(await row.get_by_label("From the left").input_value())
    assert x == pytest.approx(45, abs=0.5)
    await row.get_by_role("button", name="Duplicate").click()
    await expect(fields).to_have_count(7)
    await fields.nth(0).locator("summary").click()
    await fields.nth(0).get_by_role("button", name="Remove").click()
    await expect(fields).to_have_count(6)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved as version 2")).to_be_visible(timeout=SLOW)
    kept = (await bureau.desk.now(bureau.agreement_id)).version.fields
    assert [each["kind"] for each in kept].count("signature") == 4


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])
async def test_every_page_keeps_the_basics(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    # at 390 and 1280 px: labels, one heading, nothing wider than the window
    page = await bureau.sign_in(await browsers.context(viewport=size))
    name = "phone" if size is NARROW else "desk"
    base = f"{bureau.url}{bureau.base}"
    for at in (
        f"{base}/agreements",
        f"{base}/agreements/new",
        bureau.path,
        f"{bureau.path}/send",
        f"{bureau.path}/cancel",
        f"{base}/settings/signing-certificate",
    ):
        await page.goto(at)
        await good(page)
        await shot(page, f"{name}-{at.rsplit('/', 1)[1][:12]}")
    await bureau.edit(page)
    await expect(page.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    await good(page)
    await shot(page, f"{name}-editor")


async def test_without_a_script_the_editor_works(bureau: Bureau, browsers: Browsers) -> None:
    page = await bureau.sign_in(await browsers.context(java_script_enabled=False))
    await bureau.edit(page)
    await page.get_by_role("button", name="Add a field").click()
    row = page.locator("[data-list] > details").last
    await row.locator("summary").click()
    await row.get_by_label("Label").fill("Witness")
    await row.get_by_label("From the left").fill("42.5")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved as version 2")).to_be_visible(timeout=SLOW)
    field = (await bureau.desk.now(bureau.agreement_id)).version.fields[-1]
    assert (field["label"], field["x"]) == ("Witness", 0.425)
    await shot(page, "no-script")


async def test_open_as_signer_hands_the_device_over(bureau: Bureau, browsers: Browsers) -> None:
    """EX-5: the session ends first; the signer comes to its own door; Back shows nothing."""
    await bureau.desk.certify()
    await bureau.desk.send(await bureau.desk.now(bureau.agreement_id))
    context = await browsers.context()
    page = await bureau.sign_in(context)
    other = await context.new_page()
    await other.goto(f"{bureau.url}{bureau.base}/account")
    await page.get_by_role("link", name=re.compile("Open as Signer.*Vera Ltd")).click()
    await expect(page.get_by_role("heading", name="Open as Vera Ltd?")).to_be_visible()
    await shot(page, "hand-over")
    await page.get_by_role("button", name="End my session and open").click()
    await page.wait_for_url(re.compile(r"/s/[^/]+$"))
    await expect(page.get_by_role("main")).to_contain_text("Vera Ltd")
    await shot(page, "door")
    for _ in range(2):
        await page.go_back()
        await expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
        await expect(page.get_by_text("Supply agreement")).to_have_count(0)
    await other.bring_to_front()
    await expect(other.get_by_role("heading", level=1, name="Sign in")).to_be_visible(timeout=SLOW)
    await expect(other.get_by_role("status")).to_contain_text("handed over to sign")
