"""The whole way of two signers: on a phone, stopped by a new version; what the next one reads."""

import re
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import BrowserContext, Page, expect

from commands.agreement import Whole
from commands.agreement_advance import advance_agreement
from tests.e2e.bureau import NARROW, TURNED, Bureau, shot
from tests.e2e.person import Browsers, Person, Thumb
from tests.e2e.signing import FIELDS, ONE, TWO, field
from tests.rooms.agreements import CONSENT
from tests.rooms.papers import paper_of

pytestmark = pytest.mark.timeout(120)

PHONE: dict[str, Any] = {"viewport": NARROW, "has_touch": True, "is_mobile": True}
BOTH = [
    *FIELDS,
    field("witness", "text", (2, 0.1, 0.3), signer=2, label="Witness"),
    field("second", "signature", (2, 0.1, 0.7), signer=2, label="Second signature", width=0.5),
]
FORM = "[data-signing-form]"


async def comes_in(bureau: Bureau, context: BrowserContext, session: UUID) -> Person:
    """A signer with a phone, in the viewer."""
    person = Person(await context.new_page(), Thumb())
    await bureau.to_viewer(person, session)
    return person


async def typed_mark(page: Page, name: str, text: str) -> None:
    """A signature or initials, typed."""
    await page.get_by_role("button", name=re.compile(f"^{name}")).tap()
    await page.get_by_role("button", name="Type").tap()
    await page.keyboard.type(text)
    await page.get_by_role("button", name="Use this").tap()


async def fills(page: Page) -> None:
    await page.get_by_label("Full name").fill("Vera Vendor")
    await page.get_by_label("Delivery day").fill("2026-12-24")
    await page.get_by_label("Terms read").tap()
    await page.set_viewport_size(TURNED)
    await typed_mark(page, "Initials", "VV")
    await page.get_by_role("button", name=re.compile("^Signature")).tap()
    paper = await page.locator("[data-pad-canvas]").bounding_box()
    assert paper is not None
    # One turns a phone to sign: there is more room for it then, and all of it is seen.
    assert paper["width"] > NARROW["width"]
    assert paper["y"] + paper["height"] < TURNED["height"]
    await shot(page, "path-turned", whole=False)
    await page.get_by_role("button", name="Cancel").tap()
    await page.set_viewport_size(NARROW)
    await typed_mark(page, "Signature", "Vera Vendor")
    await expect(page.get_by_text("Every field is filled in")).to_be_visible()
    await page.get_by_label("I agree to be bound").tap()


async def holds(page: Page) -> None:
    """All that was entered is there."""
    await expect(page.get_by_label("Full name")).to_have_value("Vera Vendor")
    await expect(page.get_by_label("Delivery day")).to_have_value("2026-12-24")
    await expect(page.get_by_label("Terms read")).to_be_checked()
    await expect(page.get_by_text("Every field is filled in")).to_be_visible()


async def test_two_signers_of_which_the_first_is_stopped_by_a_new_version(
    bureau: Bureau, browsers: Browsers
) -> None:
    """EX-1, EX-19, EX-20, N7, PS-10: refused though nothing told; confirmed anew; read later."""
    paper = await paper_of(ONE, TWO)
    whole = await bureau.desk.sent(
        "Vera Ltd", "Boris Inc", paper=paper, fields=BOTH, consent=CONSENT
    )
    context = await browsers.context(**PHONE)
    # What would tell the page of the change stays under way: it signs what it was shown.
    for news in ("**/events", "**/beat"):
        await context.route(news, lambda _: None)
    vera = await comes_in(bureau, context, await bureau.desk.session_of(whole))
    page = vera.page
    await fills(page)
    await expect(page.get_by_text("Saved just now")).to_be_visible()
    dearer = [each | ({"value": "120 EUR"} if each["key"] == "price" else {}) for each in BOTH]
    whole = await bureau.desk.change(whole, {"fields": dearer, "consent": f"{CONSENT} It is new."})
    await page.get_by_role("button", name="Sign", exact=True).tap()
    await expect(page.get_by_text("Nothing was signed.")).to_be_visible()
    await shot(page, "path-refused")
    await expect(page.locator("#error-summary")).to_be_focused()
    await context.unroute_all(behavior="ignoreErrors")
    await expect(page.get_by_text("120 EUR")).to_be_visible()
    for box in await page.get_by_role("checkbox", name="I have seen this change").all():
        await box.tap()
    await vera.press("Go on with this version")
    await page.locator(FORM).wait_for()
    await holds(page)
    # What is agreed to was changed: nobody has agreed to that yet.
    await expect(page.get_by_label("It is new.")).not_to_be_checked()
    await shot(page, "path-again")
    await page.get_by_label("It is new.").tap()
    await page.get_by_role("button", name="Sign", exact=True).tap()
    await vera.sees("All done, thank you")
    await shot(page, "path-thanks")
    await reads_what_came_before(bureau, browsers, whole)


async def reads_what_came_before(bureau: Bureau, browsers: Browsers, whole: Whole) -> None:
    """The second signer, who signs below what the first has entered."""
    async with bureau.house.transactions.work() as work:
        await advance_agreement(work, whole.row.id)
    session = await bureau.desk.session_of(whole, 2)
    boris = await comes_in(bureau, await browsers.context(**PHONE), session)
    page = boris.page
    before = page.get_by_role("region", name="Filled in and signed before you")
    for said in ("Vera Vendor", "2026-12-24", "Signed by Vera Ltd"):
        await expect(before.get_by_text(said).first).to_be_visible()
    await expect(page.locator("#filled-name")).to_contain_text("Vera Vendor")
    await page.get_by_label("Witness").fill("Boris")
    await typed_mark(page, "Second signature", "Boris")
    await page.get_by_label("It is new.").tap()
    await shot(page, "path-second")
    await page.get_by_role("button", name="Sign", exact=True).tap()
    await boris.sees("All done, thank you")
    now = await bureau.desk.now(whole.row.id)
    assert {each.signed_version for each in now.signers} == {2}
    assert now.signers[0].values["name"] == "Vera Vendor"
