"""A document signed in a real browser: two windows, a phone, the keyboard alone, no JavaScript."""

import json
import re
import time
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.house import Office, until
from tests.e2e.person import Answers, Browsers, Keyboard, Person
from tests.e2e.signing import ONE, Deal, deal_in
from tests.rooms.papers import paper_of

pytestmark = pytest.mark.timeout(120)

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LOST = "Warning: Session Timeout"
HAS_SAID = """() => performance.getEntriesByType("resource")
  .filter((each) => each.name.endsWith("/beat")).length >= 3"""
"""That it is open, as often as a page says so at its beginning; then not for ten seconds."""
FORM = "[data-signing-form]"


async def saved(page: Page) -> None:
    """Waits until what was entered is on the server."""
    await page.get_by_text("Saved just now").wait_for()


async def draw(page: Page, name: str = "Signature") -> None:
    """Draws two strokes in the dialog of a field and takes them over."""
    await page.get_by_role("button", name=re.compile(f"^{name}")).click()
    await move_pen(page)
    await page.get_by_role("button", name="Use this").click()


async def move_pen(page: Page) -> None:
    """Two strokes in the open dialog."""
    box = await page.locator("[data-pad-canvas]").bounding_box()
    assert box is not None
    for lift in (0.3, 0.6):
        await page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * lift)
        await page.mouse.down()
        for step in range(1, 12):
            x, y = 0.1 + step * 0.06, lift + (step % 3) * 0.08
            await page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        await page.mouse.up()


async def strokes(page: Page, key: str = "signature") -> Any:
    """What the form would send of a drawing."""
    return json.loads(await page.locator(f'[name="drawn:{key}"]').input_value())["strokes"]


async def fill(page: Page) -> None:
    """Everything but signatures."""
    await page.get_by_label("Full name").fill("Vera Vendor")
    await page.get_by_label("Delivery day").fill("2026-12-24")
    await page.get_by_label("Terms read").check()


async def is_signed(deal: Deal) -> bool:
    """Whether the agreement has the signature."""
    return (await deal.desk.now(deal.whole.row.id)).signers[0].signed_at is not None


async def two_windows(office: Office, browsers: Browsers) -> tuple[Deal, BrowserContext, Page]:
    """An agreement, and one window of its signer's browser."""
    deal, context = await deal_in(office), await browsers.context(viewport=DESKTOP)
    return deal, context, await deal.open(context)


async def test_pages_are_drawn_fields_stand_on_them_and_a_signature_lands(
    office: Office, browsers: Browsers
) -> None:
    """EX-8, N7: pdf.js under our policy; the field is where the version says, the ink as drawn."""
    deal, _, page = await two_windows(office, browsers)
    await page.locator(".sheet-drawn").first.wait_for()
    assert "Demo Ltd" in await page.locator(".sheet-text").first.inner_text()
    sheet = await page.locator('[data-page="1"]').bounding_box()
    name = await page.locator("#place-name").bounding_box()
    assert sheet is not None
    assert name is not None
    assert abs((name["x"] - sheet["x"]) / sheet["width"] - 0.1) < 0.01
    assert abs((name["y"] - sheet["y"]) / sheet["height"] - 0.65) < 0.01
    assert await page.get_by_text("0 of 5 fields").count()
    await page.get_by_role("button", name="Next field").click()
    assert await page.locator("#field-name").evaluate("e => e === document.activeElement")
    await fill(page)
    await draw(page, "Initials")
    await draw(page)
    drawn = await strokes(page)
    await page.get_by_text("Every field is filled in").wait_for()
    await saved(page)
    await page.get_by_role("button", name="Sign", exact=True).click()
    await page.locator("#error-summary").get_by_text("Tick the box").wait_for()
    assert await strokes(page) == drawn
    await page.get_by_label("I agree to be bound").check()
    await page.get_by_role("button", name="Sign", exact=True).click()
    await page.get_by_role("heading", name="All done, thank you").wait_for()
    signed = (await deal.desk.now(deal.whole.row.id)).signers[0].values
    assert signed["signature"]["strokes"] == drawn
    assert signed["day"] == "2026-12-24"


async def test_open_here_takes_over_and_the_loser_is_told_within_a_second(
    office: Office, browsers: Browsers
) -> None:
    """EX-9, EX-10, EX-12, EX-13, EX-22, N8: not a keystroke of the loser is lost."""
    deal, context, first = await two_windows(office, browsers)
    await first.get_by_label("Full name").press_sequentially("Vera", delay=20)
    await saved(first)
    second = await context.new_page()
    await deal.land(second)
    await Person(second).reads("This document is open in another window")
    await first.get_by_label("Full name").press_sequentially(" Vendor of Porto")
    await second.get_by_role("button", name="Open Here").click()
    taken_at = time.monotonic()
    await first.get_by_role("dialog", name=LOST).wait_for()
    assert time.monotonic() - taken_at < 1
    await first.get_by_text("opened in another window or browser").wait_for()
    await second.locator(FORM).wait_for()
    whole = "Vera Vendor of Porto"
    field = second.get_by_label("Full name")
    if await field.input_value() != whole:
        said = second.get_by_text("1 field was not taken over from your other window").first
        await said.wait_for()
        show = second.get_by_role("link", name="Show what was not taken over")
        if await show.is_visible():
            await show.click()
        await second.get_by_role("button", name="Use them").click()
        await second.wait_for_load_state()
    assert await second.get_by_label("Full name").input_value() == whole
    await first.get_by_role("link", name="Okay").click()
    await Person(first).sees("You may close this window")


async def test_cancel_leads_out_and_changes_nothing(office: Office, browsers: Browsers) -> None:
    """EX-11."""
    deal, context, first = await two_windows(office, browsers)
    second = await context.new_page()
    await deal.land(second)
    await second.get_by_role("link", name="Cancel").click()
    await Person(second).sees("You may close this window")
    await first.get_by_label("Full name").fill("Vera")
    await saved(first)
    assert not await first.get_by_role("dialog", name=LOST).count()


async def test_a_copied_tab_asks_for_a_place_of_its_own(office: Office, browsers: Browsers) -> None:
    """EX-9: the same address in two tabs is not one window."""
    _, context, first = await two_windows(office, browsers)
    copy = await context.new_page()
    await copy.goto(first.url)
    await copy.get_by_text("This document is open in another window").wait_for()


async def test_closing_reloading_and_coming_back_ask_nothing(
    office: Office, browsers: Browsers
) -> None:
    """SX-6, C16, SX-15: never a conflict with oneself; what was entered is there again."""
    deal, context, first = await two_windows(office, browsers)
    await first.get_by_label("Full name").fill("Vera")
    await first.reload()
    await first.locator(FORM).wait_for()
    await expect(first.get_by_label("Full name")).to_have_value("Vera")
    await first.wait_for_timeout(800)
    assert await first.locator(FORM).count()
    await first.close(run_before_unload=True)
    again = await context.new_page()
    person = await deal.land(again)
    await until(lambda: _gone(again), "the good-bye arrived", 5)
    await person.press("Continue")
    await again.locator(FORM).wait_for()
    assert await again.get_by_label("Full name").input_value() == "Vera"


async def test_going_back_asks_nothing(office: Office, browsers: Browsers) -> None:
    """SX-6, C16: the good-bye of a page may come after the next page was made."""
    _, _, page = await two_windows(office, browsers)
    for _ in range(2):
        await page.wait_for_function(HAS_SAID)
        await page.go_back()
        await Person(page).press("Continue")
        await page.locator(FORM).wait_for()


async def _gone(page: Page) -> bool:
    await page.reload()
    return not await page.get_by_text("open in another window").count()


async def test_a_new_version_stops_the_signer_and_shows_what_is_different(
    office: Office, browsers: Browsers
) -> None:
    """EX-19, EX-20, N7: told at once, looked at side by side, confirmed, and nothing typed lost."""
    deal, _, page = await two_windows(office, browsers)
    await page.get_by_label("Full name").press_sequentially("Vera")
    await deal.change(await paper_of(ONE, "Signatures. Other words."), price="120 EUR")
    changed_at = time.monotonic()
    await page.get_by_role("dialog", name="The document was changed").wait_for()
    assert time.monotonic() - changed_at < 1
    await page.get_by_role("button", name="See what is different").click()
    for said in ("100 EUR", "120 EUR"):
        await page.get_by_text(said).first.wait_for()
    pictures = page.locator(".change img")
    assert await pictures.count() == 2
    for at in range(2):
        await pictures.nth(at).scroll_into_view_if_needed()
        assert (
            await pictures.nth(at).evaluate("async e => (await e.decode(), e.naturalWidth)") > 900
        )
    for box in await page.get_by_role("checkbox", name="I have seen this change").all():
        await box.check()
    await page.get_by_role("button", name="Go on with this version").click()
    await page.locator(FORM).wait_for()
    assert await page.get_by_label("Full name").input_value() == "Vera"
    await Person(page).reads("120 EUR")


async def test_quit_in_one_tab_ends_the_others(office: Office, browsers: Browsers) -> None:
    """EX-12, EX-13: logged out is a reason of its own."""
    deal, context, first = await two_windows(office, browsers)
    second = await context.new_page()
    await deal.land(second)
    await second.get_by_role("button", name="Quit").click()
    await first.get_by_role("dialog", name=LOST).get_by_text("pressed Quit").wait_for()


async def test_on_a_phone_fields_are_below_their_page(office: Office, browsers: Browsers) -> None:
    """One input for each field, in reading order, as wide as the phone."""
    deal = await deal_in(office)
    context = await browsers.context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = await deal.open(context)
    person = Person(page)
    await person.sees("Supply agreement")
    paper = await page.locator('[data-page="1"] .sheet-paper').bounding_box()
    field = await page.locator("#field-name").bounding_box()
    assert paper is not None
    assert field is not None
    assert field["y"] > paper["y"] + paper["height"]
    assert field["width"] > 300


async def test_what_was_mended_is_not_said_to_be_wrong(office: Office, browsers: Browsers) -> None:
    """An error is of what was sent: it goes with the first letter that is typed into its field."""
    deal = await deal_in(office)
    page = await deal.open(await browsers.context())
    await page.get_by_label("I agree").check()
    await page.get_by_role("button", name="Sign", exact=True).click()
    place = page.locator("#place-name")
    await expect(place.locator(".error")).to_be_visible()
    await place.get_by_role("textbox").press_sequentially("V")
    await expect(place.locator(".error")).to_have_count(0)


async def test_turning_the_phone_keeps_the_ink(office: Office, browsers: Browsers) -> None:
    """The strokes are relative: another width draws the same points; undo and clear."""
    deal = await deal_in(office)
    context = await browsers.context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = await deal.open(context)
    await draw(page)
    before = await strokes(page)
    await page.locator("#field-signature").click()
    box = await page.locator("[data-pad-canvas]").bounding_box()
    await page.set_viewport_size({"width": 844, "height": 390})
    await page.wait_for_timeout(400)
    turned = await page.locator("[data-pad-canvas]").bounding_box()
    assert box is not None
    assert turned is not None
    assert turned["width"] != box["width"]
    ink = "e => e.getContext('2d').getImageData(0, 0, e.width, e.height).data.some(each => each)"
    assert await page.locator("[data-pad-canvas]").evaluate(ink)
    await page.get_by_role("button", name="Use this").click()
    assert await strokes(page) == before
    await takes_back(page, before)


async def takes_back(page: Page, before: list[Any]) -> None:
    """The last stroke, then all of them; nothing at all is no signature."""
    await page.locator("#field-signature").click()
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("button", name="Use this").click()
    assert await strokes(page) == before[:1]
    await page.locator("#field-signature").click()
    await page.get_by_role("button", name="Start over").click()
    await page.get_by_role("button", name="Use this").click()
    missing = page.get_by_text("Draw or type something first.")
    await missing.wait_for()
    await move_pen(page)
    await expect(missing).to_be_hidden()


async def test_by_the_keyboard_alone(office: Office, browsers: Browsers) -> None:
    """WCAG 2.1.1: typed instead of drawn, in the order in which it is read."""
    deal = await deal_in(office)
    context = await browsers.context(viewport=DESKTOP)
    page = await context.new_page()
    await deal.enter(page)
    person = Person(page, Keyboard())
    await person.press("Review and sign")
    await page.locator(FORM).wait_for()
    fields: Answers = {
        "1 Full name": "Vera Vendor",
        "2 Delivery day": "2026-12-24",
        "3 Terms read": True,
    }
    await person.hands.answer(page, fields)
    for name, text in (("^Initials", "VV"), ("^Signature", "Vera Vendor")):
        await person.press(re.compile(name))
        await page.get_by_role("dialog").wait_for()
        await person.press("Type")
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
    await page.get_by_text("Every field is filled in").wait_for()
    await person.hands.answer(page, {"I agree to be bound by this agreement.": True})
    await page.get_by_label("I agree").wait_for()
    await person.press(re.compile("^Sign$"))
    await page.get_by_role("heading", name="All done, thank you").wait_for()
    signed = (await deal.desk.now(deal.whole.row.id)).signers[0].values
    assert signed["signature"] == {"typed": "Vera Vendor"}


async def test_without_javascript(office: Office, browsers: Browsers) -> None:
    """Everything by forms: pages as pictures, a typed name, a fresh code, and the signature."""
    deal = await deal_in(office, step_up=True)
    context = await browsers.context(viewport=DESKTOP, java_script_enabled=False)
    page = await context.new_page()
    person = await deal.enter(page)
    await deal.pass_a_minute()
    await person.press("Review and sign")
    await page.locator("img").first.wait_for()
    await page.wait_for_load_state()
    sheet = await page.locator('[data-page="1"]').bounding_box()
    name = await page.locator("#place-name").bounding_box()
    assert sheet is not None
    assert name is not None
    assert abs((name["y"] - sheet["y"]) / sheet["height"] - 0.65) < 0.02
    await fill(page)
    await page.locator("#field-initials").fill("VV")
    await page.locator("#field-signature").fill("Vera Vendor")
    await person.press("Email me a code")
    code = await deal.mailed_code()
    await page.get_by_label("Code of 8 digits").fill(code)
    await person.press("Confirm the code")
    await person.reads("The code was right")
    assert await page.locator("#field-signature").input_value() == "Vera Vendor"
    await page.get_by_label("I agree").check()
    await person.press(re.compile("^Sign$"))
    await person.reads("All done, thank you")
    assert await is_signed(deal)
