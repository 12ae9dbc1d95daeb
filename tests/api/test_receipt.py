"""The receipt: for the browser that did it, for members, checked by what an auditor has (PS-13)."""

import json
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text

from adapters.audit_verify import verify_file
from api.app import create_app
from commands.audit_tree import AuditSequencer
from commands.public_session import revoke
from store.public_session import PublicSessionRow
from tests.api.conftest import caller, token_of
from tests.rooms.house import House, furnished_house
from tests.rooms.party_browser import PartyBrowser, app_of, browser_at, words

DONE = "All done, thank you"


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with furnished_house(database_url) as house:
        yield house


@pytest_asyncio.fixture
async def session(house: House) -> PublicSessionRow:
    return (await house.create(name="Vera & Sons")).issued[0]


@pytest.fixture
def app(house: House) -> FastAPI:
    return app_of(house)


@pytest_asyncio.fixture
async def browser(app: FastAPI, house: House) -> AsyncIterator[PartyBrowser]:
    async with browser_at(app, house) as browser:
        yield browser


@pytest_asyncio.fixture
async def room(browser: PartyBrowser, session: PublicSessionRow) -> str:
    """The path of a room in which `browser` is."""
    return await browser.verify(session.id)


async def do_everything(browser: PartyBrowser, room: str) -> None:
    await browser.post(f"{room}/tasks/profile", company="ACME")
    await browser.post(f"{room}/tasks/terms", agreed="yes")


async def signed(house: House) -> None:
    """What a worker does within a second of a completion."""
    await AuditSequencer(house.transactions).round()


async def test_the_end_leads_to_the_receipt(
    house: House, browser: PartyBrowser, room: str, tmp_path: Path
) -> None:
    await do_everything(browser, room)
    await signed(house)
    ended = await browser.get(room)
    assert DONE in words(ended)
    assert f'href="{room}/receipt"' in ended.text
    page = await browser.get(f"{room}/receipt")
    assert page.status_code == 200
    for said in (
        "Vera & Sons",
        "I have read the terms.",
        "SHA-256 of the document",
        "Root of the log",
    ):
        assert said in words(page)
    receipt = tmp_path / "receipt.json"
    proof = await browser.get(f"{room}/receipt.json")
    assert proof.headers["content-disposition"] == 'attachment; filename="receipt.json"'
    assert proof.headers["cache-control"] == "no-store"
    receipt.write_bytes(proof.content)
    report = verify_file(receipt)
    events = [each["leaf"]["event"] for each in json.loads(proof.text)["events"]]
    assert events == [
        "public_session.issued",
        "public_session.activated",
        "task.completed",
        "task.completed",
        "public_session.completed",
    ]
    assert len(report.events) == 5


async def test_the_pdf_is_to_keep_and_has_the_proof_inside(
    house: House, browser: PartyBrowser, room: str
) -> None:
    await do_everything(browser, room)
    await signed(house)
    answer = await browser.get(f"{room}/receipt.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    with pikepdf.open(BytesIO(answer.content)) as pdf:
        (attached,) = pdf.attachments.values()
        inside = attached.get_file().read_bytes()
    assert inside == (await browser.get(f"{room}/receipt.json")).content


async def test_who_issued_it_and_why_stays_inside(
    house: House, browser: PartyBrowser, room: str
) -> None:
    """PS-31: the receipt proves that it was issued, without the members' words."""
    await do_everything(browser, room)
    await signed(house)
    issued, *others = json.loads((await browser.get(f"{room}/receipt.json")).text)["events"]
    assert (issued["details"], issued["salt"]) == (None, None)
    assert all(each["details"] for each in others)
    assert "Anna" not in (await browser.get(f"{room}/receipt.json")).text


async def test_before_the_head_is_signed_the_page_says_so(
    house: House, browser: PartyBrowser, room: str
) -> None:
    await do_everything(browser, room)
    page = words(await browser.get(f"{room}/receipt"))
    assert "is being signed" in page
    assert "Root of the log" not in page
    assert (await browser.get(f"{room}/receipt.json")).headers["location"] == f"{room}/receipt"
    with pikepdf.open(BytesIO((await browser.get(f"{room}/receipt.pdf")).content)) as pdf:
        assert len(pdf.attachments) == 0
    await signed(house)
    assert "Root of the log" in words(await browser.get(f"{room}/receipt"))


RECEIPTS = ("receipt", "receipt.pdf", "receipt.json")


async def test_before_the_end_there_is_none(browser: PartyBrowser, room: str) -> None:
    await browser.post(f"{room}/tasks/profile", company="ACME")
    assert {(await browser.get(f"{room}/{each}")).status_code for each in RECEIPTS} == {404}


async def test_another_end_has_none(
    house: House, browser: PartyBrowser, room: str, session: PublicSessionRow
) -> None:
    async with house.transactions.work() as work:
        await revoke(work, house.target(session), "why")
    # The place ended with the session.
    assert {(await browser.get(f"{room}/{each}")).status_code for each in RECEIPTS} == {404}
    assert "Your receipt" not in words(await browser.get(room))


async def test_only_the_browser_that_completed_it_has_it(
    app: FastAPI, house: House, browser: PartyBrowser, room: str, session: PublicSessionRow
) -> None:
    """PS-27: a browser whose place another took, a stranger and a holder of the link have not."""
    async with browser_at(app, house) as second, browser_at(app, house) as stranger:
        house.clock.turn(minutes=2)
        await second.verify(session.id)
        await do_everything(second, room)
        await signed(house)
        assert {(await second.get(f"{room}/{each}")).status_code for each in RECEIPTS} == {200}
        for other in (browser, stranger):
            answers = [await other.get(f"{room}/{each}") for each in RECEIPTS]
            assert {each.status_code for each in answers} == {404}
            assert not any("ACME" in each.text for each in answers)
        assert DONE in words(await browser.get(room))
        assert "Your receipt" not in words(await browser.get(room))
        door = await stranger.get(f"/s/{await house.link(session.id)}")
        assert DONE in words(door)
        assert "Your receipt" not in words(door)


async def test_the_partys_reading_is_written_down_once(
    house: House, browser: PartyBrowser, room: str, session: PublicSessionRow
) -> None:
    await do_everything(browser, room)
    for each in RECEIPTS * 2:
        await browser.get(f"{room}/{each}")
    assert (await house.audit(session.id)).count("receipt_read") == 1


ERASED = """
    UPDATE audit SET sealed = NULL WHERE session_id = '{0}';
    UPDATE submission SET sealed = NULL WHERE session_id = '{0}';
    UPDATE public_session SET sealed = NULL, erased_at = now() WHERE id = '{0}';
    UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE subject_id = '{0}'
"""


async def test_after_erasure_no_new_receipt_is_given_and_the_old_one_verifies(
    house: House, browser: PartyBrowser, room: str, session: PublicSessionRow, tmp_path: Path
) -> None:
    await do_everything(browser, room)
    await signed(house)
    kept = tmp_path / "receipt.json"
    kept.write_bytes((await browser.get(f"{room}/receipt.json")).content)
    async with house.transactions.work() as work:
        for each in ERASED.format(session.id).split(";"):
            await work.db.execute(text(each))
    answers = [await browser.get(f"{room}/{each}") for each in RECEIPTS]
    assert {each.status_code for each in answers} == {410}
    for answer in (*answers, await browser.get(room)):
        assert "This was erased" in words(answer)
        assert "Your receipt" not in words(answer)
    assert len(verify_file(kept).events) == 5


@pytest_asyncio.fixture
async def member(house: House, app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with caller(app, await token_of(house)) as client:
        yield client


async def test_members_get_the_same_receipt(
    house: House,
    member: AsyncClient,
    browser: PartyBrowser,
    room: str,
    session: PublicSessionRow,
    tmp_path: Path,
) -> None:
    path = f"/api/v1/public-sessions/{session.id}/receipt"
    assert (await member.get(path)).status_code == 404
    await do_everything(browser, room)
    found = (await member.get(path)).json()
    assert (found["proof"], found["text"]) == (None, None)
    await signed(house)
    found = (await member.get(path)).json()
    assert found["text"] == (await browser.get(f"{room}/receipt.json")).text
    assert [each["title"] for each in found["tasks"]] == ["Profile", "Terms"]
    facts = {each["label"]: each["value"] for each in found["tasks"][1]["facts"]}
    assert facts["Statement"] == "I have read the terms."
    assert found["proof"]["size"] > found["proof"]["index"]
    (tmp_path / "receipt.json").write_text(found["text"])
    assert len(verify_file(tmp_path / "receipt.json").events) == 5
    pdf = await member.get(f"{path}.pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert (await house.audit(session.id)).count("receipt_read") == 4


async def test_members_of_another_workspace_get_none(
    app: FastAPI, house: House, browser: PartyBrowser, room: str, session: PublicSessionRow
) -> None:
    await do_everything(browser, room)
    url = house.transactions.settings.database_url
    async with furnished_house(url) as other, caller(app, await token_of(other)) as stranger:
        for each in ("receipt", "receipt.pdf"):
            path = f"/api/v1/public-sessions/{session.id}/{each}"
            assert (await stranger.get(path)).status_code == 404


def test_the_api_describes_them() -> None:
    paths = create_app().openapi()["paths"]
    assert "/api/v1/public-sessions/{session_id}/receipt" in paths
    assert not any(each.startswith("/sessions/") for each in paths)
