"""The reports of sign-ins and of opened pages, and their files (EE-15 to EE-17, EE-21)."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient

from domain.member import Role
from tests.api.conftest import caller
from tests.api.factories import API, UNKNOWN, get
from tests.api.office import Office
from tests.rooms.house import START, Clock


async def lines(client: AsyncClient, path: str, **query: Any) -> list[list[str]]:
    answer = await client.get(f"{API}/reports/{path}", params={"format": "csv"} | query)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.reader(io.StringIO(answer.text)))


async def tried(office: Office) -> None:
    """One that was right, one that was wrong, and one of nobody."""
    await office.member()
    await office.tokens(client_id="=HYPERLINK(0)")
    await office.ask(password="wrong")
    await office.ask(username="nobody@office.example")


async def test_right_and_wrong_attempts_are_reported(client: AsyncClient, office: Office) -> None:
    # EE-15, EE-17: a failed one shows the guest, for nobody showed who it was
    await tried(office)
    await office.set(login_guest_name="ExactWebGuest")
    nobody, wrong, right = (await get(client, "/reports/logins"))["items"]
    assert (right["person"], right["status"], right["mode"]) == (
        "Anna Berg",
        "signed_in",
        "password",
    )
    assert (wrong["person"], wrong["status"]) == ("ExactWebGuest", "failed")
    assert wrong["member"] == right["member"]
    assert (nobody["person"], nobody["member"]) == ("ExactWebGuest", None)
    assert right["device"] == "=HYPERLINK(0)"


async def test_reports_are_filtered(client: AsyncClient, office: Office, clock: Clock) -> None:
    await tried(office)
    clock.turn(hours=1)
    await office.ask(password="wrong")
    found = (await get(client, "/reports/logins"))["items"]
    member = found[0]["member"]
    for query, count in (
        ({"outcome": "failed"}, 3),
        ({"outcome": "failed", "member": member}, 2),
        ({"member": UNKNOWN}, 0),
        ({"member": "nobody"}, 0),
        ({"since": (START + timedelta(hours=1)).isoformat()}, 1),
        ({"until": (START + timedelta(hours=1)).isoformat()}, 3),
    ):
        assert len((await get(client, "/reports/logins", **query))["items"]) == count, query
    page = await get(client, "/reports/logins", limit=3)
    rest = await get(client, "/reports/logins", limit=3, cursor=page["next"])
    assert page["items"] + rest["items"] == found


async def test_a_file_has_every_line_and_nothing_that_calculates(
    client: AsyncClient, office: Office
) -> None:
    await tried(office)
    head, *rows = await lines(client, "logins")
    assert head == ["time", "person", "status", "mode", "device"]
    assert [row[2] for row in rows] == ["failed", "failed", "signed_in"]
    assert rows[2][4] == "'=HYPERLINK(0)"
    assert len(await lines(client, "logins", outcome="signed_in")) == 2


async def test_a_denial_is_told_in_the_words_of_the_report(
    client: AsyncClient, office: Office
) -> None:
    # EE-16, EE-21
    await office.member(Role.AUDITOR)
    access = (await office.tokens())["access_token"]
    async with caller(office.app, access) as auditor:
        assert (await auditor.post(f"{API}/parties", json={})).status_code == 403
        long = "/public-sessions/{session_id}/correct-address"
        await auditor.post(API + long.replace("{session_id}", UNKNOWN), json={})
        assert (await auditor.get(f"{API}/parties")).status_code == 200
    opened, long_denial, denial = (await get(client, "/reports/access"))["items"]
    assert denial["page"] == "Access Denied : POST /api/v1/parties"
    assert (denial["person"], denial["mode"]) == ("Anna Berg", "password")
    assert long_denial["page"] == f"Access Denied : POST {API}{long}"[:80]
    assert (opened["page"], opened["denied"]) == ("GET /api/v1/parties", False)
    denials = await get(client, "/reports/access", denied=True)
    assert denials["items"] == [long_denial, denial]
    head, *rows = await lines(client, "access", denied=True, member=denial["member"])
    assert head == ["time", "page", "person", "mode", "on behalf of"]
    assert [row[1] for row in rows] == [long_denial["page"], denial["page"]]


async def test_a_program_is_named_where_it_was_denied(client: AsyncClient, office: Office) -> None:
    async with caller(office.app, await office.program(Role.PUBLISHER)) as program:
        assert (await program.get(f"{API}/reports/access")).status_code == 403
    (denial,) = (await get(client, "/reports/access"))["items"]
    assert (denial["person"], denial["member"]) == ("tests", None)
    assert denial["token"]


async def test_reports_of_another_workspace_are_its_own(
    office: Office, stranger: AsyncClient
) -> None:
    await tried(office)
    assert (await get(stranger, "/reports/logins"))["items"] == []
    assert len(await lines(stranger, "logins")) == 1


@pytest.mark.parametrize("report", ["logins", "access"])
async def test_a_file_from_a_place_that_is_none_is_refused_before_it_begins(
    client: AsyncClient, report: str
) -> None:
    """RELIABILITY 19: nothing is cut off in the middle for what can be known before."""
    query = {"format": "csv", "cursor": "no place"}
    answer = await client.get(f"{API}/reports/{report}", params=query)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor-invalid")
