"""Names and titles of one endless word: no page of the console is wider than the window."""

from uuid import UUID

import pytest
from playwright.async_api import Page, ViewportSize, expect

from domain.member import Role
from tests.e2e.bureau import NARROW, WIDE, Bureau, good, shot
from tests.e2e.person import Browsers
from tests.e2e.test_members import SLOW
from tests.rooms.member_browser import make_member

pytestmark = pytest.mark.timeout(120)

NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunte"
TITLE = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3
WAYS = ("open", "resend", "extend", "correct-address")
ZOE = "zoe@office.example"
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])


async def long_draft(bureau: Bureau) -> UUID:
    """A draft with such a title, for a party of such a name, with a message of such a word."""
    party = (
        await bureau.house.create(kind="signer", name=NAME, email=f"{'x' * 60}@signer.example")
    ).party
    return (await bureau.desk.draft(party.id, title=TITLE, message=TITLE)).row.id


async def fits(page: Page, size: ViewportSize, at: str, name: str) -> None:
    """The page at an address, with nothing of it out of its place."""
    await page.goto(at)
    await good(page)
    await shot(page, f"{size['width']}-long-{name}")


@SIZES
async def test_pages_around_a_draft_and_its_editor_fit(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """WCAG 1.4.10."""
    path = f"{bureau.url}{bureau.base}/agreements/{await long_draft(bureau)}"
    page = await bureau.sign_in(await browsers.context(viewport=size))
    await fits(page, size, f"{bureau.url}{bureau.base}/agreements", "list")
    await fits(page, size, f"{bureau.url}{bureau.base}/agreements/new", "new")
    for each in ("", "/send", "/cancel", "/erase"):
        await fits(page, size, path + each, each.strip("/") or "agreement")
    await page.goto(path)
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(page.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    for field in await page.locator("[data-list] > details > summary").all():
        await field.click()
    await good(page)
    await shot(page, f"{size['width']}-long-editor")
    await page.get_by_label("Title", exact=True).fill("")
    await page.get_by_label("Title", exact=True).evaluate("each => { each.required = false; }")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible(timeout=SLOW)
    await good(page)
    await page.get_by_role("link", name="Replace the document").click()
    await expect(page.get_by_role("heading", name="Replace the document")).to_be_visible()
    await good(page)


@SIZES
async def test_pages_around_what_was_sent_fit(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """WCAG 1.4.10."""
    agreement_id = await long_draft(bureau)
    await bureau.desk.certify()
    await bureau.desk.send(await bureau.desk.now(agreement_id))
    path = f"{bureau.url}{bureau.base}/agreements/{agreement_id}"
    page = await bureau.sign_in(await browsers.context(viewport=size))
    for each in ("", "/cancel", *(f"/signers/1/{way}" for way in WAYS)):
        await fits(page, size, path + each, each.rpartition("/")[2] or "sent")


@SIZES
async def test_who_is_in_it_and_what_was_left_fit(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    path = f"{bureau.url}{bureau.base}/agreements/{await long_draft(bureau)}"
    await make_member(bureau.house, ZOE, NAME, Role.PUBLISHER)
    zoe = await bureau.sign_in(await browsers.context(viewport=size), ZOE)
    anna = await bureau.sign_in(await browsers.context(viewport=size))
    await zoe.goto(path)
    await zoe.get_by_role("button", name="Edit", exact=True).click()
    await expect(zoe.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    await zoe.get_by_label("Message in the mail").fill(NAME * 3)
    await fits(anna, size, path, "in-it")
    await anna.get_by_role("button", name="Edit", exact=True).click()
    await expect(anna.get_by_role("alertdialog", name=f"{NAME} is in")).to_be_visible()
    await good(anna)
    await anna.get_by_role("button", name="Edit Anyway").click()
    lost = zoe.get_by_role("alertdialog", name="Warning: Session Timeout")
    await expect(lost).to_contain_text("is kept apart", timeout=SLOW)
    await expect(anna.get_by_role("heading", name="Edit the draft")).to_be_visible(timeout=SLOW)
    await anna.reload()
    await expect(anna.get_by_text(f"Changes of {NAME}")).to_be_visible()
    await good(anna)
    await shot(anna, f"{size['width']}-long-left")
