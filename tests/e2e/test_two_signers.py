"""Two people sign one after the other, each in a browser, and both get the sealed document."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from io import BytesIO
from uuid import UUID

import pytest
from pikepdf import Pdf

from adapters.pdf_seal_check import validate
from tests.e2e.house import Office, until
from tests.e2e.person import Browsers, Person
from tests.e2e.signer import sent_agreement, session_of

pytestmark = pytest.mark.timeout(180)


async def test_two_signers_in_order_end_to_end(office: Office, browsers: Browsers) -> None:
    """PS-43, EX-14, EX-23, SX-8: by the link and the code in each one's mail, to the seal."""
    made = await office.post("signing-certificate", {})
    agreement = await sent_agreement(office, "vera", "boris")
    for position, who in enumerate(("vera", "boris"), 1):

        async def asked(at: int = position) -> UUID | None:
            return await session_of(office, agreement["id"], at)

        await until(asked, f"{who} is asked", 30)
        person = await browsers.person()
        await sign(office, person, who, position)

    async def is_done() -> bool:
        return bool((await office.get(f"agreements/{agreement['id']}"))["state"] == "done")

    await until(is_done, "it is sealed", 60)
    copies = [await sealed_copy(office, who) for who in ("vera", "boris")]
    assert copies[0] == copies[1]
    verdict = await validate(copies[0], [made["root"].encode()], at=datetime.now(UTC))
    assert verdict.is_good, verdict
    with Pdf.open(BytesIO(copies[0])) as pdf:
        assert len(pdf.pages) > 2


async def sign(office: Office, person: Person, who: str, position: int) -> None:
    """From the mail to the thanks."""
    link = await office.mailed_link(who, "Request to Sign")
    await person.page.goto(link)
    await person.press("Email me a code")
    await person.page.get_by_role("textbox").fill(await office.mailed_code(who))
    await person.page.keyboard.press("Enter")
    await person.page.get_by_role("link", name="Review and sign").first.click()
    await person.press("Review and sign")
    page = person.page
    await person.press(re.compile(f"Signature-{position}"))
    await page.get_by_role("dialog").wait_for()
    await person.press("Type")
    await page.keyboard.type(who.title())
    await page.keyboard.press("Enter")
    await page.get_by_label("I agree to be bound").check()
    await page.get_by_role("button", name="Sign", exact=True).click()
    await page.get_by_role("heading", name="All done, thank you").wait_for()


async def sealed_copy(office: Office, who: str) -> bytes:
    """The PDF that came with the mail."""
    mail = await office.mail(who, "your copy")
    raw = office.house.mailbox.folder.path / f"{mail.id}.eml"
    message = message_from_bytes(raw.read_bytes(), policy=policy.default)
    (part,) = message.iter_attachments()
    return bytes(part.get_content())
