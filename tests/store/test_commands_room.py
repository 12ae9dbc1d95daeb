"""The room: tasks in order, each captured once with its evidence."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from commands.room import Room, Visitor, enter_to_act, party_of
from domain.document import Document
from domain.errors import (
    AnswersRefused,
    BindingLost,
    DomainError,
    NotFound,
    SessionEnded,
    TaskDone,
    TaskLocked,
)
from domain.submission import submission_sha256
from store.audit import AuditRow
from store.binding import binding_by_id
from store.public_session import SubmissionRow, submissions_of
from tests.rooms.house import DOCUMENT, INTAKE, START, TASKS, House

CONFIRM = {"key": "truth", "kind": "confirmation", "title": "True", "statement": "It is true."}


async def entered(house: House) -> Visitor:
    return await house.enter((await house.create()).issued[0].id)


async def submissions(house: House, visitor: Visitor) -> list[SubmissionRow]:
    async with house.transactions.work() as work:
        return list(await submissions_of(work.db, visitor.session_id))


async def test_each_task_keeps_its_own_record_with_its_time(house: House) -> None:
    # PS-12
    visitor = await entered(house)
    await house.complete(visitor, "profile")
    house.clock.turn(minutes=3)
    room = await house.complete(visitor, "terms")
    assert room.value.status == "completed"
    times = [each.completed_at for each in await house.tasks(visitor.session_id)]
    assert times == [START, START + timedelta(minutes=3)]
    first, second = await submissions(house, visitor)
    assert first.body == {"company": "ACME"}
    assert (first.evidence["form"], first.evidence["form_version"]) == ("profile", 1)
    assert second.submitted_at == START + timedelta(minutes=3)


async def test_an_acknowledgment_keeps_what_was_shown_and_how_the_person_was_verified(
    house: House,
) -> None:
    # PS-13
    visitor = await entered(house)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")
    evidence = (await submissions(house, visitor))[1].evidence
    assert evidence["statement"] == "I have read the terms."
    assert (evidence["document"], evidence["document_version"]) == ("terms", 1)
    assert evidence["document_title"] == "Terms"
    assert evidence["document_sha256"] == Document.of(DOCUMENT).sha256
    assert (evidence["template"], evidence["template_version"]) == ("intake", 1)
    assert (evidence["locale"], evidence["completed_at"]) == ("en", START.isoformat())
    assert evidence["verification"] == {
        "method": "mailbox_code",
        "address": f"v•••@{house.address.partition('@')[2]}",
        "verified_at": START.isoformat(),
        "fence": 1,
    }


async def test_the_audit_commits_to_what_was_captured(house: House) -> None:
    # PS-13, N10: nobody changes a submission afterwards without its digest telling
    visitor = await entered(house)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")
    rows = await submissions(house, visitor)
    events = [each for each in await house.all(AuditRow) if each.event == "task.completed"]
    for row, event in zip(rows, events[-2:], strict=True):
        found = submission_sha256(bytes.fromhex(row.salt), row.body, row.evidence)
        assert (event.details["submission"], event.details["sha256"]) == (str(row.id), found)
        other = submission_sha256(bytes.fromhex(row.salt), row.body | {"x": 1}, row.evidence)
        assert other != found
    assert len({each.salt for each in rows}) == len(rows)
    assert "document_sha256" not in events[-2].details
    assert events[-1].details["document_sha256"] == rows[1].evidence["document_sha256"]


async def test_tasks_come_in_order(house: House) -> None:
    # PS-11
    visitor = await entered(house)
    with pytest.raises(TaskLocked):
        await house.complete(visitor, "terms")
    assert await submissions(house, visitor) == []


async def test_tasks_come_in_any_order_if_the_template_says_so(house: House) -> None:
    # PS-11
    await house.publish("intake", INTAKE | {"ordered": False, "tasks": [*TASKS, CONFIRM]})
    visitor = await entered(house)
    for task in ("truth", "terms", "profile"):
        await house.complete(visitor, task)
    assert (await house.session(visitor.session_id)).status == "completed"


async def test_a_second_submit_changes_nothing(house: House) -> None:
    # SX-2
    visitor = await entered(house)
    await house.complete(visitor, "profile")
    with pytest.raises(TaskDone):
        await house.complete(visitor, "profile", {"company": "Other"})
    assert [each.body for each in await submissions(house, visitor)] == [{"company": "ACME"}]
    assert (await house.audit(visitor.session_id)).count("task.completed") == 1


@pytest.mark.parametrize(
    ("task", "answers", "named"),
    [
        ("profile", {"company": 3}, {"company"}),
        ("profile", {"other": "x"}, {"company", "other"}),
        ("terms", {"agreed": "yes"}, {"agreed"}),
        ("terms", {"agreed": False}, {"agreed"}),
    ],
)
async def test_answers_that_do_not_fit_are_named_and_nothing_is_kept(
    house: House, task: str, answers: dict[str, Any], named: set[str]
) -> None:
    visitor = await entered(house)
    if task == "terms":
        await house.complete(visitor, "profile")
    with pytest.raises(AnswersRefused) as caught:
        await house.complete(visitor, task, answers)
    assert set(caught.value.errors) <= named
    assert caught.value.errors
    assert len(await submissions(house, visitor)) == (1 if task == "terms" else 0)


async def test_an_unknown_task_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        await house.complete(await entered(house), "nothing")


async def test_the_last_task_tells_the_workflow_that_it_is_the_last(house: House) -> None:
    visitor = await entered(house)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")
    told = [each.payload for each in await house.intents(visitor.session_id) if each.signal]
    assert [each.get("last") for each in told] == [None, False, True]
    assert "ACME" not in str(told)


async def test_activity_keeps_a_browser_and_is_written_at_most_each_15_seconds(
    house: House,
) -> None:
    visitor = await entered(house)

    async def last_seen() -> object:
        async with house.transactions.work() as work:
            room = await enter_to_act(work, visitor)
        async with house.transactions.work() as work:
            return (await binding_by_id(work.db, room.binding.id)).last_seen_at

    house.clock.turn(seconds=14)
    assert await last_seen() == START
    house.clock.turn(seconds=1)
    assert await last_seen() == START + timedelta(seconds=15)


@pytest.mark.parametrize(("seconds", "good"), [(-1, True), (0, False), (1, False)])
async def test_silence_ends_the_place_to_the_second(house: House, seconds: int, good: bool) -> None:
    # C18, PS-27
    visitor = await entered(house)
    house.clock.turn(minutes=31, seconds=seconds)
    if good:
        await house.complete(visitor, "profile")
    else:
        with pytest.raises(BindingLost) as caught:
            await house.complete(visitor, "profile")
        assert caught.value.reason == "inactive"


@pytest.mark.parametrize(("seconds", "good"), [(-1, True), (0, False), (1, False)])
async def test_the_bound_ends_the_room_to_the_second(
    house: House, seconds: int, good: bool
) -> None:
    # PS-29: no worker is running
    moved = await house.create()
    house.clock.turn(days=14, minutes=-1)
    visitor = await house.enter(moved.issued[0].id)
    house.clock.turn(minutes=1, seconds=seconds)
    if good:
        await house.complete(visitor, "profile")
    else:
        with pytest.raises(SessionEnded) as caught:
            await house.complete(visitor, "profile")
        assert caught.value.end_reason == "bound_reached"


async def test_two_tabs_of_one_browser_submit_different_tasks(house: House) -> None:
    # SX-2, SX-3
    await house.publish("intake", INTAKE | {"ordered": False})
    visitor = await entered(house)
    await asyncio.gather(house.complete(visitor, "profile"), house.complete(visitor, "terms"))
    row = await house.session(visitor.session_id)
    assert (row.status, row.end_reason) == ("completed", "completed")


async def test_a_room_knows_its_party(house: House) -> None:
    visitor = await entered(house)
    async with house.transactions.work() as work:
        room: Room = await enter_to_act(work, visitor)
        assert (await party_of(work, room)).email == house.address
        with pytest.raises(DomainError):
            room.task("nothing")
