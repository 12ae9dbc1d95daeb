"""Every dialog of the signing window, in real windows, on a phone and a desk, by keyboard alone.

EX-9 to EX-13, EX-19, EX-23, C16, C18, N8. The clock is the house's: nobody waits for silence.
"""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Request, ViewportSize, expect

from commands.public_session import Target, correct_address, revoke
from store.signing_session import SigningSessionRow, signing_sessions_of
from tests.e2e.bureau import NARROW, WIDE, Bureau, Viewer, open_bureau, shot
from tests.e2e.house import until
from tests.e2e.person import Browsers, Keyboard
from tests.rooms.house import ANNA

pytestmark = pytest.mark.timeout(120)

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])
LOST, HERE, CHANGED = "Warning: Session Timeout", "Are you still here?", "The document was changed"
SLOW = 15_000
ALIVE = 5
"""Seconds for which a window that is not heard of counts as open; it tells twice as often."""
HIDE = """() => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
  delete document.hidden;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
HOLD_BACK = """() => {
  globalThis.held = (event) => {
    if (event.detail.event !== "ended") return;
    event.stopImmediatePropagation();
    event.preventDefault();
  };
  globalThis.addEventListener("gatepass:live", globalThis.held, {capture: true});
}"""
LET_GO = """() => {
  globalThis.removeEventListener("gatepass:live", globalThis.held, {capture: true});
  const detail = {event: "ended", reason: "link_renewed"};
  document.dispatchEvent(new CustomEvent("gatepass:live", {detail, cancelable: true}));
}"""
DRAW_STROKE = 8


@pytest_asyncio.fixture
async def bureau(database_url: str) -> AsyncIterator[Bureau]:
    """One whose windows tell every few seconds that they are open."""
    async with open_bureau(database_url, window_alive=timedelta(seconds=ALIVE)) as opened:
        yield opened


async def at_work(bureau: Bureau, browsers: Browsers, size: ViewportSize) -> Viewer:
    """Somebody with the document open who from now on has a keyboard and nothing else."""
    viewer = await bureau.viewer(browsers, viewport=size)
    viewer.person.hands = Keyboard()
    return viewer


async def another_window(viewer: Viewer) -> Page:
    """The document once more in the same browser: a second one, which is asked."""
    page = await viewer.person.page.context.new_page()
    await page.goto(viewer.task)
    return page


async def unescaped(dialog: Locator, answer: Locator) -> None:
    """The dialog stays however often Escape is pressed, and the focus is on its answer."""
    await dialog.wait_for()
    await expect(answer).to_be_focused()
    for _ in range(3):
        await dialog.page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()
    await expect(answer).to_be_focused()


async def is_lost(page: Page, words: str | re.Pattern[str], name: str) -> None:
    """The window says that it is lost, and why; Okay leads out."""
    dialog = page.get_by_role("dialog", name=LOST)
    okay = dialog.get_by_role("link", name="Okay")
    await expect(dialog).to_contain_text(words, timeout=SLOW)
    await unescaped(dialog, okay)
    await shot(page, name, whole=False)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("You may close this window")


async def is_asked(bureau: Bureau, page: Page) -> Locator:
    """After five minutes of silence: whether somebody is still there, the answer focused."""
    # What was done before the silence was told.
    async with page.expect_request(_is_silent):
        pass
    bureau.house.clock.turn(minutes=5, seconds=5)
    question = page.get_by_role("alertdialog", name=HERE)
    await question.wait_for(timeout=SLOW)
    await expect(question).to_contain_text(re.compile(r"0:\d\d left"))
    await expect(page.get_by_role("button", name="I'm still here")).to_be_focused()
    return question


def _is_silent(request: Request) -> bool:
    return request.url.endswith("/beat") and "active" not in (request.post_data or "")


async def row_of(bureau: Bureau, viewer: Viewer) -> SigningSessionRow:
    """The window's row as it is now."""
    async with bureau.house.transactions.work() as work:
        (row,) = await signing_sessions_of(work.db, viewer.session)
    return row


def target_of(bureau: Bureau, viewer: Viewer) -> Target:
    """The signer's public session, as Anna acts on it."""
    return Target(viewer.session, bureau.house.workspace_id, ANNA)


@SIZES
async def test_open_here_and_lost(bureau: Bureau, browsers: Browsers, size: ViewportSize) -> None:
    """EX-9, EX-10, EX-12, EX-13: Tab between both ways, Enter; the loser is led out."""
    viewer = await at_work(bureau, browsers, size)
    first = viewer.person.page
    await viewer.person.hands.answer(first, {"1 Full name": "Vera Vendor"})
    await first.get_by_text("Saved just now").wait_for()
    second = await another_window(viewer)
    here = second.get_by_role("button", name="Open Here")
    await expect(here).to_be_focused()
    await shot(second, f"{size['width']}-held", whole=False)
    await second.keyboard.press("Tab")
    await expect(second.get_by_role("link", name="Cancel")).to_be_focused()
    await second.keyboard.press("Shift+Tab")
    await expect(here).to_be_focused()
    await second.keyboard.press("Enter")
    await expect(second.get_by_label("Full name")).to_have_value("Vera Vendor", timeout=SLOW)
    await is_lost(first, "opened in another window or browser", f"{size['width']}-lost")


@SIZES
async def test_cancel(bureau: Bureau, browsers: Browsers, size: ViewportSize) -> None:
    """EX-11: the way out, and the first window goes on as if nothing had been asked."""
    viewer = await at_work(bureau, browsers, size)
    first = viewer.person.page
    second = await another_window(viewer)
    await expect(second.get_by_role("button", name="Open Here")).to_be_focused()
    await second.keyboard.press("Tab")
    await second.keyboard.press("Enter")
    await expect(second.get_by_role("heading", level=1)).to_contain_text("You may close")
    await viewer.person.hands.answer(first, {"1 Full name": "Vera"})
    await first.get_by_text("Saved just now").wait_for()
    await expect(first.get_by_role("dialog")).to_have_count(0)


@SIZES
async def test_still_here_leaves_a_typed_signature_as_it_was(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """C18, WCAG 2.2.1: asked over the pad, answered with Enter, and typing goes on where it was."""
    viewer = await at_work(bureau, browsers, size)
    page, person = viewer.person.page, viewer.person
    await person.press(re.compile("^Signature"))
    pad = page.get_by_role("dialog", name="Signature")
    await pad.wait_for()
    await person.press("Type")
    await page.keyboard.type("Vera ")
    question = await is_asked(bureau, page)
    await shot(page, f"{size['width']}-idle-pad", whole=False)
    await page.keyboard.press("Enter")
    await expect(question).to_be_hidden()
    await expect(pad).to_be_visible()
    await page.keyboard.type("Vendor")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Signature Vera Vendor")).to_be_focused()
    assert (await row_of(bureau, viewer)).active_at == bureau.house.clock.now


async def test_still_here_leaves_a_drawn_signature_as_it_was(
    bureau: Bureau, browsers: Browsers
) -> None:
    """C18: what was drawn and not taken over yet is there again, and can be taken over."""
    viewer = await bureau.viewer(browsers, viewport=NARROW)
    page = viewer.person.page
    await page.get_by_role("button", name=re.compile("^Signature")).click()
    box = await page.locator("[data-pad-canvas]").bounding_box()
    assert box is not None
    for lift in (0.3, 0.6):
        await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * lift)
        await page.mouse.down()
        for step in range(1, DRAW_STROKE):
            along = box["x"] + box["width"] * (0.2 + step * 0.06)
            await page.mouse.move(along, box["y"] + box["height"] * (lift + step % 2 * 0.1))
        await page.mouse.up()
    question = await is_asked(bureau, page)
    await page.get_by_role("button", name="I'm still here").click()
    await expect(question).to_be_hidden()
    await page.get_by_role("button", name="Use this").click()
    drawn = await page.locator('[name="drawn:signature"]').input_value()
    assert drawn.count("[[") == 2, drawn


@SIZES
async def test_silence_ends_the_window(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """EX-12, C18: nobody answers for a minute; the reason is the true one."""
    viewer = await at_work(bureau, browsers, size)
    page = viewer.person.page
    question = await is_asked(bureau, page)
    await shot(page, f"{size['width']}-idle", whole=False)
    bureau.house.clock.turn(minutes=1)
    await expect(question).to_be_hidden()
    await is_lost(page, "Nothing happened here for a while", f"{size['width']}-inactive")


@SIZES
async def test_who_reads_what_was_changed_is_warned_as_well(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """EX-19, WCAG 2.2.1: over the forced notice, which is there again when the answer was given."""
    viewer = await at_work(bureau, browsers, size)
    page = viewer.person.page
    await viewer.person.hands.answer(page, {"1 Full name": "Vera Vendor"})
    await page.get_by_text("Saved just now").wait_for()
    await bureau.desk.change(viewer.whole, {"consent": "I agree to everything."})
    changed = page.get_by_role("dialog", name=CHANGED)
    look = page.get_by_role("button", name="See what is different")
    await unescaped(changed, look)
    await shot(page, f"{size['width']}-stale", whole=False)
    question = await is_asked(bureau, page)
    await shot(page, f"{size['width']}-stale-idle", whole=False)
    await page.keyboard.press("Enter")
    await expect(question).to_be_hidden()
    await expect(look).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Go on with this version").wait_for()


async def test_the_question_stays_over_what_comes_after_it(
    bureau: Bureau, browsers: Browsers
) -> None:
    viewer = await at_work(bureau, browsers, WIDE)
    page = viewer.person.page
    question = await is_asked(bureau, page)
    await bureau.desk.change(viewer.whole, {"consent": "I agree to everything."})
    await page.locator("[data-stale-dialog][open]").wait_for()
    await expect(page.get_by_role("button", name="I'm still here")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(question).to_be_hidden()
    await expect(page.get_by_role("button", name="See what is different")).to_be_focused()


async def test_a_hidden_window_is_open_and_not_active(bureau: Bureau, browsers: Browsers) -> None:
    """EX-9, C16, SX-3: a second tab hides the first, which goes on telling that it is there."""
    viewer = await bureau.viewer(browsers, viewport=WIDE)
    first = viewer.person.page
    await first.get_by_label("Full name").fill("Vera")
    await first.get_by_text("Saved just now").wait_for()
    async with first.expect_response(re.compile("/beat$")):
        await first.evaluate(HIDE)
    active_at = (await row_of(bureau, viewer)).active_at
    bureau.house.clock.turn(seconds=4 * ALIVE)

    async def is_heard() -> bool:
        return (await row_of(bureau, viewer)).heard_at == bureau.house.clock.now

    await until(is_heard, "the hidden window tells that it is open", 4 * ALIVE)
    assert (await row_of(bureau, viewer)).active_at == active_at
    second = await another_window(viewer)
    await second.get_by_role("button", name="Open Here").click()
    await second.locator("[data-signing-form]").wait_for()
    await first.evaluate(SHOW)
    await first.get_by_role("dialog", name=LOST).wait_for()


async def test_a_link_that_was_replaced_is_no_way_back(bureau: Bureau, browsers: Browsers) -> None:
    """C14, EX-12: the address was corrected while the document was open."""
    viewer = await at_work(bureau, browsers, NARROW)
    page = viewer.person.page
    async with bureau.house.transactions.work() as work:
        await correct_address(work, target_of(bureau, viewer), "vera@right.example")
    dialog = page.get_by_role("dialog", name=LOST)
    await expect(dialog).to_contain_text("The address on file was corrected", timeout=SLOW)
    await expect(dialog.get_by_text("To come back")).to_be_hidden()
    await is_lost(page, "opens nothing any more", "link-renewed")


async def test_a_save_refused_before_the_news_waits_for_the_true_reason(
    bureau: Bureau, browsers: Browsers
) -> None:
    """EX-12: whoever is out is a stranger to the next request, and hears why a moment later."""
    viewer = await bureau.viewer(browsers, viewport=NARROW)
    page = viewer.person.page
    # The connection's own news would be there first, or not: here they come after the refusal.
    await page.evaluate(HOLD_BACK)
    async with bureau.house.transactions.work() as work:
        await correct_address(work, target_of(bureau, viewer), "vera@right.example")
    async with page.expect_response(lambda answer: answer.status == 404):
        await page.get_by_label("Full name").fill("Vera")
    await page.evaluate(LET_GO)
    dialog = page.get_by_role("dialog", name=LOST)
    await expect(dialog).to_contain_text("The address on file was corrected", timeout=SLOW)


async def test_what_was_typed_can_be_copied_after_the_end(
    bureau: Bureau, browsers: Browsers
) -> None:
    """PS-30, N8: the notice stands, saved or not; nothing is saved and no page is left after it."""
    viewer = await at_work(bureau, browsers, NARROW)
    page, person = viewer.person.page, viewer.person
    await person.hands.answer(page, {"1 Full name": "Vera Vendor"})
    await page.get_by_text("Saved just now").wait_for()
    # Saved or not: it was never sent.
    await page.reload()
    field = page.get_by_label("Full name")
    await expect(field).to_have_value("Vera Vendor")
    asked_for: list[str] = []
    async with bureau.house.transactions.work() as work:
        await revoke(work, target_of(bureau, viewer), "We chose another vendor.")
    notice = page.get_by_role("dialog", name=re.compile("has withdrawn this$"))
    await notice.wait_for(timeout=SLOW)
    page.on("request", lambda request: asked_for.append(request.url))
    await expect(notice).to_contain_text("You can still copy it")
    await shot(page, "ended-live", whole=False)
    await person.press("Let me copy it first")
    await expect(notice).to_be_hidden()
    await field.press("End")
    await field.press_sequentially(" of Porto")
    await page.wait_for_timeout(2_000)
    await expect(field).to_have_value("Vera Vendor of Porto")
    assert not [each for each in asked_for if "/tasks/" in each]


async def test_a_refusal_that_comes_before_the_news_leaves_no_page(
    bureau: Bureau, browsers: Browsers
) -> None:
    """N8: the first to say that it is over may be a save, where the live connection is broken."""
    viewer = await bureau.viewer(browsers, viewport=NARROW)
    page = viewer.person.page
    nothing = {"status": 404, "headers": {"content-security-policy": "default-src 'none'"}}
    await page.context.route("**/events", lambda route: route.fulfill(**nothing))
    again = await page.context.new_page()
    await page.close(run_before_unload=True)
    await again.goto(viewer.task)
    if await again.get_by_role("button", name="Open Here").count():
        await again.get_by_role("button", name="Open Here").click()
    else:
        await again.get_by_role("button", name="Continue").click()
    field = again.get_by_label("Full name")
    await field.fill("Vera")
    async with bureau.house.transactions.work() as work:
        await revoke(work, target_of(bureau, viewer), "We chose another vendor.")
    await field.press("End")
    await field.press_sequentially(" Vendor")
    notice = again.get_by_role("dialog", name="This has ended")
    await notice.wait_for(timeout=SLOW)
    await again.get_by_role("button", name="Let me copy it first").click()
    await expect(field).to_have_value("Vera Vendor")
