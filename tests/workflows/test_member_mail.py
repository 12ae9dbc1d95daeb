"""Mails to members on their way: real workers, a real SMTP socket, the link read from the mail."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from commands.account_deletion import AskDeletion, ask_deletion, delete_account
from commands.forgotten_password import mail_new_password_link
from commands.member import set_password
from commands.member_session import Browser
from commands.password import hashed
from commands.sign_in import PasswordSignIn, sign_in
from domain.member import Role
from store.mail import MailRow
from tests.rooms.members import PASSWORD, invite, register
from tests.rooms.works import Works, eventually, works

EMAIL = "anna@office.example"
LINK = re.compile(
    r"^http://localhost:8000/console/[a-z0-9-]+/links/([a-z2-7]{32})\r?$", re.MULTILINE
)
LATER = "451 4.7.1 try again later"


@pytest_asyncio.fixture
async def at(time_skipping: WorkflowEnvironment, database_url: str) -> AsyncIterator[Works]:
    """A house at work."""
    async with works(time_skipping, database_url) as at, at.working():
        await at.follow()
        yield at


async def arrived(at: Works, kind: str) -> EmailMessage:
    """The newest mail of a kind, once its workflow has handed it over; no time is skipped."""

    async def newest() -> MailRow:
        return [each for each in await at.house.all(MailRow) if each.kind == kind][-1]

    async def is_sent() -> bool:
        return (await newest()).state == "sent"

    await at.courier.drain()
    await eventually(is_sent)
    row = await newest()
    (mail,) = [each for each in at.office.taken if str(row.id) in each["Message-ID"]]
    assert mail["To"] == EMAIL
    return mail


def link_in(mail: EmailMessage) -> str:
    """The token of the link, which text and HTML both have."""
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    found = LINK.search(plain.get_content())
    assert found is not None, plain.get_content()
    assert html.get_content().count(f'href="{found[0].strip()}"') == 2
    return found[1]


async def set_by_link(at: Works, token: str, password: str) -> None:
    kept = await hashed(password)
    async with at.house.transactions.work() as work:
        await set_password(work, at.house.workspace_id, token, kept)


async def test_each_link_arrives_and_works(at: Works) -> None:
    # SH-7, SH-8, SH-15: from the invitation to the deletion
    house = at.house
    await register(house, "root@office.example", Role.ADMIN)
    await invite(house, EMAIL)
    await set_by_link(at, link_in(await arrived(at, "member_invitation")), PASSWORD)
    async with house.transactions.work() as work:
        await mail_new_password_link(work, house.workspace_id, EMAIL)
    await set_by_link(at, link_in(await arrived(at, "member_password_reset")), "another password")
    assert "was changed" in (await arrived(at, "member_password_changed"))["Subject"]
    wanted = PasswordSignIn(house.workspace_id, EMAIL, "another password", Browser())
    secret = (await sign_in(house.transactions, wanted)).secret
    asked = AskDeletion(house.workspace_id, secret, "another password")
    await ask_deletion(house.transactions, asked)
    token = link_in(await arrived(at, "member_account_deletion"))
    async with house.transactions.work() as work:
        await delete_account(work, house.workspace_id, token)


async def test_a_link_that_could_not_be_mailed_in_time_is_not_mailed_late(at: Works) -> None:
    # SH-7: nobody gets a link that is over
    at.office.answers[EMAIL].extend([LATER] * 50)
    await invite(at.house, EMAIL)
    (row,) = await at.house.all(MailRow)
    assert await at.mail_outcome(row.id) == "refused"
    (row,) = await at.house.all(MailRow)
    assert (row.state, row.detail) == ("refused", "link_over")
    assert at.office.taken == []
    assert at.office.tried[-1]["Date"].datetime - row.created_at < timedelta(hours=1)
    assert {each["Message-ID"] for each in at.office.tried} == {f"<{row.id}@gatepass.localhost>"}
