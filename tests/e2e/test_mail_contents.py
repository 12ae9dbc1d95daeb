"""An administrator writes a mail in a browser, and it is the mail that arrives (SH-16, SH-17)."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.house import Office, until
from tests.e2e.person import Browsers, Keyboard, Person
from tests.rooms.member_browser import PASSWORD

pytestmark = pytest.mark.timeout(120)

PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
TITLE = "Email Content"
OPENED = "Invitation"
SUBJECT = "Please begin: {{ session_title }}"


async def administrator(office: Office, browsers: Browsers, **options: Any) -> Person:
    """Anna, invited by mail, at the list of mails."""
    who = office.address("anna")
    await office.post("members", {"email": who, "name": "Anna Berg", "role": "admin"})
    mail = await office.mail("anna", "Account Activation")
    link = re.search(r"https?://\S+/links/\S+", mail.text)
    assert link
    person = await browsers.person(**options)
    await person.open(link[0])
    await person.page.get_by_label("New password").fill(PASSWORD)
    await person.press("Activate the account")
    await person.open(f"{office.house.url}/console/{office.name}")
    await person.page.get_by_label("Email address").fill(who)
    await person.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await person.press("Sign in")
    await person.press(TITLE, "link")
    await person.sees(TITLE)
    return person


async def edit_invitation(person: Person) -> None:
    """From the list to the form."""
    await person.press("Invitation: English", "link")
    await person.sees(OPENED)
    await person.press("Edit", "link")
    await person.sees("Edit: Invitation, English")


async def blocked(browsers: Browsers, what: str) -> bool:
    return any(each.startswith(what) for each in browsers.complaints)


async def shot(page: Page, to: Path) -> None:
    await page.screenshot(path=to, full_page=True)


@pytest.mark.parametrize("options", [PHONE, WIDE], ids=["phone", "desk"])
async def test_the_next_mail_has_what_was_written_until_it_is_reset(
    office: Office, browsers: Browsers, tmp_path: Path, options: dict[str, int]
) -> None:
    # SH-16, SH-17: without scripts; the browser complains of no style that its policy refuses
    person = await administrator(office, browsers, viewport=options, java_script_enabled=False)
    page, subject = person.page, person.page.get_by_label("Subject")
    await shot(page, tmp_path / "1-list.png")
    await edit_invitation(person)
    await subject.fill("{{ first_name }}, please begin")
    await person.press("Save")
    await person.reads("There is no variable {{ first_name }} here. There are: workspace_name")
    await expect(subject).to_have_value("{{ first_name }}, please begin")
    await shot(page, tmp_path / "2-fault.png")
    await subject.fill(SUBJECT)
    await person.press("Preview")
    await person.reads("Please begin: Due diligence")
    framed = page.frame_locator("iframe[title='The mail as HTML']")
    await expect(framed.get_by_text("Hello Vera Example,")).to_be_visible()
    await shot(page, tmp_path / "3-preview.png")
    await person.press("Save")
    await person.reads("Saved. The next mail has this text.")
    await expect(framed.get_by_text("Hello Vera Example,")).to_be_visible()
    # Browsers paint a frame that is out of sight when it comes into sight.
    await page.locator("iframe").scroll_into_view_if_needed()
    await shot(page, tmp_path / "4-saved.png")
    await office.vendor("vera")
    assert (await office.mail("vera", "Please begin")).subject == "Please begin: Vendor intake"
    await person.press("Reset to Default", "link")
    await person.reads(SUBJECT)
    await shot(page, tmp_path / "5-reset.png")
    await person.press("Reset to Default")
    await person.reads("Reset to the default. The next mail has this text.")
    await office.vendor("walter")
    arrived = await office.mail("walter", "Vendor intake")
    assert arrived.subject == f"Vendor intake for Northfield {office.name}"


async def test_the_mail_in_its_frame_looks_as_in_a_mailbox_and_leads_nowhere(
    office: Office, browsers: Browsers, tmp_path: Path
) -> None:
    # SH-16: with the page's strict policy; its styles count, its link opens nothing
    person = await administrator(office, browsers, viewport=WIDE, color_scheme="dark")
    await person.press("Invitation: German", "link")
    await person.sees(OPENED)
    frame = person.page.frame_locator("iframe")
    button = frame.get_by_role("link").first
    assert await button.evaluate("each => getComputedStyle(each).borderRadius") == "8px"
    await shot(person.page, tmp_path / "dark.png")
    pages = len(person.page.context.pages)
    await button.click()
    await until(partial(blocked, browsers, "Blocked opening"), "the new window is blocked")
    # What playwright itself asks of the frame is refused there, too.
    assert all(each.startswith("Blocked ") for each in browsers.complaints)
    browsers.complaints.clear()
    await person.sees(OPENED)
    assert len(person.page.context.pages) == pages


async def test_it_is_written_with_the_keyboard_alone(office: Office, browsers: Browsers) -> None:
    # WCAG 2.1.1
    person = await administrator(office, browsers, viewport=WIDE)
    person.hands = Keyboard()
    await edit_invitation(person)
    await person.hands.answer(person.page, {"Subject": "Begin with {{ workspace_name }}"})
    await person.press("Preview")
    await person.reads(f"Begin with Northfield {office.name}")
    await person.press("Save")
    await person.reads("Saved. The next mail has this text.")
