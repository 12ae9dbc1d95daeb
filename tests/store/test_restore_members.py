"""After a restore every member signs in anew: what was ended since the backup is not known."""

import pytest
import pytest_asyncio

from adapters.embedded.postgres import Postgres
from adapters.objects import ObjectStore
from commands.member_link import LinkKind, make_link, open_link
from commands.member_session import Browser, SignedIn, look_for_member
from commands.sign_in import PasswordSignIn, sign_in
from commands.sign_in_code import CodeTyped, Proven, sign_in_with_code
from commands.trusted_device import end_trust
from domain.actor import OPERATOR
from domain.member_errors import LinkOver, SecondFactorAsked
from store.audit import AuditRow
from store.known_device import KnownDeviceRow
from store.mail import MailRow
from store.member import MemberRow, member_by_id
from store.trusted_device import TrustedDeviceRow
from tests.rooms.authenticator import Phone, give_phone
from tests.rooms.house import House
from tests.rooms.member_browser import EMAIL, PASSWORD, make_member, set_here
from tests.store.test_restore import Backup, go_through, house, laid, objects

__all__ = ["house", "objects"]  # fixtures


@pytest_asyncio.fixture
async def anna(house: House) -> tuple[MemberRow, Phone]:
    """Anna, who has an app."""
    await set_here(house, session_idle_warning_after=3600)
    member = await make_member(house)
    phone, _ = await give_phone(house, member)
    return member, phone


def shown(house: House, browser: Browser) -> PasswordSignIn:
    return PasswordSignIn(house.workspace_id, EMAIL, PASSWORD, browser)


async def trusting(house: House, phone: Phone, device: str) -> tuple[str, str]:
    """Signs in with a code and trusts the browser; its secrets."""
    with pytest.raises(SecondFactorAsked) as asked:
        await sign_in(house.transactions, shown(house, Browser(device=device)))
    code, browser = phone.code(house.clock.now), Browser(name="Chromium", device=device)
    typed = CodeTyped(house.workspace_id, asked.value.step, code, browser, trusts=True)
    async with house.transactions.work() as work:
        proven = await sign_in_with_code(work, typed)
    assert isinstance(proven, Proven)
    assert proven.trusted is not None
    return getattr(proven.begun, "secret", ""), proven.trusted.secret


async def is_signed_in(house: House, secret: str) -> bool:
    async with house.transactions.work() as work:
        found = await look_for_member(work, house.workspace_id, secret)
    return isinstance(found, SignedIn)


async def link_to(house: House, member: MemberRow) -> str:
    """The token of a link to a new password."""
    async with house.transactions.work() as work:
        row = await member_by_id(work.db, house.workspace_id, member.id)
        assert row is not None
        link = await make_link(work, row, LinkKind.FORGOT_PASSWORD)
        return work.keyring.member_link_token(link.id, link.key_version)


async def test_a_trust_that_was_ended_since_the_backup_does_not_come_back(
    house: House, objects: ObjectStore, postgres_server: Postgres, anna: tuple[MemberRow, Phone]
) -> None:
    # SH-11: the trusted browser was lost, and its owner has said so
    member, phone = anna
    secret, trusted = await trusting(house, phone, "d" * 43)
    token = await link_to(house, member)
    await laid(house, objects)
    backup = await Backup.taken(postgres_server, house)
    async with house.transactions.work() as work:
        (device,) = await house.all(TrustedDeviceRow)
        await end_trust(work, member, device.id, OPERATOR)
    await laid(house, objects)
    await backup.restored()
    assert await is_signed_in(house, secret), "it is as it was"
    assert len(await house.all(TrustedDeviceRow)) == 1

    restoration = await go_through(house, objects, backup.at)
    assert restoration.done["Members"] == 1
    assert not await is_signed_in(house, secret)
    assert await house.all(TrustedDeviceRow) == []
    assert await house.all(KnownDeviceRow) == []
    with pytest.raises(SecondFactorAsked):
        await sign_in(house.transactions, shown(house, Browser(trusted=(trusted,))))
    async with house.transactions.work() as work:
        with pytest.raises(LinkOver):
            await open_link(work, house.workspace_id, token)
    ended = [e for e in await house.all(AuditRow) if e.event == "member_session.ended"]
    assert [(e.actor, e.details["reason"]) for e in ended] == [("operator:cli", "killed")]

    # Twice is once, and whoever signs in now is told of it: no browser is known any more.
    assert (await go_through(house, objects, backup.at)).done["Members"] == 0
    house.clock.turn(seconds=60)
    await trusting(house, phone, "d" * 43)
    kinds = [each.kind for each in await house.all(MailRow)]
    assert kinds.count("member_new_device") == 1
