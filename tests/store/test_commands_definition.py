"""Definitions are versions: checked whole, changed with before and after, frozen when published."""

import asyncio
from typing import Any

import pytest

from commands.definition import (
    SaveDefinition,
    change_template,
    create_template,
    publish_template,
    retire_template,
)
from domain.errors import DefinitionExists, DefinitionFaulty, NotFound, TemplateStateRefused
from store.audit import AuditRow
from store.definition import DefinitionRow
from tests.rooms.house import ANNA, DOCUMENT, FORM, INTAKE, LIFECYCLE, House


async def versions(house: House, key: str) -> list[tuple[int, str]]:
    rows = [each for each in await house.all(DefinitionRow) if each.key == key]
    return [(each.version, each.status) for each in rows]


async def verb(house: House, do: Any, *more: Any) -> DefinitionRow:
    async with house.transactions.work() as work:
        row: DefinitionRow = await do(work, house.workspace_id, *more, ANNA)
        return row


async def test_a_published_version_is_followed_by_a_draft(house: House) -> None:
    # PS-7, PS-35
    await house.save("template", "intake", INTAKE | {"name": "One"})
    await house.save("template", "intake", INTAKE | {"name": "Two"})
    assert await versions(house, "intake") == [(1, "published"), (2, "draft")]
    row = await verb(house, publish_template, "intake")
    assert (row.version, row.body["name"]) == (2, "Two")
    assert row.body["tasks"][0]["form_version"] == 1


async def test_saving_what_is_saved_makes_no_version(house: House) -> None:
    before = len(await house.all(AuditRow))
    await house.save("form", "profile", FORM)
    await house.save("document", "terms", DOCUMENT)
    await house.save("lifecycle", "vendor", LIFECYCLE)
    await house.save("template", "intake", INTAKE)
    assert len(await house.all(AuditRow)) == before


async def test_a_newer_form_makes_an_unchanged_template_publishable_again(house: House) -> None:
    # PS-41
    await house.save("form", "profile", FORM | {"title": "Newer"})
    await house.save("template", "intake", INTAKE)
    row = await verb(house, publish_template, "intake")
    assert (row.version, row.body["tasks"][0]["form_version"]) == (2, 2)


async def test_simultaneous_saves_stay_in_a_row(house: House) -> None:
    titles = [f"Terms {each}" for each in range(6)]
    await asyncio.gather(
        *(house.save("document", "terms", DOCUMENT | {"title": each}) for each in titles)
    )
    assert [number for number, _ in await versions(house, "terms")] == list(range(1, 8))


async def test_every_change_keeps_before_and_after(house: House) -> None:
    # PS-25
    await house.save("document", "terms", DOCUMENT | {"title": "Changed"})
    last = (await house.all(AuditRow))[-1]
    assert (last.event, last.subject) == ("document.saved", "document:terms")
    assert last.details["version"] == 2
    assert last.details["before"]["title"] == "Terms"
    assert last.details["after"]["title"] == "Changed"


async def test_some_members_are_changed_and_the_rest_stays(house: House) -> None:
    row = await verb(house, change_template, "intake", {"time_bound_days": 21})
    assert (row.version, row.status) == (2, "draft")
    assert row.body["time_bound_days"] == 21
    assert row.body["name"] == "Vendor intake"
    assert "form_version" not in row.body["tasks"][0]


async def test_a_template_that_states_no_bound_gets_the_installations(house: House) -> None:
    # PS-5
    body = {name: value for name, value in INTAKE.items() if name != "time_bound_days"}
    row = await house.save("template", "boundless", body)
    assert row.body["time_bound_days"] == 14


async def test_a_key_is_created_once(house: House) -> None:
    async with house.transactions.work() as work:
        with pytest.raises(DefinitionExists):
            await create_template(work, SaveDefinition(house.workspace_id, "intake", INTAKE, ANNA))
        wanted = SaveDefinition(house.workspace_id, "another", INTAKE, ANNA)
        assert (await create_template(work, wanted)).version == 1


async def test_publishing_and_retiring_are_refused_where_they_make_no_sense(
    house: House,
) -> None:
    with pytest.raises(TemplateStateRefused):
        await verb(house, publish_template, "intake")
    await verb(house, retire_template, "intake")
    for do in (retire_template, publish_template):
        with pytest.raises(TemplateStateRefused):
            await verb(house, do, "intake")
    with pytest.raises(NotFound):
        await verb(house, publish_template, "nothing")


@pytest.mark.parametrize(
    ("kind", "key", "body", "pointer"),
    [
        ("form", "Bad Key", FORM, "/key"),
        ("document", "Bad Key", DOCUMENT, "/key"),
        ("template", "new", INTAKE | {"tasks": []}, "/tasks"),
        ("template", "new", {"key": "x"}, "/name"),
        ("lifecycle", "vendor", LIFECYCLE | {"initial": "nowhere"}, "/initial"),
        ("lifecycle", "buyer", LIFECYCLE, "/states/0/issues/0"),
    ],
)
async def test_faults_are_named_and_nothing_is_saved(
    house: House, kind: str, key: str, body: dict[str, Any], pointer: str
) -> None:
    before = len(await house.all(DefinitionRow))
    with pytest.raises(DefinitionFaulty) as caught:
        await house.save(kind, key, body)
    assert pointer in {each.pointer for each in caught.value.faults}
    assert len(await house.all(DefinitionRow)) == before


async def test_a_retired_template_cannot_be_named_by_a_lifecycle(house: House) -> None:
    await verb(house, retire_template, "diligence")
    with pytest.raises(DefinitionFaulty) as caught:
        await house.save("lifecycle", "vendor", LIFECYCLE)
    assert [each.pointer for each in caught.value.faults] == ["/states/1/issues/0"]


async def test_a_state_that_parties_are_in_is_kept(house: House) -> None:
    await house.create()
    body = {"initial": "first", "states": [{"key": "first"}]}
    with pytest.raises(DefinitionFaulty) as caught:
        await house.save("lifecycle", "vendor", body)
    assert [each.message for each in caught.value.faults] == [
        "parties are in the state 'new', keep it"
    ]
