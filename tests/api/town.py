"""Two workspaces beside each other, and everybody who may not come to the first one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from httpx2 import AsyncClient

from commands.token import revoke_token
from commands.workspace import CreateWorkspace, create_workspace, find_workspace
from domain.member import Role
from store.member_session import MemberSessionRow
from store.token import tokens_of
from store.workspace import workspace_by_id
from tests.api.conftest import BASE, caller
from tests.api.directory import scim_token
from tests.api.factories import UNKNOWN, furnish, make_session
from tests.api.office import PASSWORD, Office, office_of
from tests.rooms.agreements import Desk
from tests.rooms.house import House
from tests.rooms.member_browser import member_browser
from tests.rooms.party_browser import browser_at


@dataclass(frozen=True, slots=True)
class Town:
    """A workspace with one of each thing, and another with the same."""

    office: Office
    ids: dict[str, str]
    session: UUID
    other: Office
    others: dict[str, str]
    other_session: UUID


async def town_of(office: Office) -> Town:
    """The office's workspace with another one beside it."""
    house = office.house
    async with house.transactions.work() as work:
        await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
    async with house.transactions.work() as work:
        found = await find_workspace(work, "other")
    there = House(house.engine, house.transactions, house.clock, found.id)
    other = await office_of(there, office.app, office.client)
    (ids, session), (others, other_session) = await things(office), await things(other)
    return Town(office, ids, session, other, others, other_session)


async def things(office: Office) -> tuple[dict[str, str], UUID]:
    """What the paths of a workspace's pages can name, and a party's session."""
    async with caller(office.app, await office.program(Role.ADMIN)) as client:
        await furnish(client)
        public = UUID((await make_session(client))["id"])
    member = await office.member(email="anna@office.example")
    await office.tokens()
    rows = await office.sessions()
    (row,) = [each for each in rows if each.workspace_id == office.house.workspace_id]
    vendor = (await office.house.create(kind="signer", email="vera@signer.example")).party
    agreement = (await Desk(office.house).draft(vendor.id)).row
    words = {"number": "1", "position": "1", "mail": "invitation", "language": "en"}
    words |= {"agreement_id": str(agreement.id)}
    rest = dict.fromkeys(("delegation_id", "device_id", "passkey_id", "upload_id"), UNKNOWN)
    words |= {"verb": "disable", "rest": "set-up", "key": "yes", "workspace": office.workspace}
    return words | rest | {"member_id": str(member.id), "session_id": str(row.id)}, public


@asynccontextmanager
async def somebody(who: str, town: Town) -> AsyncIterator[AsyncClient]:
    """Somebody with something that is good elsewhere, or was good once."""
    async with AsyncExitStack() as ends:
        if who in BEARERS:
            shown = await BEARERS[who](town.office)
            yield await ends.enter_async_context(caller(town.office.app, shown))
        elif who == "another party":
            opened = browser_at(town.office.app, town.office.house, BASE)
            party = await ends.enter_async_context(opened)
            async with caller(town.office.app, await town.office.program(Role.ADMIN)) as client:
                await party.verify(UUID((await make_session(client))["id"]))
            yield party.client
        else:
            office = town.other if who == "member elsewhere" else town.office
            opened_console = member_browser(office.app, office.house, BASE)
            member = await ends.enter_async_context(opened_console)
            assert (await member.sign_in("anna@office.example", PASSWORD)).status_code == 303
            if who == "member of yore":
                await end_sessions(office)
            yield member.party.client


async def end_sessions(office: Office) -> None:
    async with office.house.transactions.work() as work:
        for each in await office.sessions():
            row = await work.db.get(MemberSessionRow, each.id)
            await work.db.delete(row)


async def nothing(office: Office) -> str:
    return ""


async def program(office: Office) -> str:
    return await office.program(Role.ADMIN)


async def member_program(office: Office) -> str:
    return str((await office.tokens())["access_token"])


async def directory(office: Office) -> str:
    return await scim_token(office.house)


async def revoked_directory(office: Office) -> str:
    text = await scim_token(office.house)
    async with office.house.transactions.work() as work:
        workspace = await workspace_by_id(work.db, office.house.workspace_id)
        for row in await tokens_of(work.db, workspace.id):
            await revoke_token(work, workspace, row.id)
    return text


BEARERS = {
    "nobody": nothing,
    "program": program,
    "member's program": member_program,
    "directory": directory,
    "directory of yore": revoked_directory,
}
