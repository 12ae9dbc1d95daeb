"""A receipt is made of what was captured, and proved by the first head over all of it (N10)."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.audit_verify import Broken, verify_file
from commands.audit_tree import AuditSequencer, catch_up
from commands.receipt import GivenReceipt, receipt_of
from domain.errors import Erased, NotFound
from domain.public_session import EndReason
from store.audit import AuditRow
from store.public_session import (
    PublicSessionRow,
    session_by_id,
    submissions_of,
    tasks_of,
)
from tests.rooms.audit_log import write
from tests.rooms.house import INTAKE, START, TASKS, House

CONFIRM = {"key": "truth", "kind": "confirmation", "title": "True", "statement": "It is true."}


async def completed(house: House, **fields: Any) -> PublicSessionRow:
    session = (await house.create(**fields)).issued[0]
    visitor = await house.enter(session.id)
    for task in await house.tasks(session.id):
        house.clock.turn(minutes=1)
        await house.complete(visitor, task.key)
    return session


async def given(house: House, session: PublicSessionRow, locale: str | None = None) -> GivenReceipt:
    async with house.transactions.work() as work:
        row = await session_by_id(work.db, session.id)
        assert row is not None
        return await receipt_of(work, row, locale)


async def signed(house: House) -> None:
    await AuditSequencer(house.transactions).round()


def verified(found: GivenReceipt, tmp_path: Path) -> int:
    file = tmp_path / "receipt.json"
    file.write_text(found.text)
    return len(verify_file(file).events)


async def test_a_receipt_says_what_was_done_and_when(house: House) -> None:
    # PS-13
    await house.publish("intake", INTAKE | {"tasks": [*TASKS, CONFIRM]})
    session = await completed(house)
    found = (await given(house, session)).receipt
    assert (found.workspace_name, found.session_title) == ("Demo Ltd", "Vendor intake")
    assert (found.party_name, found.reference) == ("Vera Ltd", str(session.id))
    assert (found.issued_at, found.verified_at) == (START, START)
    assert found.completed_at > START
    assert [(each.title, each.kind) for each in found.tasks] == [
        ("Profile", "form"),
        ("Terms", "acknowledgment"),
        ("True", "confirmation"),
    ]
    labels = [[line.label for line in each.lines] for each in found.tasks]
    assert labels == [
        ["Version of the form", "SHA-256 of the record"],
        [
            "Statement",
            "Document",
            "Version of the document",
            "SHA-256 of the document",
            "SHA-256 of the record",
        ],
        ["Statement", "SHA-256 of the record"],
    ]
    assert "ACME" not in str(found), "answers stay where they were given"


async def test_the_proven_event_has_the_digest_that_people_see(
    house: House, tmp_path: Path
) -> None:
    session = await completed(house)
    await signed(house)
    found = await given(house, session)
    events = json.loads(found.text)["events"]
    told = [json.loads(each["details"])["details"] for each in events if each["details"]]
    digests = [each["sha256"] for each in told if "sha256" in each]
    assert digests == [each.lines[-1].value for each in found.receipt.tasks]
    assert verified(found, tmp_path) == 5


async def test_there_is_no_proof_before_a_head_is_signed(house: House) -> None:
    session = await completed(house)
    found = await given(house, session)
    assert (found.receipt.proof, found.text) == (None, "")
    assert found.pdf().startswith(b"%PDF-")


async def test_a_receipt_stays_the_same_however_the_log_grows(house: House, tmp_path: Path) -> None:
    session = await completed(house)
    await signed(house)
    first = await given(house, session)
    await write(house, 300)
    await catch_up(house.transactions, house.workspace_id)
    assert await given(house, session) == first
    assert verified(first, tmp_path) == 5


async def test_a_receipt_that_was_changed_proves_nothing(house: House, tmp_path: Path) -> None:
    session = await completed(house)
    await signed(house)
    whole = (await given(house, session)).text
    file = tmp_path / "receipt.json"
    for old, new in (("task.completed", "task.refused00"), ("ACME", "ACNE"), ("terms", "tirms")):
        if old in whole:
            file.write_text(whole.replace(old, new))
            with pytest.raises(Broken):
                verify_file(file)


async def test_a_receipt_speaks_the_partys_language(house: House) -> None:
    session = await completed(house, locale="de")
    assert (await given(house, session)).receipt.locale == "de"
    assert (await given(house, session, "en")).receipt.locale == "en"


async def test_what_is_not_completed_has_none(house: House) -> None:
    session = (await house.create()).issued[0]
    with pytest.raises(NotFound):
        await given(house, session)


async def test_what_was_erased_has_none(house: House) -> None:
    session = await completed(house)
    async with house.transactions.work() as work:
        erase = "UPDATE public_session SET sealed = NULL, erased_at = now() WHERE id = :id"
        await work.db.execute(text(erase), {"id": session.id})
    with pytest.raises(Erased):
        await given(house, session)


async def test_what_an_older_release_captured_has_no_digest(house: House) -> None:
    """It kept no salt, so that no event commits to the record."""
    session = await completed(house)
    async with house.transactions.work() as work:
        for row in await submissions_of(work.db, session.id):
            row.salt = ""
    found = (await given(house, session)).receipt
    assert not any("record" in line.label for each in found.tasks for line in each.lines)


async def test_uploaded_files_are_named_with_their_hashes(house: House) -> None:
    # PS-40
    session = await completed(house)
    async with house.transactions.work() as work:
        (task, *_) = await tasks_of(work.db, session.id)
        task.kind = "upload"
        (row, *_) = await submissions_of(work.db, session.id)
        row.body = {"files": [{"name": "insurance.pdf", "size": 2048, "sha256": "ab" * 32}]}
    lines = (await given(house, session)).receipt.tasks[0].lines
    assert [(each.label, each.value) for each in lines][1:3] == [
        ("File", "insurance.pdf (2 KB)"),
        ("SHA-256 of the file", "ab" * 32),
    ]


async def test_every_completed_session_of_a_busy_house_is_proved(
    house: House, tmp_path: Path
) -> None:
    sessions = []
    for number in range(5):
        sessions.append(await completed(house, name=f"Vendor {number}"))
        if number % 2:
            await signed(house)
    await signed(house)
    for each in sessions:
        assert (await house.session(each.id)).end_reason == EndReason.COMPLETED
        assert verified(await given(house, each), tmp_path) == 5
    assert all(each.position is not None for each in await house.all(AuditRow))
