"""The template that agreements are sent with is the product's own (PS-43)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from commands.definition import (
    SaveDefinition,
    change_template,
    create_template,
    publish_template,
    retire_template,
    save_template,
)
from commands.mail_draft import compose_mail
from commands.public_session import reissue, resend
from commands.work import Work
from domain.agreement_errors import TemplateReserved
from domain.signature_request import BODY, SIGNATURE_REQUEST
from store.definition import DefinitionRow
from tests.rooms.agreements import Desk, place
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


async def asked(desk: Desk, locale: str, *, signs: bool) -> UUID:
    """The session of somebody who is to sign, or only to read and confirm."""
    await desk.certify()
    fields: dict[str, Any] = {"kind": "signer", "name": "Vera", "email": "vera@s.example"}
    vera = (await desk.house.create(**fields, locale=locale)).party
    otto = await desk.party("Otto")
    signers = [{"party": str(vera.id), "signs": signs}, {"party": str(otto.id)}]
    places = [place("signature-2", "signature", 2)]
    places += [place("signature-1", "signature", 1)] if signs else []
    draft = await desk.draft(vera.id, otto.id, signers=signers, fields=places)
    return await desk.session_of(await desk.send(draft))


@pytest.mark.parametrize(
    ("locale", "signs", "names"),
    [
        ("en", True, ("Signature request", "Review and sign")),
        ("de-AT", True, ("Unterschrift", "Lesen und unterschreiben")),
        ("en", False, ("Confirmation request", "Review and confirm")),
        ("de-AT", False, ("Bestätigung", "Prüfen und bestätigen")),
    ],
)
async def test_each_signer_reads_its_names_in_their_own_language(
    house: House, locale: str, signs: bool, names: tuple[str, str]
) -> None:
    # PS-43, PS-42
    session = await asked(Desk(house), locale, signs=signs)
    (task,) = await house.tasks(session)
    assert ((await house.session(session)).title, task.title) == names


@pytest.mark.parametrize(
    ("locale", "signs", "subject", "said"),
    [
        ("en", True, "Request to Sign from Demo Ltd", "asks you to read and sign"),
        ("en", False, "Request to Confirm from Demo Ltd", "You do not have to sign."),
        ("de", True, "Bitte um Unterschrift von Demo Ltd", "zu lesen und zu unterschreiben"),
        ("de", False, "Bitte um Bestätigung von Demo Ltd", "und es zu bestätigen."),
    ],
)
async def test_the_mail_asks_for_what_is_wanted_of_whom_it_is_to(
    house: House, locale: str, signs: bool, subject: str, said: str
) -> None:
    # PS-42, PS-43: when it is sent, and each time that it is sent again.
    session = await asked(Desk(house), locale, signs=signs)
    house.clock.turn(minutes=2)
    async with house.transactions.work() as work:
        await resend(work, house.target(await house.session(session)))
    for mail in await house.mails(session):
        async with house.transactions.work() as work:
            draft, _ = await compose_mail(work, mail.id)
        assert draft is not None
        assert draft.rendered.subject == subject
        assert said in " ".join(draft.rendered.text.split())
        buttons = ("Review and sign", "Lesen und unterschreiben")
        assert any(each in draft.rendered.html for each in buttons) is signs
    assert len(await house.mails(session)) == 2


async def test_whoever_only_reads_is_asked_the_same_again(house: House) -> None:
    """PS-34, PS-42: with a session that is issued anew."""
    session = await asked(Desk(house), "en", signs=False)
    async with house.transactions.work() as work:
        target = house.target(await house.session(session))
        new = (await reissue(work, target, "it ran out")).session.id
    (task,), (mail,) = await house.tasks(new), await house.mails(new)
    assert (task.title, mail.kind) == ("Review and confirm", "confirmation_request")
