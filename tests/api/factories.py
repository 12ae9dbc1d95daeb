"""Bodies of the JSON API and short ways to make things, each with keyword overrides."""

from typing import Any
from uuid import uuid4

from httpx2 import AsyncClient, Response

from tests.rooms.house import DILIGENCE, DOCUMENT, FORM, INTAKE, LIFECYCLE

API = "/api/v1"
UNKNOWN = "01890000-0000-7000-8000-000000000000"


def a_party(**members: Any) -> dict[str, Any]:
    """A vendor."""
    return {"kind": "vendor", "name": "Vera Ltd", "email": "vera@vendor.example"} | members


def a_template(key: str = "survey", **members: Any) -> dict[str, Any]:
    """A template that is issued by hand, to anybody."""
    return {
        "key": key,
        "name": "Survey",
        "time_bound_days": 14,
        "reminders": {"days_before_end": [3, 1]},
        "tasks": [{"key": "yes", "kind": "confirmation", "title": "Say yes", "statement": "Yes."}],
    } | members


async def expect(answer: Response, status: int = 200) -> Any:
    """The answer's JSON, once its status is the expected one."""
    assert answer.status_code == status, answer.text
    return answer.json()


async def post(client: AsyncClient, path: str, body: Any = None, status: int = 201) -> Any:
    """Posts JSON."""
    return await expect(await client.post(API + path, json=body), status)


async def get(client: AsyncClient, path: str, **query: Any) -> Any:
    """Reads JSON."""
    return await expect(await client.get(API + path, params=query))


async def put(client: AsyncClient, path: str, body: Any, status: int = 200) -> Any:
    """Puts JSON."""
    return await expect(await client.put(API + path, json=body), status)


async def make_party(client: AsyncClient, **members: Any) -> Any:
    """A party that exists."""
    return await post(client, "/parties", a_party(**members))


async def make_template(client: AsyncClient, key: str = "survey", **members: Any) -> Any:
    """A template that is published."""
    await post(client, "/session-templates", a_template(key, **members))
    return await post(client, f"/session-templates/{key}/publish", status=200)


async def issue(client: AsyncClient, party: str, template: str = "survey", **members: Any) -> Any:
    """A public session that is issued."""
    body = {"template": template, "party": party} | members
    return await post(client, "/public-sessions", body)


async def make_session(client: AsyncClient, **members: Any) -> Any:
    """A public session with a template and a party of its own."""
    key = f"t-{uuid4().hex[:12]}"
    await make_template(client, key)
    party = await make_party(client, kind="guest", **members)
    return await issue(client, party["id"], key)


async def furnish(client: AsyncClient) -> None:
    """The definitions of a small procurement: intake, then due diligence."""
    await put(client, "/forms/profile", FORM)
    await put(client, "/documents/terms", DOCUMENT)
    await make_template(client, "intake", **INTAKE)
    await make_template(client, "diligence", **DILIGENCE)
    await put(client, "/lifecycles/vendor", LIFECYCLE)
