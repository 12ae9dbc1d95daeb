"""A directory that provisions a house's members over SCIM."""

from dataclasses import dataclass
from typing import Any

from httpx2 import AsyncClient, Response

from commands.token import CreateToken, create_token
from domain.token import TokenKind
from store.workspace import workspace_by_id
from tests.rooms.house import House

SCIM = "/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
ANNA = "anna@office.example"


async def scim_token(house: House, workspace_id: object = None, **more: Any) -> str:
    """A new token for SCIM of the house's workspace, or of another one."""
    wanted = CreateToken("directory", kind=TokenKind.SCIM, **more)
    async with house.transactions.work() as work:
        workspace = await workspace_by_id(work.db, workspace_id or house.workspace_id)  # type: ignore[arg-type]  # an id
        return (await create_token(work, workspace, wanted))[1]


@dataclass(slots=True)
class Directory:
    """What a directory does with one token."""

    client: AsyncClient

    async def create(self, email: str = ANNA, status: int = 201, **more: Any) -> Any:
        """A user."""
        body = {"schemas": [USER], "userName": email, "displayName": "Anna Berg"} | more
        return told(await self.client.post(f"{SCIM}/Users", json=body), status)

    async def user(self, user_id: str, status: int = 200) -> Any:
        """A user as it is now."""
        return told(await self.client.get(f"{SCIM}/Users/{user_id}"), status)

    async def group(self, name: str) -> list[str]:
        """Who is in a group."""
        found = told(await self.client.get(f"{SCIM}/Groups/{name}"), 200)
        return [each["value"] for each in found.get("members", [])]

    async def patch(
        self, path: str, *operations: dict[str, Any], status: int = 204, **headers: str
    ) -> Any:
        """Changes a user or group."""
        body = {"schemas": [PATCH], "Operations": list(operations)}
        answer = await self.client.patch(f"{SCIM}/{path}", json=body, headers=headers)
        return told(answer, status)

    async def set_active(self, user_id: str, active: bool, status: int = 204) -> Any:
        """Lets a user in or out."""
        wanted = {"op": "replace", "path": "active", "value": active}
        return await self.patch(f"Users/{user_id}", wanted, status=status)

    async def add(self, group: str, user_id: str, status: int = 204) -> Any:
        """Puts a user into a group."""
        wanted = {"op": "add", "path": "members", "value": [{"value": user_id}]}
        return await self.patch(f"Groups/{group}", wanted, status=status)

    async def take(self, group: str, user_id: str, status: int = 204) -> Any:
        """Takes a user out of a group."""
        wanted = {"op": "remove", "path": f'members[value eq "{user_id}"]'}
        return await self.patch(f"Groups/{group}", wanted, status=status)

    async def delete(self, user_id: str, status: int = 204) -> Any:
        """Deletes a user."""
        return told(await self.client.delete(f"{SCIM}/Users/{user_id}"), status)

    async def find(self, text: str, what: str = "Users", **query: Any) -> Any:
        """What a filter finds."""
        wanted = {"filter": text} | query
        return told(await self.client.get(f"{SCIM}/{what}", params=wanted), 200)


def told(answer: Response, status: int) -> Any:
    """What an answer says, and SCIM says it; nothing for an empty one."""
    assert answer.status_code == status, answer.text
    if not answer.content:
        return None
    assert answer.headers["content-type"].startswith("application/scim+json")
    body = answer.json()
    if status >= 400:
        assert body["schemas"] == [ERROR]
        assert body["status"] == str(status)
    return body
