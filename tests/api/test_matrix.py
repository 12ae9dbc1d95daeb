"""Every route beyond the API for everybody who may not come (RELIABILITY 6, PS-1, PS-41, EE-16).

Pages of members, pages of parties and SCIM: generated from the routes that there are, so that a new
one is asked too. `test_permissions.py` has the API.
"""

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from domain.member import Role
from domain.permission import Permission, may
from store.audit import AuditRow
from tests.api.conftest import BASE, caller
from tests.api.directory import PATCH, SCIM, USER, Directory, scim_token
from tests.api.factories import API, UNKNOWN
from tests.api.office import PASSWORD, Office
from tests.api.route_table import Route, every_route, filled
from tests.api.town import BEARERS, Town, somebody, town_of
from tests.rooms.member_browser import member_browser

CONSOLE = "/console/{workspace}"
ROOM = "/sessions/{session_id}"
OPEN = {
    ("GET", "/api/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/static/{digest}/{name}"),
    ("POST", "/clean"),
}
"""For everybody, and nothing of anybody is there."""
WAYS_IN = ("/s/{token}", f"{CONSOLE}/sign-in", f"{CONSOLE}/forgot-password", f"{CONSOLE}/links/")
"""How somebody comes to be known."""
AGREEMENTS = f"{CONSOLE}/agreements"
MANAGED = ("new", "edit", "send", "cancel", "signers")
MANAGE, SETTINGS = Permission.AGREEMENTS_MANAGE, Permission.SETTINGS_EDIT
LISTENING = {
    ("GET", f"{CONSOLE}/events"),
    ("GET", f"{AGREEMENTS}/{{agreement_id}}/events"),
}
LOGGING_OUT = ("POST", f"{CONSOLE}/sign-out")
READS, WRITES = "GET", ""
"""How a method begins; a page that shows what a form will do asks for what the form asks for."""
ASKS = (
    (READS, f"{CONSOLE}/settings/mail-contents/{{mail}}/{{language}}/edit", SETTINGS),
    (READS, f"{CONSOLE}/settings/mail-contents/{{mail}}/{{language}}/reset", SETTINGS),
    (READS, f"{CONSOLE}/settings/mail-contents", Permission.SETTINGS_READ),
    (WRITES, f"{CONSOLE}/settings", SETTINGS),
    (WRITES, f"{CONSOLE}/members", Permission.MEMBERS_MANAGE),
    (WRITES, f"{CONSOLE}/reports", Permission.REPORTS_READ),
    *((READS, f"{AGREEMENTS}/{each}", MANAGE) for each in MANAGED),
    *((READS, f"{AGREEMENTS}/{{agreement_id}}/{each}", MANAGE) for each in MANAGED),
    (READS, AGREEMENTS, Permission.AGREEMENTS_READ),
    (WRITES, AGREEMENTS, MANAGE),
)
"""What pages ask for, by how method and path begin; the first that fits counts."""
LEFT = ("GET", f"{ROOM}/exit")
"""Says to anybody that the window may be closed, of a session or of none."""
OF_WINDOW = {"window": "w1", "fence": "1", "version": "1", "sha256": "0" * 64}
"""What every page of a signer sends, so that nothing is refused only for how it is written."""
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
"""So that nothing is refused only because it seems to come from another site."""


@pytest_asyncio.fixture
async def town(office: Office) -> Town:
    """Two workspaces beside each other."""
    return await town_of(office)


def under(app: FastAPI, prefix: str) -> set[Route]:
    """The routes under a path that are no way in."""
    found = {each for each in every_route(app) if each[1].startswith(prefix)}
    return {each for each in found if not each[1].startswith(WAYS_IN)}


def test_every_route_is_in_one_row_of_a_matrix(app: FastAPI) -> None:
    """What is added is open and said to be so here, or asked for by everybody who may not."""
    known = OPEN | under(app, CONSOLE) | under(app, ROOM) | under(app, SCIM)
    rest = {each for each in every_route(app) - known if not each[1].startswith(API)}
    assert {path for _, path in rest if not path.startswith(WAYS_IN)} == set()
    assert all(each in every_route(app) for each in OPEN)


async def ask(client: AsyncClient, route: Route, ids: dict[str, str]) -> Response:
    """Asks as a page of ours would: with a form that has nothing in it, or with a file."""
    method, path = route
    form = OF_WINDOW if "/tasks/" in path else {}
    return await client.request(
        method,
        filled(path, ids),
        headers=SAME_ORIGIN,
        data=form if method == "POST" else None,
        files={"file": ("a.txt", b"a")} if method == "POST" and path.endswith("/files") else None,
    )


async def facts(town: Town) -> int:
    """How much has happened, as the audit has it."""
    return len(await town.office.house.all(AuditRow))


STRANGERS = [*BEARERS, "another party", "member elsewhere", "member of yore"]


@pytest.mark.parametrize("who", STRANGERS)
async def test_members_pages_are_for_who_signed_in_there(town: Town, who: str) -> None:
    async with somebody(who, town) as client:
        before = await facts(town)
        for route in sorted(under(town.office.app, CONSOLE) - LISTENING - {LOGGING_OUT}):
            answer = await ask(client, route, town.ids)
            assert answer.status_code == (303 if route[0] == "GET" else 401), (route, answer.text)
            if route[0] == "GET":
                sign_in = f"/console/{town.office.workspace}/sign-in"
                assert answer.headers["location"].startswith(sign_in), route
        assert (await ask(client, LOGGING_OUT, town.ids)).status_code == 303
        assert await facts(town) == before


def permission_of(route: Route) -> Permission | None:
    """What a page asks for beyond being signed in."""
    method, path = route
    fitting = (
        each for how, start, each in ASKS if method.startswith(how) and path.startswith(start)
    )
    return next(fitting, None)


def test_pages_of_administrators_are_known(app: FastAPI) -> None:
    own = (f"{CONSOLE}/account", f"{CONSOLE}/events", f"{CONSOLE}/stay", f"{CONSOLE}/sign-out")
    for route in under(app, CONSOLE):
        path = route[1]
        assert permission_of(route) or path == CONSOLE or path.startswith(own), path


@pytest.mark.parametrize("role", [Role.PUBLISHER, Role.AUDITOR])
async def test_lower_roles_get_no_page_that_is_not_theirs(town: Town, role: Role) -> None:
    await town.office.member(role, email="ben@office.example")
    denied = {
        route
        for route in under(town.office.app, CONSOLE)
        if (asked := permission_of(route)) and not may(role, asked)
    }
    assert denied
    async with member_browser(town.office.app, town.office.house, BASE) as browser:
        assert (await browser.sign_in("ben@office.example", PASSWORD)).status_code == 303
        before = await facts(town)
        for route in sorted(denied):
            answer = await ask(browser.party.client, route, town.ids)
            assert answer.status_code == 403, (route, answer.text)
            assert "Access Denied" in answer.text
        assert await facts(town) == before


async def test_ids_of_another_workspace_are_as_ids_of_nothing(town: Town) -> None:
    """For an administrator too, byte for byte."""
    named = ("member_id", "session_id", "agreement_id")
    missing = town.ids | dict.fromkeys(named, UNKNOWN)
    foreign = missing | {name: town.others[name] for name in named}
    async with somebody("member", town) as client:
        for route in sorted(under(town.office.app, CONSOLE)):
            if "_id}" not in route[1]:
                continue
            told = [await ask(client, route, ids) for ids in (foreign, missing)]
            assert told[0].status_code == told[1].status_code, route
            assert told[0].status_code >= 300, route
            assert told[0].content == told[1].content, route
            assert town.others["member_id"] not in told[0].text


@pytest.mark.parametrize("who", [*STRANGERS, "member"])
async def test_a_room_is_for_the_browser_that_confirmed_its_code(town: Town, who: str) -> None:
    """PS-1, PS-2: to everybody else it is no room at all, byte for byte."""
    async with somebody(who, town) as client:
        before = await facts(town)
        for route in sorted(under(town.office.app, ROOM) - {LEFT}):
            real = await ask(client, route, town.ids | {"session_id": str(town.session)})
            missing = await ask(client, route, town.ids | {"session_id": UNKNOWN})
            assert (real.status_code, missing.status_code) == (404, 404), (route, real.text)
            assert real.content == missing.content, route
        assert await facts(town) == before


RESOURCES = ("", "/Users", "/Users/{member_id}", "/Groups", "/Groups/admin", "/Users/.search")
LET_OUT = {"op": "replace", "path": "active", "value": False}
A_USER = {"schemas": [USER], "userName": "new@office.example"}
DISCOVERY = ("/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/Me", "/Bulk", "/nothing")


@pytest.mark.parametrize("who", [*(set(STRANGERS) - {"directory"}), "member"])
async def test_scim_is_for_a_directory_whose_token_is_good(town: Town, who: str) -> None:
    """SH-12: a token of a program, a member's, a cookie: nothing else opens it."""
    async with somebody(who, town) as client:
        before = await facts(town)
        for method, _ in sorted(under(town.office.app, SCIM)):
            for each in (*RESOURCES, *DISCOVERY):
                path = filled(SCIM + each, town.ids) if "{" in each else SCIM + each
                answer = await client.request(method, path, headers=SAME_ORIGIN)
                assert answer.status_code == 401, (method, path, answer.text)
        assert await facts(town) == before


async def test_a_directory_sees_nobody_of_another_workspace(town: Town) -> None:
    """Somebody else's member is to it as one that there never was."""
    active = {"schemas": [PATCH], "Operations": [LET_OUT]}
    async with caller(town.office.app, await scim_token(town.office.house)) as client:
        before = await facts(town)
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", active), ("PUT", A_USER)):
            told = [
                await client.request(method, f"{SCIM}/Users/{each}", json=body)
                for each in (town.others["member_id"], UNKNOWN)
            ]
            assert [each.status_code for each in told] == [404, 404], method
            theirs = told[0].text.replace(town.others["member_id"], UNKNOWN)
            assert theirs == told[1].text, method
        assert await facts(town) == before
        found = (await Directory(client).find('userName eq "anna@office.example"'))["Resources"]
    assert [each["id"] for each in found] == [town.ids["member_id"]]
