"""Members, programs and parties never stand in for each other (PS-1, PS-2)."""

from uuid import UUID

from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.api.conftest import BASE, caller
from tests.api.factories import furnish, get, make_session, post
from tests.rooms.house import House
from tests.rooms.party_browser import browser_at


async def test_a_workspace_token_opens_no_room_and_binds_no_browser(client: AsyncClient) -> None:
    """PS-2: a public session is not a way of working for members."""
    await furnish(client)
    session = await make_session(client)
    room = await client.get(f"{BASE}/sessions/{session['id']}")
    nobody = await client.get(f"{BASE}/sessions/01a2050c-60bf-77b6-9005-cdf9a62de868")
    assert (room.status_code, nobody.status_code) == (404, 404)
    assert (await get(client, f"/public-sessions/{session['id']}"))["status"] == "issued"


async def test_a_partys_cookie_opens_nothing_of_the_workspace(
    app: FastAPI, client: AsyncClient, house: House
) -> None:
    """PS-1, PS-31: a verified party has its tasks, and no account."""
    await furnish(client)
    session = await make_session(client)
    async with browser_at(app, house, BASE) as party:
        await party.verify(UUID(session["id"]))
        assert (await party.get(f"/sessions/{session['id']}")).status_code == 200
        for path in ("public-sessions", "parties", "audit", "settings", "session-templates"):
            assert (await party.get(f"/api/v1/{path}")).status_code == 401


async def test_there_is_no_session_without_a_party_and_a_template(client: AsyncClient) -> None:
    """PS-2: nothing is issued for work outside the workspace."""
    await furnish(client)
    for body in ({}, {"template": "survey"}, {"party": "anna@example.com", "template": "survey"}):
        answer = await client.post("/public-sessions", json=body)
        assert answer.status_code in {404, 422}
    assert (await get(client, "/public-sessions"))["items"] == []


async def test_without_a_token_nothing_is_issued(app: FastAPI, client: AsyncClient) -> None:
    """PS-18: only the workspace issues."""
    await furnish(client)
    async with caller(app) as stranger:
        await post(stranger, "/public-sessions", {}, 401)
