"""Uploading as people do it: choose, lose the network, replace, finish (PS-14, PS-40)."""

import asyncio
import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pikepdf
import pytest
from playwright.async_api import Locator, Route, expect

from tests.e2e.answers import CERTIFICATIONS, VENDOR_INTAKE
from tests.e2e.caller import Caller
from tests.e2e.house import Office
from tests.e2e.person import Attached, Browsers, Person, attach, place_of
from tests.e2e.test_two_browsers import listening
from tests.rooms.files import MIB, pdf, pdf_with_password, picture
from tests.rooms.wire import Wire, wired

pytestmark = pytest.mark.timeout(120)

INSURANCE, REGISTRATION, OTHERS = (
    "Proof of insurance",
    "Business registration",
    "Further files (optional)",
)
TASK = "Your certifications"


async def at_the_files(
    browsers: Browsers,
    office: Office,
    session: UUID,
    wire: Wire | None = None,
    **options: Any,
) -> Person:
    """Somebody who has done what comes before the files."""
    link = await office.link(session)
    async with Caller(office.house.url) as before:
        await before.come_in(link, await office.fresh_code(session))
        for task in ("profile", "categories"):
            assert (await before.complete(session, task)).status_code == 303
    person = await browsers.person(**options)
    if wire is not None:
        link = f"http://localhost:{wire.port}{urlsplit(link).path}"
    await person.come_in(link, await office.fresh_code(session))
    await person.begin(TASK)
    return person


async def received_slots(office: Office, session: UUID) -> list[str]:
    """Where the files lie that came, submitted or not: until then members are told of none."""
    found = "SELECT slot FROM upload WHERE session_id = :session AND removed_at IS NULL ORDER BY id"
    return [slot for (slot,) in await office.sql(found, session=session)]


async def submitted_files(office: Office, session: UUID) -> list[tuple[str, str]]:
    items = (await office.get(f"public-sessions/{session}/uploads"))["items"]
    return [(each["slot"], each["name"]) for each in items]


def large_pdf() -> Attached:
    """14 MB: more than all that the system would keep of it on its way, so that it can be held."""
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.docinfo["/Noise"] = pikepdf.String(os.urandom(7 * MIB).hex())
    made.save(out, compress_streams=False)
    return Attached("large.pdf", out.getvalue())


async def test_a_lost_network_is_waited_for(office: Office, browsers: Browsers) -> None:
    """Upload, lose the network in the middle, wait, finish: the files come once, and whole."""
    session = await office.vendor("vera")
    async with wired(office.house.ports.api) as wire:
        person = await at_the_files(browsers, office, session, wire)
        page = person.page
        # However long the page takes to say so, the file is still on its way.
        wire.hold_after(2 * MIB)
        place = place_of(page, INSURANCE)
        await place.locator("input[type=file]").set_input_files(large_pdf().payload)
        await wire.until_held()
        await expect(place.get_by_text(re.compile(r"% of "))).to_be_visible()
        await page.context.set_offline(True)
        wire.cut()
        lost = re.compile("^Connection lost. Trying again in ")
        await expect(place.get_by_text(lost)).to_be_visible()
        assert await received_slots(office, session) == []
        wire.mend()
        await page.context.set_offline(False)
        await place.locator(".file[data-state=ready]").filter(has_text="large.pdf").wait_for()
        await attach(page, REGISTRATION, Attached("register.jpg", picture(), "image/jpeg"))
        await person.send({})
        await person.sees("Terms of use")
        await person.send(VENDOR_INTAKE[-1][1])
        await person.sees("All done, thank you")
        await person.page.close()
    assert await submitted_files(office, session) == [
        ("insurance", "large.pdf"),
        ("business-registration", "register.jpg"),
    ]
    browsers.complaints[:] = [each for each in browsers.complaints if "net::ERR_" not in each]


DROP = """(place, files) => {
  const carried = new DataTransfer();
  for (const [name, type, text] of files) carried.items.add(new File([text], name, { type }));
  const all = { bubbles: true, cancelable: true, dataTransfer: carried };
  const event = (kind) => new DragEvent(kind, all);
  place.dispatchEvent(event("dragover"));
  const isOver = place.hasAttribute("data-over");
  return [isOver, place.dispatchEvent(event("drop")), place.hasAttribute("data-over")];
}"""


async def drop(place: Locator, *files: Attached) -> list[bool]:
    """Whether the place showed that it takes them, whether the browser would open them, shows it
    still; what is dropped must be text, for the way it goes into the page."""
    carried = [[each.name, each.media_type, each.content.decode("ascii")] for each in files]
    return list(await place.evaluate(DROP, carried))


async def test_files_are_dropped_where_they_belong(office: Office, browsers: Browsers) -> None:
    """One into a place with a name, several beside it, one of them too many or no good."""
    session = await office.vendor("vera")
    person = await at_the_files(browsers, office, session)
    named, others = place_of(person.page, INSURANCE), place_of(person.page, OTHERS)
    assert await drop(named, plain_pdf("a.pdf"), plain_pdf("b.pdf")) == [True, False, False]
    await named.locator(".file[data-state=ready]").filter(has_text="a.pdf").wait_for()
    refused = named.locator("[data-refused]")
    await expect(refused).to_contain_text("only one file belongs here, and you chose 2")
    assert await drop(others, plain_pdf("c.pdf"), Attached("d.exe", b"MZ")) == [True, False, False]
    await others.locator(".file[data-state=ready]").filter(has_text="c.pdf").wait_for()
    await expect(others.locator("[data-refused]")).to_contain_text("this kind of file (.exe)")
    heading = person.page.get_by_role("heading", name=TASK)
    assert await drop(heading, plain_pdf("e.pdf")) == [False, False, False]
    assert await received_slots(office, session) == ["insurance", ""]


async def test_cancelled_in_the_middle_nothing_is_kept(office: Office, browsers: Browsers) -> None:
    """No row, no object, and nothing that is staged; the place takes another file."""
    store = Path(office.house.settings.object_store)
    session = await office.vendor("vera")
    async with wired(office.house.ports.api) as wire:
        person = await at_the_files(browsers, office, session, wire)
        place = place_of(person.page, INSURANCE)
        before = files_below(store)
        wire.hold_after(2 * MIB)
        await place.locator("input[type=file]").set_input_files(large_pdf().payload)
        await wire.until_held()
        await place.get_by_role("button", name="Cancel large.pdf").click()
        await expect(person.page.locator("[data-announce]")).to_contain_text(
            "The upload of large.pdf was cancelled."
        )
        await expect(place.locator(".file")).to_have_count(0)
        # What is on its way in the cable would arrive; a file that is still wanted comes again.
        wire.cut()
        wire.mend()
        await attach(person.page, INSURANCE, plain_pdf("small.pdf"))
        await person.page.close()
    assert await received_slots(office, session) == ["insurance"]
    assert (await office.events(session)).count("upload.received") == 1
    assert len(files_below(store) - before) == 1
    browsers.complaints[:] = [each for each in browsers.complaints if "net::ERR_" not in each]


def files_below(folder: Path) -> set[Path]:
    """Files and what is staged; notes of others' ends lie beside them."""
    return {*folder.glob("[0-9a-f][0-9a-f]/*"), *folder.glob("staging/*")}


def plain_pdf(name: str) -> Attached:
    """A document without a byte that is no letter."""
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return Attached(name, out.getvalue().decode("ascii", "replace").replace("\ufffd", "x").encode())


async def test_an_answer_that_is_lost_makes_no_second_file(
    office: Office, browsers: Browsers
) -> None:
    """The file is there, the answer is not: sent again under the same id, it is there once."""
    session = await office.vendor("vera")
    person = await at_the_files(browsers, office, session)
    page, lost = person.page, 0

    async def lose_first(route: Route) -> None:
        nonlocal lost
        lost += 1
        if lost > 1:
            await route.continue_()
            return
        await route.fetch()
        await route.abort("connectionreset")

    await page.route("**/files", lose_first)
    await attach(page, INSURANCE, Attached("insurance.pdf", pdf()))
    assert lost == 2
    assert await received_slots(office, session) == ["insurance"]
    browsers.complaints[:] = [each for each in browsers.complaints if "ERR_CONN" not in each]


async def test_refusals_are_read_where_the_file_was_chosen(
    office: Office, browsers: Browsers
) -> None:
    """PS-40: what the page knows at once, and what only the server can know."""
    session = await office.vendor("vera")
    person = await at_the_files(browsers, office, session)
    page, place = person.page, place_of(person.page, OTHERS)
    chooser = place.locator("input[type=file]")
    for file, words in (
        (Attached("a.exe", b"MZ"), "this kind of file (.exe) is not possible here"),
        (Attached("b.pdf", b""), "the file is empty"),
        (Attached("c.pdf", bytes(21 * MIB)), "the file has 21 MB, and at most 20 MB are possible"),
        (Attached("d.pdf", picture()), "by its name this file is PDF, but it contains JPEG"),
        (Attached("e.pdf", pdf_with_password()), "can be opened with a password only"),
        (Attached("f.jpg", picture()[:400]), "is damaged and cannot be read"),
        (Attached("g.pdf", b"x" * 15 * MIB), "by its name this file is PDF"),
    ):
        await chooser.set_input_files(file.payload)
        item = place.locator("[data-refused]").filter(has_text=file.name)
        await expect(item).to_contain_text(words)
    assert await received_slots(office, session) == []
    await person.press(re.compile("^Send and "))
    await person.reads("Proof of insurance is still missing.")
    assert (await page.title()).startswith("Error")


async def test_replaced_removed_and_given_to_the_company(
    office: Office, browsers: Browsers
) -> None:
    session = await office.vendor("vera")
    person = await at_the_files(browsers, office, session)
    page = person.page
    await attach(page, INSURANCE, Attached("old.pdf", pdf("old")))
    place = place_of(page, INSURANCE)
    async with page.expect_file_chooser() as opened:
        await place.get_by_role("button", name="Replace old.pdf").click()
    await (await opened.value).set_files(Attached("new.pdf", pdf("new")).payload)
    await place.locator(".file[data-state=ready]").filter(has_text="new.pdf").wait_for()
    await expect(place.locator("bdi").get_by_text("old.pdf")).to_have_count(0)
    await attach(page, OTHERS, Attached("wrong.pdf", pdf()))
    await page.get_by_role("button", name="Remove wrong.pdf").click()
    await expect(page.locator("bdi").get_by_text("wrong.pdf")).to_have_count(0)
    await page.reload()
    await expect(page.locator("bdi").get_by_text("new.pdf")).to_be_visible()
    await attach(page, REGISTRATION, Attached("register.jpg", picture(), "image/jpeg"))
    await person.send({})
    await person.sees("Terms of use")
    items = (await office.get(f"public-sessions/{session}/uploads"))["items"]
    assert [each["name"] for each in items] == ["new.pdf", "register.jpg"]
    answer = await office.client.get(
        f"/api/v1/public-sessions/{session}/uploads/{items[0]['id']}/content"
    )
    assert hashlib.sha256(answer.content).hexdigest() == items[0]["sha256"]
    events = await office.events(session)
    assert events.count("upload.received") == 4
    assert events.count("upload.removed") == 2
    assert events.count("upload.downloaded") == 1


async def test_a_session_revoked_in_the_middle_says_so(office: Office, browsers: Browsers) -> None:
    """PS-30: the page tells while the file is on its way, and nothing of it stays."""
    session = await office.vendor("vera")
    async with wired(office.house.ports.api) as wire:
        person = await at_the_files(browsers, office, session, wire)
        await listening(person.page)
        wire.bytes_a_second = 200_000
        place = place_of(person.page, INSURANCE)
        await place.locator("input[type=file]").set_input_files(large_pdf().payload)
        await wire.until_sent(MIB // 2)
        await office.post(f"public-sessions/{session}/revoke", {"rationale": "Duplicate"})
        await person.notice.get_by_role("heading", name=re.compile("withdrawn this$")).wait_for()
        await wire.until_sent(MIB // 2)
        wire.mend()
        await asyncio.sleep(1)
        await person.page.close()
    assert await received_slots(office, session) == []
    assert "upload.received" not in await office.events(session)


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_page_fits_its_screen(office: Office, browsers: Browsers, width: int) -> None:
    session = await office.vendor("vera")
    options: dict[str, Any] = {"viewport": {"width": width, "height": 800}}
    person = await at_the_files(browsers, office, session, **options)
    await person.hands.answer(person.page, CERTIFICATIONS)
    long = Attached(f"{'certificate of everything ' * 5}.pdf".replace(" .", "."), pdf())
    await attach(person.page, OTHERS, long)
    await person.sees(TASK)
