"""Every route of the API for everybody who may come (PS-1, PS-41, EE-16, RELIABILITY 6).

What is asked is generated from the OpenAPI document, so that a new route is asked too.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from api.permissions import OPEN, PERMISSION_OF
from commands.member import disable_member
from commands.member_session import SessionTarget, kill_session
from commands.token import revoke_token
from domain.actor import OPERATOR
from domain.member import Role
from domain.permission import PERMISSIONS, Permission, may
from store.access import PageVisitRow
from store.member_session import MemberSessionRow
from store.token import tokens_of
from store.workspace import workspace_by_id
from tests.api.conftest import BASE, caller
from tests.api.directory import scim_token
from tests.api.factories import API, UNKNOWN, furnish, make_session
from tests.api.office import Office
from tests.rooms.agreements import Desk
from tests.rooms.house import House
from tests.rooms.party_browser import browser_at

WHY = {"rationale": "Asked to"}
BODIES: dict[str, Any] = {
    "POST /parties": {"kind": "guest", "name": "Gus", "email": "gus@guest.example"},
    "PATCH /parties/{party_id}": {"name": "Other"},
    "POST /parties/{party_id}/transitions": {"transition": "approve"},
    "POST /parties/{party_id}/erase": WHY | {"confirm": "erase"},
    "POST /public-sessions": {"template": "intake", "party": UNKNOWN},
    "POST /public-sessions/{session_id}/revoke": WHY,
    "POST /public-sessions/{session_id}/reissue": WHY,
    "POST /public-sessions/{session_id}/extend": {"expires_at": "2026-05-01T00:00:00Z"},
    "POST /public-sessions/{session_id}/correct-address": {"email": "new@vendor.example"},
    "POST /public-sessions/{session_id}/erase": WHY | {"confirm": "erase"},
    "PATCH /session-templates/{template}": {"name": "Other"},
    "POST /members": {"email": "new@office.example", "name": "New", "role": "auditor"},
    "PATCH /members/{member_id}": {"name": "Other"},
    "PATCH /settings": {"session.warning_grace": 30},
    "POST /settings/preview": {"session.warning_grace": 30},
}
PIN = {"version": 1, "sha256": "0" * 64}
BODIES |= {
    "PATCH /agreements/{agreement_id}": PIN | {"title": "Other"},
    "POST /agreements/{agreement_id}/send": PIN,
    "POST /agreements/{agreement_id}/cancel": WHY,
    "POST /agreements/{agreement_id}/erase": WHY | {"confirm": "erase"},
}
QUERIES = {"GET /audit/proofs/consistency": {"first": 0, "second": 0}}
BY_KEY = {"template", "form", "document", "kind"}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every route of the API that the document names."""
    return [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if path.startswith(API)
    ]


def test_every_route_asks_for_a_permission_and_no_other_is_named(app: FastAPI) -> None:
    assert PERMISSION_OF.keys() | OPEN == set(routes(app))
    assert not PERMISSION_OF.keys() & OPEN


def test_every_permission_of_the_api_is_asked_for_somewhere() -> None:
    # What a member does with its own account is done on pages.
    assert set(PERMISSION_OF.values()) == set(Permission) - {Permission.ACCOUNT_OWN}


def test_each_role_may_what_its_name_says() -> None:
    assert PERMISSIONS[Role.ADMIN] == set(Permission)
    only = {Permission.ERASE, Permission.SETTINGS_EDIT, Permission.MEMBERS_MANAGE}
    for role in (Role.PUBLISHER, Role.AUDITOR):
        assert not PERMISSIONS[role] & only
    assert not any(each.endswith((".edit", ".manage")) for each in PERMISSIONS[Role.AUDITOR])


async def ask(
    client: AsyncClient, route: tuple[str, str], ids: dict[str, str] | None = None
) -> Response:
    """Asks for a route with ids that there are, or that there are not, and a body that fits."""
    method, path = route
    name = f"{method} {path.removeprefix(API)}"
    for each in path.split("{")[1:]:
        key = each.partition("}")[0]
        missing = "nothing-here" if key in BY_KEY else UNKNOWN
        path = path.replace(f"{{{key}}}", (ids or {}).get(key, missing))
    body = BODIES.get(name, {} if method in {"PUT", "PATCH", "POST"} else None)
    return await client.request(method, path, json=body, params=QUERIES.get(name))


@asynccontextmanager
async def somebody(who: str, office: Office) -> AsyncIterator[AsyncClient]:
    """A caller who may nothing (any more)."""
    if who == "party":
        async with browser_at(office.app, office.house, BASE) as browser:
            session = UUID((await a_session(office))["id"])
            await browser.verify(session)
            yield browser.client
    else:
        async with caller(office.app, await WITHOUT_ACCESS[who](office)) as client:
            yield client


async def a_session(office: Office) -> Any:
    async with caller(office.app, await office.program(Role.ADMIN)) as client:
        await furnish(client)
        return await make_session(client)


async def revoked_token(office: Office) -> str:
    text = await office.program(Role.ADMIN)
    async with office.house.transactions.work() as work:
        workspace = await workspace_by_id(work.db, office.house.workspace_id)
        (row,) = await tokens_of(work.db, workspace.id)
        await revoke_token(work, workspace, row.id)
    return text


async def disabled_member(office: Office) -> str:
    await office.member(email="bela@office.example")
    member = await office.member()
    access: str = (await office.tokens())["access_token"]
    async with office.house.transactions.work() as work:
        await disable_member(work, member.workspace_id, member.id, OPERATOR)
    return access


async def killed_session(office: Office) -> str:
    member = await office.member()
    access: str = (await office.tokens())["access_token"]
    (session,) = await office.house.all(MemberSessionRow)
    async with office.house.transactions.work() as work:
        await kill_session(work, SessionTarget(member.workspace_id, session.id, OPERATOR))
    return access


async def refresh_token(office: Office) -> str:
    await office.member()
    text: str = (await office.tokens())["refresh_token"]
    return text


async def directory_token(office: Office) -> str:
    return await scim_token(office.house)


async def nothing(office: Office) -> str:
    return ""


WITHOUT_ACCESS = {
    "anonymous": nothing,
    "revoked token": revoked_token,
    "disabled member": disabled_member,
    "killed session": killed_session,
    "refresh token": refresh_token,
    "directory": directory_token,
}


@pytest.mark.load
@pytest.mark.parametrize("who", [*WITHOUT_ACCESS, "party"])
async def test_without_access_there_is_nothing(office: Office, who: str) -> None:
    async with somebody(who, office) as client:
        for route in set(routes(office.app)) - OPEN:
            answer = await ask(client, route)
            assert answer.status_code == 401, (route, answer.text)
            assert answer.json()["type"] == "/problems/unauthenticated"


@pytest.mark.load
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("is_member", [False, True], ids=["token", "member"])
async def test_each_role_gets_what_it_may_and_nothing_else(
    office: Office, role: Role, *, is_member: bool
) -> None:
    if is_member:
        await office.member(role)
        text = (await office.tokens())["access_token"]
    else:
        text = await office.program(role)
    async with caller(office.app, text) as client:
        for route, permission in PERMISSION_OF.items():
            answer = await ask(client, route)
            assert answer.status_code < 500, (route, answer.text)
            if may(role, permission):
                assert answer.status_code not in {401, 403}, (route, answer.text)
            else:
                assert answer.status_code == 403, (route, answer.text)
                assert answer.json()["type"] == "/problems/permission-denied"
                assert answer.json()["permission"] == permission


async def test_foreign_ids_answer_as_missing_ones(
    office: Office, client: AsyncClient, stranger: AsyncClient
) -> None:
    """Byte for byte, whatever is asked of them."""
    ids = await everything(office, client)
    texts = [each for each in ids.values() if "-" in each]
    for method, path in PERMISSION_OF:
        foreign = await ask(stranger, (method, path), ids)
        missing = await ask(stranger, (method, path))
        assert not any(each in foreign.text for each in texts), path
        if "{" not in path or method == "PUT":
            continue
        assert (foreign.status_code, missing.status_code) == (404, 404), (method, path)
        assert foreign.content == missing.content, (method, path)
        assert names(foreign) == names(missing), (method, path)


def names(answer: Response) -> dict[str, str]:
    """Every header but the request's own id."""
    return {key: value for key, value in answer.headers.items() if key != "x-request-id"}


async def everything(office: Office, client: AsyncClient) -> dict[str, str]:
    """The ids of one of each thing in the house's workspace."""
    await furnish(client)
    session = await make_session(client)
    member = await office.member()
    await office.tokens()
    (signed_in,) = await office.sessions()
    return {
        "party_id": session["party"],
        "session_id": session["id"],
        "agreement_id": str((await Desk(office.house).draft()).row.id),
        "upload_id": str(uuid4()),
        "member_id": str(member.id),
        "member_session_id": str(signed_in.id),
        "template": "intake",
        "form": "profile",
        "document": "terms",
        "kind": "vendor",
    }


async def test_a_denial_is_noted_with_the_name_of_the_route(office: Office, house: House) -> None:
    # EE-16: of members and of tokens
    await office.member(Role.PUBLISHER)
    for text in ((await office.tokens())["access_token"], await office.program(Role.AUDITOR)):
        async with caller(office.app, text) as client:
            route = ("POST", "/api/v1/members/{member_id}/disable")
            assert (await ask(client, route)).status_code == 403
    by_member, by_token = await house.all(PageVisitRow)
    assert {by_member.page, by_token.page} == {"POST /api/v1/members/{member_id}/disable"}
    assert (by_member.denied, by_token.denied) == (True, True)
    assert by_member.member_id
    assert by_token.token_id
    assert (by_member.mode, by_token.mode) == ("password", "token")


async def test_pages_of_members_are_noted_and_requests_of_programs_are_not(
    office: Office, house: House
) -> None:
    await office.member()
    for text in ((await office.tokens())["access_token"], await office.program(Role.ADMIN)):
        async with caller(office.app, text) as client:
            assert (await client.get(f"{API}/parties?q=vera")).status_code == 200
    (visit,) = await house.all(PageVisitRow)
    assert (visit.page, visit.denied) == ("GET /api/v1/parties", False)
