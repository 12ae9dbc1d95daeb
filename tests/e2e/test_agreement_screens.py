"""The screens around an agreement at 390 and 1280 px: what is on them fits, and is not hidden."""

from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize, expect

from commands.agreement import cancel_agreement
from commands.agreement_advance import note_blocked
from commands.mail import note_bounce, note_sent
from commands.public_session import decline
from domain.actor import Actor, ActorKind
from store.public_session import session_by_id
from tests.e2e.bureau import NARROW, TURNED, WIDE, Bureau, good, shot
from tests.e2e.person import Browsers
from tests.e2e.signing import FIELDS, ONE, TWO
from tests.rooms.papers import paper_of

pytestmark = pytest.mark.timeout(120)

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["phone", "desk"])
UNBROKEN = f"See https://price.example/{'clause/' * 20}"
ONE_WORD = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis"
"""As long a word as an address may begin with."""
TARGETS = """() => [...document.querySelectorAll("main .button, main summary")]
  .map((each) => [each.innerText, each.getBoundingClientRect()])
  .filter(([, box]) => box.height && (box.height < 44 || box.right > innerWidth))
  .map(([words]) => words)"""
HIDDEN = """() => {
  const edge = (name) => document.querySelector(name).getBoundingClientRect();
  const within = "main form :is(a, button, input):not([type=hidden], [tabindex='-1'])";
  const hidden = [];
  for (const each of document.querySelectorAll(within)) {
    if (!each.checkVisibility() || each.closest("[data-bar]")) continue;
    const begins = () => each.getBoundingClientRect().top - Math.max(0, edge(".top").bottom);
    const ends = () => edge("[data-bar]").top - each.getBoundingClientRect().bottom;
    for (const way of [() => begins() + 8, () => -ends() - 8]) {
      document.activeElement.blur();
      scrollBy({top: way(), behavior: "instant"});
      each.focus();
      if (begins() < 0 || ends() < 0) hidden.push([each.id, begins(), ends()]);
    }
  }
  return hidden;
}"""
"""What gets the focus from half behind a bar and stays there."""

COVERED = """() => {
  const high = (name) => document.querySelector(name).getBoundingClientRect();
  return Math.max(0, high(".top").bottom) + high("[data-bar]").height;
}"""
"""How much of the window's height stays in place where the page is scrolled."""


@SIZES
async def test_every_signer_s_state_fits(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """EX-23, WCAG 1.4.10, 2.5.5: an endless word of a reason breaks; targets are 44 px high."""
    whole = await bureau.desk.sent("Vera Ltd", "Walt Ltd", "Xaver Ltd", ordered=False)
    declined, bounced, _ = [await bureau.desk.session_of(whole, at) for at in (1, 2, 3)]
    async with bureau.house.transactions.work() as work:
        row = await session_by_id(work.db, declined, lock=True)
        assert row is not None
        await decline(work, row, UNBROKEN, Actor(ActorKind.PARTY, str(row.party_id)))
    mail = (await bureau.house.mails(bounced))[-1]
    async with bureau.house.transactions.work() as work:
        await note_sent(work, mail.id)
        await note_bounce(work, mail.id, f"550 {'x' * 100}")
    page = await bureau.sign_in(await browsers.context(viewport=size))
    at = f"{bureau.url}{bureau.base}/agreements/{whole.row.id}"
    ways = ("", "/signers/1/reissue", "/signers/2/resend", "/signers/2/extend")
    for each in (*ways, "/signers/2/correct-address"):
        await page.goto(at + each)
        await good(page)
        assert await page.evaluate(TARGETS) == [], each
        await shot(page, f"{size['width']}-signers{each.replace('/', '-')}")
    await page.goto(f"{at}/signers/2/extend")
    await page.get_by_label("Until the end of").evaluate("each => { each.required = false; }")
    await page.get_by_role("button", name="Give more time").click()
    await expect(page.get_by_text("Choose a day from 16 Mar 2026 to")).to_be_visible()
    await expect(page.get_by_label("Until the end of")).to_be_focused()


async def test_who_cannot_be_asked_is_said_where_the_signers_are(
    bureau: Bureau, browsers: Browsers
) -> None:
    """N3: it is no matter of the seal, and trying again helps nobody who was erased."""
    whole = await bureau.desk.sent("Vera Ltd", "Walt Ltd")
    page = await bureau.sign_in(await browsers.context(viewport=NARROW))
    for cause, said in (("Erased", 0), ("NoSigningCertificate", 1)):
        async with bureau.house.transactions.work() as work:
            await note_blocked(work, whole.row.id, cause)
        await page.goto(f"{bureau.url}{bureau.base}/agreements/{whole.row.id}")
        await expect(page.get_by_text("Whoever is next cannot be asked to sign.")).to_be_visible()
        assert await page.get_by_text("It is tried again.").count() == said
        assert not await page.get_by_role("heading", name="Seal").count()
        await good(page)
        await shot(page, f"blocked-{cause}")


async def test_nobody_to_sign_is_nothing_to_send(bureau: Bureau, browsers: Browsers) -> None:
    await bureau.desk.certify()
    empty = await bureau.desk.draft()
    page = await bureau.sign_in(await browsers.context(viewport=NARROW))
    await page.goto(f"{bureau.url}{bureau.base}/agreements/{empty.row.id}/send")
    await expect(page.get_by_text("nobody is to sign yet")).to_be_visible()
    assert not await page.get_by_role("button", name="Send").count()
    assert not await page.get_by_text("When all have signed").count()


@pytest.mark.parametrize("size", [NARROW, WIDE, TURNED], ids=["phone", "desk", "turned"])
async def test_what_has_the_focus_is_never_behind_a_bar(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """WCAG 2.4.11: the header and the bar with the next field stay in place."""
    page = (await bureau.viewer(browsers, viewport=size)).person.page
    await expect(page.locator("[data-bar]")).to_be_visible()
    assert await page.evaluate(HIDDEN) == []
    # Of a phone that is turned most is the document's.
    covered = await page.evaluate(COVERED)
    assert covered < size["height"] / 4, covered


@SIZES
async def test_a_name_that_is_one_endless_word_fits_a_signer_s_pages(
    bureau: Bureau, browsers: Browsers, size: ViewportSize
) -> None:
    """WCAG 1.4.10: of the party, the document, a field; "Next field" is within the window."""
    named = [each | {"label": f"{each['label']} {ONE_WORD}"} for each in FIELDS]
    more: dict[str, Any] = {"title": ONE_WORD, "fields": named, "consent": ONE_WORD}
    paper = await paper_of(ONE, TWO)
    whole = await bureau.desk.sent(ONE_WORD, paper=paper, message=ONE_WORD, **more)
    session = await bureau.desk.session_of(whole)
    person = await browsers.person(viewport=size)
    await bureau.to_viewer(person, session)
    page, room = person.page, f"{bureau.url}/sessions/{session}"
    await good(page)
    await shot(page, f"{size['width']}-endless-viewer")
    bar = await page.locator("[data-bar] .button").bounding_box()
    assert bar is not None
    assert bar["x"] + bar["width"] <= size["width"]
    await bureau.desk.change(whole, {"title": f"{ONE_WORD}s"})
    await page.get_by_role("button", name="See what is different").click()
    await page.get_by_role("heading", name="What is different now").wait_for()
    await good(page)
    for each in ("", "/tasks/sign", "/decline"):
        await page.goto(room + each)
        await good(page)
        await shot(page, f"{size['width']}-endless{each.replace('/', '-')}")
    await page.goto(room)
    await person.press("Quit")
    await expect(page.get_by_role("button", name="Quit")).to_have_count(0)
    await good(page)


async def test_a_change_is_not_escaped_and_both_versions_can_be_read(
    bureau: Bureau, browsers: Browsers
) -> None:
    """EX-19, N7: however often Escape is pressed; each version's text is a link away."""
    viewer = await bureau.viewer(browsers, viewport=NARROW)
    page, whole = viewer.person.page, viewer.whole
    await page.get_by_label("Full name").fill("Vera Vendor")
    other = {"kind": "date", "required": False, "x": 0.15, "label": f"Full name {UNBROKEN}"[:120]}
    fields = [each | (other if each["key"] == "name" else {}) for each in FIELDS]
    changed = {"title": "Second", "fields": fields}
    await bureau.desk.change(whole, changed, await paper_of(ONE, "Other words."))
    dialog = page.get_by_role("dialog", name="The document was changed")
    await dialog.wait_for()
    for _ in range(3):
        await page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()
    await page.get_by_role("button", name="See what is different").click()
    for version in (1, 2):
        link = page.get_by_role("link", name=f"Version {version} (PDF)")
        answer = await page.request.get(await at_link(page, link))
        assert answer.headers["content-type"] == "application/pdf"
    now = page.get_by_text(f"Date “{other['label']}”, optional", exact=True)
    await expect(now).to_be_visible()
    await good(page)
    await shot(page, "changes")


async def at_link(page: Page, link: Any) -> str:
    """The whole address of a link."""
    return str(await link.evaluate("each => each.href"))


async def test_the_last_field_leads_to_the_end(bureau: Bureau, browsers: Browsers) -> None:
    page = (await bureau.viewer(browsers, viewport=NARROW)).person.page
    for label, value in (("Full name", "Vera"), ("Delivery day", "2026-12-24")):
        await page.get_by_label(label).fill(value)
    await page.get_by_label("Terms read").check()
    for name in ("Initials", "Signature"):
        await page.get_by_role("button", name=name).click()
        await page.get_by_role("button", name="Type").click()
        await page.keyboard.type("VV")
        await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Go to the end").click()
    await expect(page.get_by_label("I agree to be bound")).to_be_focused()


async def test_a_document_that_was_cancelled_asks_nobody_to_do_it(
    bureau: Bureau, browsers: Browsers
) -> None:
    """EX-23."""
    viewer = await bureau.viewer(browsers, viewport=NARROW)
    page = viewer.person.page
    async with bureau.house.transactions.work() as work:
        await cancel_agreement(work, bureau.desk.target(viewer.whole.row.id), "terms changed")
    cancelled = "This document has been cancelled"
    notice = page.get_by_role("dialog", name=cancelled)
    await expect(notice).to_contain_text("has cancelled it. Nothing more can be entered or signed")
    await shot(page, "cancelled-live")
    # In a window of its own: the one that is open goes where the notice leads.
    page = await page.context.new_page()
    await page.goto(f"{bureau.url}/s/{await bureau.house.link(viewer.session)}")
    await expect(page.get_by_role("heading", name=cancelled)).to_be_visible()
    await expect(page.get_by_role("heading", name="A question about this?")).to_be_visible()
    assert not await page.get_by_text("Still want to do it?").count()
