"""A workspace's own words in its mails, and the defaults it keeps (SH-16, SH-17, C19)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio

from commands.mail_content import (
    MailPlace,
    ShownContent,
    change_mail_content,
    list_mail_contents,
    reset_mail_content,
    show_mail_content,
)
from commands.mail_draft import compose_mail
from commands.workspace import CreateWorkspace, create_workspace
from domain.actor import OPERATOR
from domain.errors import NotFound
from domain.mail import MailKind
from domain.mail_content import MailText
from domain.member_errors import MailContentMoved, MailContentRefused
from store.audit import AuditRow
from store.mail import MailRow
from store.mail_content import MailContentRow
from store.workspace import workspace_by_id
from tests.rooms.house import Clock, House, bare_house
from tests.rooms.mail_defaults import newer_default
from tests.rooms.members import invite

OWN = MailText("Welcome, {{ member_name }}", "Here:\n\n{{ link }}\n\n({{ left }} left)\n")
OTHER = MailText("Come in", "{{ link }}\n{{ left }}\n")
NEWER = "Become a member of {{ workspace_name }}"


@pytest_asyncio.fixture
async def house(module_database_url: str) -> AsyncIterator[House]:
    """A workspace that wrote nothing itself."""
    async with bare_house(module_database_url, clock=Clock()) as house:
        yield house


@pytest.fixture
def newer_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A release with a second version of the invitation's text."""
    with newer_default(tmp_path, monkeypatch, MailKind.MEMBER_INVITATION, subject=NEWER):
        yield


def place(house: House, language: str = "en") -> MailPlace:
    return MailPlace(house.workspace_id, MailKind.MEMBER_INVITATION, language)


async def shown(house: House, language: str = "en") -> ShownContent:
    async with house.transactions.work() as work:
        return await show_mail_content(work, place(house, language))


async def change(house: House, text: MailText, language: str = "en") -> ShownContent:
    async with house.transactions.work() as work:
        return await change_mail_content(work, place(house, language), text, OPERATOR)


async def reset(house: House, language: str = "en") -> ShownContent:
    async with house.transactions.work() as work:
        return await reset_mail_content(work, place(house, language), OPERATOR)


async def mailed(house: House, email: str, locale: str = "en") -> EmailMessage:
    await invite(house, email, locale=locale)
    mail = (await house.all(MailRow))[-1]
    async with house.transactions.work() as work:
        draft, _ = await compose_mail(work, mail.id)
    assert draft is not None
    return draft.message()


async def events(house: House) -> list[str]:
    found = [each.event for each in await house.all(AuditRow)]
    return [each for each in found if each.startswith("mail_content")]


async def test_an_own_text_is_sent_as_text_and_html_in_its_language_alone(house: House) -> None:
    # SH-16
    await change(house, OWN)
    english = await mailed(house, "anna@office.example")
    assert english["Subject"] == "Welcome, Anna Berg"
    for kind in ("plain", "html"):
        body = english.get_body((kind,))
        assert body is not None
        assert "(00:01:00 left)" in body.get_content()
        assert "/links/" in body.get_content()
    german = await mailed(house, "ben@office.example", "de-AT")
    assert german["Subject"] == "Kontoaktivierung: Demo Ltd"


async def test_a_reset_discards_it(house: House) -> None:
    # SH-17
    before = await shown(house)
    assert (await change(house, OWN)).text == OWN
    assert (await shown(house)).is_own
    assert await reset(house) == await reset(house) == before
    assert await events(house) == ["mail_content.changed", "mail_content.reset"]
    assert await house_rows(house) == []


async def house_rows(house: House) -> list[MailContentRow]:
    async with house.transactions.work() as work:
        found = [
            await work.db.get(MailContentRow, (house.workspace_id, kind.value, language))
            for kind in MailKind
            for language in ("en", "de")
        ]
    return [each for each in found if each]


async def test_the_same_text_again_changes_nothing(house: House) -> None:
    await change(house, OWN)
    await change(house, OWN)
    assert await events(house) == ["mail_content.changed"]


async def test_a_faulty_text_is_refused_and_the_one_before_stays(house: House) -> None:
    await change(house, OWN)
    with pytest.raises(MailContentRefused) as refused:
        await change(house, MailText("", "no link"))
    assert [each.pointer for each in refused.value.faults] == ["/subject", "/body", "/body"]
    assert (await shown(house)).text == OWN


async def test_a_language_that_there_is_not_is_missing(house: House) -> None:
    for each in (shown(house, "xx"), change(house, OWN, "xx"), reset(house, "xx")):
        with pytest.raises(NotFound):
            await each


async def test_two_who_write_at_once_both_succeed(house: House) -> None:
    await asyncio.gather(change(house, OWN), change(house, OWN), reset(house, "de"))
    assert await events(house) == ["mail_content.changed"]


async def test_who_writes_over_another_text_than_was_read_is_refused(house: House) -> None:
    # SH-17: also where the other one commits while this one waits for its turn
    read = (await shown(house)).edition
    async with house.transactions.work() as work:
        await show_mail_content(work, place(house))
        await change(house, OWN)
        with pytest.raises(MailContentMoved):
            await change_mail_content(work, place(house), OTHER, OPERATOR, read)
    async with house.transactions.work() as work:
        with pytest.raises(MailContentMoved):
            await reset_mail_content(work, place(house), OPERATOR, read)
        now = await show_mail_content(work, place(house))
        assert now.text == OWN
        await change_mail_content(work, place(house), OTHER, OPERATOR, now.edition)
        changed = await show_mail_content(work, place(house))
        assert len({read, now.edition, changed.edition}) == 3
        await reset_mail_content(work, place(house), OPERATOR, changed.edition)
    assert (await shown(house)).edition == read


async def test_a_newer_default_is_another_edition(house: House, newer_release: None) -> None:
    before = (await shown(house)).edition
    assert (await reset(house)).edition != before


async def test_every_mail_is_listed_in_every_language(house: House) -> None:
    await change(house, OWN)
    async with house.transactions.work() as work:
        found = await list_mail_contents(work, house.workspace_id)
    assert len(found) == 2 * len(MailKind)
    assert [(each.kind, each.language) for each in found if each.is_own] == [
        ("member_invitation", "en")
    ]


async def test_a_text_that_todays_rules_refuse_is_not_sent(house: House) -> None:
    async with house.transactions.work() as work:
        work.db.add(
            MailContentRow(
                workspace_id=house.workspace_id,
                kind=MailKind.MEMBER_INVITATION,
                language="en",
                subject="Old",
                body="It has no link",
                changed_at=work.at,
            )
        )
    mail = await mailed(house, "anna@office.example")
    assert mail["Subject"] == "Account Activation: Demo Ltd"


async def test_a_workspace_keeps_the_default_it_was_created_with(
    house: House, newer_release: None
) -> None:
    # SH-16, C19: customised or not, and it is told that there is a newer one
    old = await shown(house)
    assert (old.version, old.newest) == (1, 2)
    assert (await mailed(house, "a@office.example"))["Subject"] == "Account Activation: Demo Ltd"
    await change(house, OWN)
    assert (await mailed(house, "b@office.example"))["Subject"] == "Welcome, Anna Berg"
    assert ((await shown(house)).version, (await shown(house)).newest) == (1, 2)
    fresh = await reset(house)
    assert (fresh.version, fresh.newest, fresh.text.subject) == (2, 2, NEWER)
    assert (await mailed(house, "c@office.example"))["Subject"] == "Become a member of Demo Ltd"
    # The other language was not reset.
    german = await mailed(house, "d@office.example", "de")
    assert german["Subject"] == "Kontoaktivierung: Demo Ltd"


async def test_a_workspace_that_never_wrote_anything_is_reset_to_the_newer_one_too(
    house: House, newer_release: None
) -> None:
    assert (await reset(house)).version == 2
    assert await events(house) == ["mail_content.reset"]


async def test_a_new_workspace_begins_with_the_newest(house: House, newer_release: None) -> None:
    async with house.transactions.work() as work:
        row = await create_workspace(work, CreateWorkspace("later", "Later Ltd"))
        assert (row.mail_versions or {})["member_invitation"] == 2
        found = await show_mail_content(work, MailPlace(row.id, MailKind.MEMBER_INVITATION, "en"))
    assert (found.version, found.newest) == (2, 2)


async def test_a_workspace_from_before_there_were_versions_has_the_first(
    house: House, newer_release: None
) -> None:
    async with house.transactions.work() as work:
        (await workspace_by_id(work.db, house.workspace_id)).mail_versions = None
    assert (await shown(house)).version == 1
