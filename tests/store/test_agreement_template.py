"""The template that agreements are sent with is the product's own (PS-43)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from commands.definition import (
    SaveDefinition,
    change_template,
    create_template,
    publish_template,
    retire_template,
    save_template,
)
from commands.work import Work
from domain.agreement_errors import TemplateReserved
from domain.signature_request import BODY, SIGNATURE_REQUEST
from store.definition import DefinitionRow
from tests.rooms.agreements import Desk
from tests.rooms.house import ANNA, INTAKE, House


async def request_versions(house: House) -> list[DefinitionRow]:
    return [each for each in await house.all(DefinitionRow) if each.key == SIGNATURE_REQUEST]


def verbs(house: House) -> dict[str, Callable[[Work], Awaitable[Any]]]:
    """Every way in which an author, an API client or a pack writes a template."""
    workspace, key = house.workspace_id, SIGNATURE_REQUEST
    mine = SaveDefinition(workspace, key, INTAKE, ANNA)
    return {
        "create": lambda work: create_template(work, mine),
        "save": lambda work: save_template(work, mine),
        "change": lambda work: change_template(work, workspace, key, {"name": "Mine"}, ANNA),
        "publish": lambda work: publish_template(work, workspace, key, ANNA),
        "retire": lambda work: retire_template(work, workspace, key, ANNA),
    }


@pytest.mark.parametrize("verb", ["create", "save", "change", "publish", "retire"])
async def test_no_author_writes_it(house: House, verb: str) -> None:
    desk = Desk(house)
    await desk.sent()
    with pytest.raises(TemplateReserved, match="reserved"):
        async with house.transactions.work() as work:
            await verbs(house)[verb](work)
    [row] = await request_versions(house)
    assert (row.version, row.status, row.body) == (1, "published", BODY)
    assert (await desk.send(await desk.draft((await desk.party("Otto")).id))).row.state == "sent"


@pytest.mark.parametrize("verb", ["create", "save"])
async def test_nor_does_one_come_first(house: House, verb: str) -> None:
    with pytest.raises(TemplateReserved):
        async with house.transactions.work() as work:
            await verbs(house)[verb](work)
    assert await request_versions(house) == []


@pytest.mark.parametrize(
    "found", [{"status": "retired"}, {"status": "draft"}, {"body": BODY | {"name": "Mine"}}]
)
async def test_one_that_was_changed_or_retired_before_is_superseded(
    house: House, found: dict[str, Any]
) -> None:
    """Of a time in which authors could: sending works again, with the product's own."""
    desk = Desk(house)
    await desk.sent()
    async with house.transactions.work() as work:
        [row] = await request_versions(house)
        row = await work.db.merge(row)
        for name, value in found.items():
            setattr(row, name, value)
    await desk.send(await desk.draft((await desk.party("Otto")).id))
    last = max(await request_versions(house), key=lambda each: each.version)
    assert (last.version, last.status, last.body) == (2, "published", BODY)


@pytest.mark.parametrize(
    ("locale", "names"),
    [
        ("en", ("Signature request", "Review and sign")),
        ("de-AT", ("Unterschrift", "Lesen und unterschreiben")),
    ],
)
async def test_each_signer_reads_its_names_in_their_own_language(
    house: House, locale: str, names: tuple[str, str]
) -> None:
    # PS-43
    desk = Desk(house)
    await desk.certify()
    fields: dict[str, Any] = {"kind": "signer", "name": "Vera", "email": "vera@s.example"}
    vera = (await house.create(**fields, locale=locale)).party
    sent = await desk.send(await desk.draft(vera.id))
    session = await desk.session_of(sent)
    (task,) = await house.tasks(session)
    assert ((await house.session(session)).title, task.title) == names
