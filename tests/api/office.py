"""Members of a house's workspace, and their programs: what tests of the API sign in with."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from commands.member import invite_member, set_password
from commands.member_admission import begin_session
from commands.member_session import Browser
from commands.member_token import first_tokens
from commands.password import hashed
from commands.setting import ChangeSettings, change_settings
from commands.token import CreateToken, create_token
from commands.work import Work
from domain.actor import OPERATOR
from domain.member import MemberFields, Role
from domain.member_token import Tokens
from domain.sign_in import SignInMode
from store.member import MemberRow, member_by_id
from store.member_session import MemberSessionRow
from store.workspace import workspace_by_id
from tests.rooms.house import House

PASSWORD = "correct horse battery"
TOKEN = "/api/v1/token"


@dataclass(slots=True)
class Office:
    """A workspace whose members sign in over the API."""

    house: House
    app: FastAPI
    client: AsyncClient
    """Somebody without a token."""
    workspace: str
    kept: str

    async def member(
        self, role: Role = Role.ADMIN, email: str = "anna@office.example"
    ) -> MemberRow:
        """Somebody with an account."""
        async with self.house.transactions.work() as work:
            fields = MemberFields(email, "Anna Berg", role)
            invited = await invite_member(work, self.house.workspace_id, fields, OPERATOR)
        async with self.house.transactions.work() as work:
            token = work.keyring.member_link_token(invited.link.id, invited.link.key_version)
            return await set_password(work, self.house.workspace_id, token, self.kept)

    async def ask(self, **fields: str) -> Response:
        """Asks for tokens with a password."""
        known = {"workspace": self.workspace, "username": "anna@office.example"}
        typed = {"grant_type": "password", "password": PASSWORD}
        return await self.client.post(TOKEN, data=known | typed | fields)

    async def tokens(self, **fields: str) -> dict[str, Any]:
        """Tokens that were given."""
        answer = await self.ask(**fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def programs(self, member_id: UUID, count: int) -> list[Tokens]:
        """Tokens of programs of a member that are signed in, all in one transaction."""
        async with self.house.transactions.work() as work:
            member = await member_by_id(work.db, self.house.workspace_id, member_id, lock=True)
            assert member is not None
            return [await first_tokens(work, await _session(work, member)) for _ in range(count)]

    async def refresh(self, token: str) -> Response:
        """Asks for the next pair."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.client.post(TOKEN, data=form)

    async def is_good(self, access: str) -> bool:
        """Whether an access token opens anything."""
        from tests.api.conftest import caller

        async with caller(self.app, access) as member:
            return (await member.get("/api/v1/members")).status_code == 200

    async def set(self, **values: Any) -> None:
        """Sets the workspace's own settings."""
        named = {name.replace("_", ".", 1): value for name, value in values.items()}
        wanted = ChangeSettings(self.house.workspace_id, named, OPERATOR)
        async with self.house.transactions.work() as work:
            await change_settings(work, wanted)

    async def sessions(self) -> list[MemberSessionRow]:
        """Every session's row."""
        return await self.house.all(MemberSessionRow)

    async def program(self, role: Role) -> str:
        """A token made at the command line."""
        async with self.house.transactions.work() as work:
            workspace = await workspace_by_id(work.db, self.house.workspace_id)
            _, text = await create_token(work, workspace, CreateToken("tests", role=role))
            return text


async def _session(work: Work, member: MemberRow) -> MemberSessionRow:
    browser = Browser(name="program", takes_tokens=True)
    begun = await begin_session(work, member, SignInMode.PASSWORD, browser)
    assert begun.session is not None
    return begun.session


async def office_of(house: House, app: FastAPI, client: AsyncClient) -> Office:
    """The office of a house."""
    async with house.transactions.work() as work:
        workspace = await workspace_by_id(work.db, house.workspace_id)
    return Office(house, app, client, workspace.key, await hashed(PASSWORD))
