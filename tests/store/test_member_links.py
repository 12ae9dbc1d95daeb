"""Links to members: what they lead to, once, and until when (SH-7, SH-8)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from commands.account_deletion import AskDeletion, ask_deletion, delete_account
from commands.forgotten_password import mail_new_password_link
from commands.member import disable_member, invite_member, set_password
from commands.member_link import LinkKind, open_link
from commands.member_session import Browser, SignedIn, recognise_member
from commands.password import hashed
from commands.setting import ChangeSettings, change_settings
from commands.sign_in import PasswordSignIn, sign_in
from domain.actor import OPERATOR
from domain.errors import MailTooSoon, NotFound
from domain.member import MemberFields, Role
from domain.member_errors import LastAdministrator, LinkOver, PasswordRefused, SignInRefused
from store.access import LoginRow
from store.audit import AuditRow
from store.data_key import DataKeyRow
from store.mail import MailRow
from store.member import MemberRow, member_by_id
from store.member_link import MemberLinkRow
from store.member_session import MemberSessionRow
from tests.rooms.house import NOBODY, Clock, House, bare_house
from tests.rooms.members import PASSWORD, invite, newest_link, register

ADMIN, EMAIL = "root@office.example", "anna@office.example"
KINDS = list(LinkKind)


@pytest_asyncio.fixture
async def house(module_database_url: str) -> AsyncIterator[House]:
    """A workspace with an administrator."""
    # Sixteen may wait for one row; on a busy machine that takes longer than in life.
    patience = timedelta(seconds=10)
    async with bare_house(
        module_database_url, clock=Clock(), database_lock_timeout=patience
    ) as house:
        await register(house, ADMIN, Role.ADMIN)
        yield house


async def signed_in(house: House, email: str = EMAIL) -> str:
    wanted = PasswordSignIn(house.workspace_id, email, PASSWORD, Browser("", "Chromium"))
    return (await sign_in(house.transactions, wanted)).secret


async def ask(house: House, secret: str, password: str = PASSWORD) -> None:
    await ask_deletion(house.transactions, AskDeletion(house.workspace_id, secret, password))


async def forget(house: House, email: str = EMAIL) -> None:
    async with house.transactions.work() as work:
        await mail_new_password_link(work, house.workspace_id, email)


async def linked(house: House, kind: LinkKind) -> str:
    """A fresh link of a kind, made as a person would have it made."""
    if kind is LinkKind.INVITATION:
        member = await invite(house, EMAIL)
    else:
        member = await register(house, EMAIL)
    if kind is LinkKind.FORGOT_PASSWORD:
        await forget(house)
    if kind is LinkKind.DELETE_ACCOUNT:
        await ask(house, await signed_in(house))
    return await newest_link(house, member.id, kind)


async def use(house: House, kind: LinkKind, token: str) -> None:
    """What the page behind a link does."""
    async with house.transactions.work() as work:
        if kind is LinkKind.DELETE_ACCOUNT:
            await delete_account(work, house.workspace_id, token)
        else:
            await set_password(work, house.workspace_id, token, "a hash")


async def opened(house: House, token: str) -> LinkKind:
    async with house.transactions.work() as work:
        return LinkKind((await open_link(work, house.workspace_id, token)).row.kind)


async def mails(house: House, kind: str) -> list[MailRow]:
    return [each for each in await house.all(MailRow) if each.kind == kind]


async def member(house: House, email: str = EMAIL) -> MemberRow:
    (found,) = [each for each in await house.all(MemberRow) if each.email == email]
    return found


async def events(house: House) -> list[str]:
    return [each.event for each in await house.all(AuditRow)]


# Every kind.


@pytest.mark.parametrize("kind", KINDS)
async def test_opening_changes_nothing_and_using_is_once(house: House, kind: LinkKind) -> None:
    # SX-7
    token = await linked(house, kind)
    before = len(await house.all(AuditRow))
    assert [await opened(house, token) for _ in range(3)] == [kind] * 3
    assert len(await house.all(AuditRow)) == before
    await use(house, kind, token)
    with pytest.raises(LinkOver):
        await use(house, kind, token)
    with pytest.raises(LinkOver):
        await opened(house, token)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_link_is_good_until_its_last_second(house: House, kind: LinkKind) -> None:
    # SH-7, SH-8: 60 minutes each
    token = await linked(house, kind)
    house.clock.turn(minutes=59, seconds=59)
    assert await opened(house, token) is kind
    house.clock.turn(seconds=2)
    for each in (opened(house, token), use(house, kind, token)):
        with pytest.raises(LinkOver):
            await each
    house.clock.turn(seconds=-2)
    await use(house, kind, token)


@pytest.mark.parametrize("kind", KINDS)
async def test_sixteen_at_once_are_one(house: House, kind: LinkKind) -> None:
    token = await linked(house, kind)
    fared = await asyncio.gather(
        *(use(house, kind, token) for _ in range(16)), return_exceptions=True
    )
    assert Counter(type(each).__name__ for each in fared) == {"NoneType": 1, "LinkOver": 15}


async def test_a_link_opens_nothing_in_another_workspace(house: House) -> None:
    token = await linked(house, LinkKind.INVITATION)
    async with house.transactions.work() as work:
        for each in (token, "", "nothing"):
            with pytest.raises(NotFound):
                await open_link(work, NOBODY, each)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (LinkKind.DELETE_ACCOUNT, LinkKind.INVITATION),
        (LinkKind.INVITATION, LinkKind.DELETE_ACCOUNT),
    ],
)
async def test_a_link_is_good_for_what_it_was_mailed_for_alone(
    house: House, kind: LinkKind, wrong: LinkKind
) -> None:
    token = await linked(house, kind)
    with pytest.raises(NotFound):
        await use(house, wrong, token)
    assert await opened(house, token) is kind


async def test_a_changed_setting_never_moves_a_stated_end(house: House) -> None:
    # SH-20
    token = await linked(house, LinkKind.INVITATION)
    async with house.transactions.work() as work:
        values = {"link.invitation": 300}
        await change_settings(work, ChangeSettings(house.workspace_id, values, OPERATOR))
    house.clock.turn(minutes=59)
    assert await opened(house, token) is LinkKind.INVITATION
    await invite(house, "ben@office.example")
    ben = await member(house, "ben@office.example")
    late = await newest_link(house, ben.id, LinkKind.INVITATION)
    house.clock.turn(minutes=5)
    with pytest.raises(LinkOver):
        await opened(house, late)


async def test_using_a_link_and_disabling_its_owner_never_wait_in_a_ring(house: House) -> None:
    token = await linked(house, LinkKind.FORGOT_PASSWORD)
    anna = await member(house)

    async def disable() -> None:
        async with house.transactions.work() as work:
            await disable_member(work, house.workspace_id, anna.id, OPERATOR)

    doings: list[Callable[[], Awaitable[None]]] = [
        disable,
        lambda: use(house, LinkKind.FORGOT_PASSWORD, token),
    ]
    fared = await asyncio.gather(*(each() for each in doings * 4), return_exceptions=True)
    assert {type(each) for each in fared} <= {type(None), LinkOver, NotFound}


# Forgotten passwords.


async def test_who_forgot_the_password_chooses_another_and_is_told(house: House) -> None:
    # SH-8; ASVS 6.3.7
    token = await linked(house, LinkKind.FORGOT_PASSWORD)
    secret = await signed_in(house)
    kept = await hashed("another good password")
    async with house.transactions.work() as work:
        await set_password(work, house.workspace_id, token, kept)
    async with house.transactions.work() as work:
        found = await recognise_member(work, house.workspace_id, secret, acting=False)
    assert not isinstance(found, SignedIn)
    with pytest.raises(SignInRefused):
        await signed_in(house)
    (notice,) = await mails(house, "member_password_changed")
    assert notice.member_id == (await member(house)).id
    assert notice.member_link_id is None


async def test_an_unknown_address_gets_nothing(house: House) -> None:
    before = len(await house.all(MailRow))
    for each in ("nobody@office.example", "", "x" * 500):
        await forget(house, each)
    assert len(await house.all(MailRow)) == before


async def test_a_disabled_member_gets_nothing(house: House) -> None:
    anna = await register(house, EMAIL)
    async with house.transactions.work() as work:
        await disable_member(work, house.workspace_id, anna.id, OPERATOR)
    await forget(house)
    assert await mails(house, "member_password_reset") == []


async def test_who_was_invited_gets_a_fresh_invitation(house: House) -> None:
    anna = await invite(house, EMAIL)
    first = await newest_link(house, anna.id, LinkKind.INVITATION)
    house.clock.turn(minutes=61)
    await forget(house, EMAIL.upper())
    later = await newest_link(house, anna.id, LinkKind.INVITATION)
    assert later != first
    assert await opened(house, later) is LinkKind.INVITATION
    assert await mails(house, "member_password_reset") == []


async def test_five_mails_an_hour_and_no_more(house: House) -> None:
    await register(house, EMAIL)
    for _ in range(7):
        await forget(house)
        house.clock.turn(minutes=1)
    assert len(await mails(house, "member_password_reset")) == 5
    house.clock.turn(minutes=53)
    await forget(house)
    assert len(await mails(house, "member_password_reset")) == 6


# Deleting one's account.


async def test_a_deleted_account_is_empty_and_its_sessions_and_links_are_over(
    house: House,
) -> None:
    token = await linked(house, LinkKind.DELETE_ACCOUNT)
    await forget(house)
    anna = await member(house)
    other = await newest_link(house, anna.id, LinkKind.FORGOT_PASSWORD)
    secret = await signed_in(house)
    await use(house, LinkKind.DELETE_ACCOUNT, token)
    async with house.transactions.work() as work:
        row = await member_by_id(work.db, house.workspace_id, anna.id)
        assert row is not None
        assert (row.state, row.email_digest, row.sealed, row.name) == ("deleted", None, None, "")
        assert row.deleted_at == work.at
        assert (await work.db.get_one(DataKeyRow, anna.id)).wrapped is None
        found = await recognise_member(work, house.workspace_id, secret, acting=False)
        assert not isinstance(found, SignedIn)
    with pytest.raises(LinkOver):
        await opened(house, other)
    with pytest.raises(SignInRefused):
        await signed_in(house)
    assert (await events(house)).count("member.deleted") == 1
    assert all(each.used_at for each in await links(house, anna))
    tables: tuple[Any, ...] = (LoginRow, MemberSessionRow, MailRow)
    for table in tables:
        of_anna = [each for each in await house.all(table) if each.member_id == anna.id]
        assert [each.sealed for each in of_anna] == [None] * len(of_anna)


async def links(house: House, of: MemberRow) -> list[MemberLinkRow]:
    return [each for each in await house.all(MemberLinkRow) if each.member_id == of.id]


async def test_nobody_finds_a_deleted_members_mails_by_its_address(house: House) -> None:
    token = await linked(house, LinkKind.DELETE_ACCOUNT)
    anna = await member(house)
    await use(house, LinkKind.DELETE_ACCOUNT, token)
    digest = house.transactions.keyring.address_digest(EMAIL)
    of_anna = [each for each in await house.all(MailRow) if each.member_id == anna.id]
    assert of_anna
    assert digest not in {each.recipient_digest for each in of_anna}


async def test_a_deleted_address_can_be_invited_again(house: House) -> None:
    await use(house, LinkKind.DELETE_ACCOUNT, await linked(house, LinkKind.DELETE_ACCOUNT))
    again = await register(house, EMAIL)
    assert len(await house.all(MemberRow)) == 3
    assert again.state == "active"
    assert await signed_in(house)


async def test_the_last_administrator_stays(house: House) -> None:
    secret = await signed_in(house, ADMIN)
    with pytest.raises(LastAdministrator):
        await ask(house, secret)
    await register(house, EMAIL, Role.ADMIN)
    await ask(house, secret)
    root = await member(house, ADMIN)
    token = await newest_link(house, root.id, LinkKind.DELETE_ACCOUNT)
    anna = await member(house)
    async with house.transactions.work() as work:
        await disable_member(work, house.workspace_id, anna.id, OPERATOR)
    with pytest.raises(LastAdministrator):
        await use(house, LinkKind.DELETE_ACCOUNT, token)
    assert await opened(house, token) is LinkKind.DELETE_ACCOUNT


async def test_two_administrators_cannot_both_delete_themselves_at_once(house: House) -> None:
    await register(house, EMAIL, Role.ADMIN)
    tokens = []
    for email in (ADMIN, EMAIL):
        await ask(house, await signed_in(house, email))
        who = await member(house, email)
        tokens.append(await newest_link(house, who.id, LinkKind.DELETE_ACCOUNT))
    fared = await asyncio.gather(
        *(use(house, LinkKind.DELETE_ACCOUNT, each) for each in tokens), return_exceptions=True
    )
    assert Counter(type(e).__name__ for e in fared) == {"NoneType": 1, "LastAdministrator": 1}


async def test_the_password_is_asked_again_and_wrong_ones_lock(house: House) -> None:
    # SX-16
    await register(house, EMAIL)
    secret = await signed_in(house)
    for _ in range(10):
        with pytest.raises(PasswordRefused, match="not the present"):
            await ask(house, secret, "wrong")
    with pytest.raises(PasswordRefused, match="locked"):
        await ask(house, secret)
    assert await mails(house, "member_account_deletion") == []
    assert len(await mails(house, "member_locked")) == 1


async def test_deletion_is_mailed_five_times_an_hour_at_most(house: House) -> None:
    await register(house, EMAIL)
    secret = await signed_in(house)
    for _ in range(5):
        await ask(house, secret)
    with pytest.raises(MailTooSoon):
        await ask(house, secret)
    assert len(await mails(house, "member_account_deletion")) == 5


async def test_inviting_mails_in_the_transaction_of_the_fact(house: House) -> None:
    async with house.transactions.work() as work:
        fields = MemberFields("gone@office.example", "Gone", Role.AUDITOR)
        await invite_member(work, house.workspace_id, fields, OPERATOR)
        await work.db.rollback()
    # The administrator's own is all there is.
    assert len(await mails(house, "member_invitation")) == 1
