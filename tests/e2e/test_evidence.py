"""What a party keeps, and what an auditor checks: from the page, the mail and the export (N10)."""

import re
from io import BytesIO
from pathlib import Path
from uuid import UUID

import anyio
import pikepdf
import pytest

from adapters.audit_verify import verify_file
from tests.e2e.answers import VENDOR_INTAKE
from tests.e2e.house import Office
from tests.e2e.person import Browsers, Person

pytestmark = pytest.mark.timeout(120)

DONE = "All done, thank you"
RECEIPT = re.compile("^Vendor intake$")


async def completed(office: Office, person: Person) -> UUID:
    """A vendor who did everything."""
    session = await office.vendor("vera")
    await person.come_in(await office.link(session), await office.fresh_code(session))
    await person.begin(VENDOR_INTAKE[0][0])
    for title, answers in VENDOR_INTAKE:
        await person.sees(title)
        await person.send(answers)
    await person.sees(DONE)
    return session


async def proven(person: Person) -> None:
    """From the end to the receipt; a worker signs within a second or two."""
    await person.press("Your receipt", "link")
    await person.sees(RECEIPT)
    for _ in range(50):
        if await person.page.get_by_role("link", name="Download proof (JSON)").count():
            return
        await anyio.sleep(0.2)
        await person.page.reload()
    pytest.fail("the log was not signed")


async def saved(person: Person, name: str, to: Path) -> Path:
    """A file that the browser downloads."""
    async with person.page.expect_download() as waiting:
        await person.press(name, "link")
    download = await waiting.value
    path = to / download.suggested_filename
    await download.save_as(path)
    return path


async def test_a_party_takes_its_receipt_home(
    office: Office, browsers: Browsers, tmp_path: Path
) -> None:
    """PS-13: the page, the PDF and the proof, all three of the same completion."""
    person = await browsers.person()
    await completed(office, person)
    await proven(person)
    await person.reads("Root of the log")
    proof = await saved(person, "Download proof (JSON)", tmp_path)
    paper = await saved(person, "Download PDF", tmp_path)
    assert (proof.name, paper.name) == ("receipt.json", "receipt.pdf")
    key = (await office.get("audit/key"))["key"]
    report = verify_file(proof, key)
    assert len(report.events) == 3 + len(VENDOR_INTAKE)
    await person.reads(key)
    with pikepdf.open(paper) as pdf:
        (inside,) = pdf.attachments.values()
        assert inside.get_file().read_bytes() == proof.read_bytes()
    await person.page.screenshot(path=tmp_path / "receipt.png", full_page=True)


async def test_the_mail_brings_the_same_receipt(
    office: Office, browsers: Browsers, tmp_path: Path
) -> None:
    person = await browsers.person()
    await completed(office, person)
    await proven(person)
    arrived = await office.mail("vera", "Received: Vendor intake")
    message = office.house.mailbox.folder.message(arrived.id)
    files = {str(each.get_filename()): each.get_content() for each in message.iter_attachments()}
    assert list(files) == ["receipt.pdf", "receipt.json"]
    (tmp_path / "mailed.json").write_bytes(files["receipt.json"])
    assert verify_file(tmp_path / "mailed.json").size > 0
    at_home = await saved(person, "Download proof (JSON)", tmp_path)
    assert at_home.read_bytes() == files["receipt.json"]
    with pikepdf.open(BytesIO(files["receipt.pdf"])) as pdf:
        assert "receipt.json" in pdf.attachments


async def test_an_auditor_checks_the_log_of_all_that_happened(
    office: Office, browsers: Browsers, tmp_path: Path
) -> None:
    """The receipt is a checkpoint that was kept outside: the log must contain what it proves."""
    person = await browsers.person()
    session = await completed(office, person)
    await proven(person)
    receipt = await saved(person, "Download proof (JSON)", tmp_path)
    answer = await office.client.get("/api/v1/audit/export")
    log = tmp_path / "audit.jsonl"
    log.write_bytes(answer.content)
    report = verify_file(log, (await office.get("audit/key"))["key"], [receipt])
    assert report.size == len(report.events) > 10
    events = await office.audit(session)
    assert {each["id"] for each in events} <= report.events.keys()
    assert all(each["sealed_by"] for each in events if each["event"] == "task.completed")
