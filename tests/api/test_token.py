"""Tokens of members' programs: given, renewed, stolen, ended (SH-9, SH-10, SX-14)."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from time import perf_counter

import pytest
from httpx2 import AsyncClient

from commands import answer_time
from commands.member import change_role, disable_member
from commands.member_session import SessionTarget, kill_session
from domain.actor import OPERATOR
from domain.member import Role
from domain.settings import Settings
from store.audit import AuditRow
from store.member_token import MemberTokenRow
from tests.api.conftest import caller
from tests.api.office import Office
from tests.rooms.house import Clock

MEMBERS = "/api/v1/members"
REVOKE = "/api/v1/token/revoke"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Many may wait for one row; on a busy machine that takes longer than in life."""
    return replace(settings, database_lock_timeout=timedelta(seconds=10))


async def ends(office: Office) -> list[str]:
    """Why sessions ended, oldest first."""
    rows = await office.house.all(AuditRow)
    return [each.details["reason"] for each in rows if each.event == "member_session.ended"]


async def test_a_password_gives_a_pair_that_is_stored_as_hmacs(office: Office) -> None:
    # SH-9, EE-18
    await office.member()
    tokens = await office.tokens(client_id="crm")
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 8000)
    assert await office.is_good(tokens["access_token"])
    (row,) = await office.house.all(MemberTokenRow)
    assert not {tokens["access_token"], tokens["refresh_token"]} & set(vars(row).values())
    (session,) = await office.sessions()
    assert (session.browser, session.mode) == ("crm", "password")


async def test_tokens_are_no_passwords_for_each_other(office: Office) -> None:
    await office.member()
    tokens = await office.tokens()
    assert not await office.is_good(tokens["refresh_token"])
    assert (await office.refresh(tokens["access_token"])).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"username": "nobody@office.example"}, {"workspace": "nowhere"}],
    ids=lambda each: next(iter(each)),
)
async def test_strangers_and_wrong_ones_are_refused_alike(
    office: Office, wrong: dict[str, str]
) -> None:
    await office.member()
    answer = await office.ask(**wrong)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.content == (await office.ask(password="another wrong one")).content


async def test_refusals_leave_at_the_same_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ASVS 6.3.8
    await office.member()
    monkeypatch.setattr(answer_time, "ANSWERS_AFTER", 0.2)
    for wrong in ({"password": "wrong"}, {"workspace": "nowhere"}):
        began = perf_counter()
        await office.ask(**wrong)
        assert perf_counter() - began >= 0.2


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "gp_rt_x"}, "invalid_grant"),
    ],
)
async def test_refusals_have_the_form_of_oauth(
    anonymous: AsyncClient, form: dict[str, str], error: str
) -> None:
    # RFC 6749 5.2
    answer = await anonymous.post("/api/v1/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


BROKEN = (
    "grant_type=password&workspace=%00&username=%00&password=%00&client_id=%00",
    "grant_type=password&workspace=%ff&username=%ff&password=%ff&client_id=%ff",
    "grant_type=password&workspace={key}&username=%ed%a0%80&password=%ff%00",
    "grant_type=refresh_token&refresh_token=gp_rt_%00%ff",
    "&&&===",
    "grant_type=password&grant_type=refresh_token",
)


@pytest.mark.load
@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("path", ["/api/v1/token", REVOKE])
async def test_no_form_breaks_it(office: Office, path: str, body: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = body.replace("{key}", office.workspace)
    answer = await office.client.post(path, content=content, headers=headers)
    assert answer.status_code in {200, 400, 422}, answer.text


async def test_anything_but_a_form_is_refused(anonymous: AsyncClient) -> None:
    answer = await anonymous.post("/api/v1/token", json={"grant_type": "password"})
    assert answer.status_code in {400, 422}
    files = {"grant_type": ("a.txt", b"password")}
    assert (await anonymous.post("/api/v1/token", files=files)).status_code == 422


async def test_an_access_token_ends_to_the_second_and_is_renewed(
    office: Office, clock: Clock
) -> None:
    # SH-9, SH-10
    await office.member()
    tokens = await office.tokens()
    clock.turn(seconds=7999)
    assert await office.is_good(tokens["access_token"])
    clock.turn(seconds=1)
    assert not await office.is_good(tokens["access_token"])
    newer = (await office.refresh(tokens["refresh_token"])).json()
    assert await office.is_good(newer["access_token"])


async def test_renewing_goes_on_until_the_stated_end_and_no_longer(
    office: Office, clock: Clock
) -> None:
    # SH-10, SH-20: rotation lengthens nothing, nor does a setting that is raised meanwhile.
    await office.member()
    tokens = await office.tokens()
    clock.turn(days=1)
    await office.set(token_refresh=30 * 86_400, token_access=86_400)
    tokens = (await office.refresh(tokens["refresh_token"])).json()
    assert tokens["expires_in"] == 86_400
    clock.turn(days=1, seconds=-1)
    assert await office.is_good(tokens["access_token"])
    clock.turn(seconds=1)
    assert not await office.is_good(tokens["access_token"])
    assert (await office.refresh(tokens["refresh_token"])).status_code == 400
    assert await ends(office) == ["absolute_timeout"]
    clock.turn(seconds=-100)
    assert (await office.refresh(tokens["refresh_token"])).status_code == 400


async def test_the_last_access_token_ends_with_its_family(office: Office, clock: Clock) -> None:
    await office.member()
    await office.set(token_refresh=3600)
    tokens = await office.tokens()
    assert tokens["expires_in"] == 3600
    clock.turn(minutes=50)
    assert (await office.refresh(tokens["refresh_token"])).json()["expires_in"] == 600


async def test_revoking_ends_exactly_that_portals_session(office: Office) -> None:
    # SX-14
    await office.member()
    await office.set(session_allow_concurrent=True)
    crm, erp = await office.tokens(client_id="crm"), await office.tokens(client_id="erp")
    answer = await office.client.post(REVOKE, data={"token": crm["refresh_token"]})
    assert answer.status_code == 200
    assert not await office.is_good(crm["access_token"])
    assert (await office.refresh(crm["refresh_token"])).status_code == 400
    assert await office.is_good(erp["access_token"])
    assert await ends(office) == ["logged_out"]
    await office.client.post(REVOKE, data={"token": erp["access_token"]})
    assert await office.sessions() == []


@pytest.mark.parametrize("token", ["", "gp_at_unknown", "gp_rt_unknown", "gp_api_unknown"])
async def test_revoking_what_is_unknown_is_done_already(anonymous: AsyncClient, token: str) -> None:
    # RFC 7009 2.2
    assert (await anonymous.post(REVOKE, data={"token": token})).status_code == 200


async def test_killing_disabling_and_displacing_end_tokens_at_once(office: Office) -> None:
    member = await office.member()
    await office.member(email="bela@office.example")
    first = await office.tokens()
    second = await office.tokens()  # EE-9: the most recent one wins
    assert not await office.is_good(first["access_token"])
    (session,) = [each for each in await office.sessions() if each.ended_at is None]
    async with office.house.transactions.work() as work:
        await kill_session(work, SessionTarget(member.workspace_id, session.id, OPERATOR))
    assert not await office.is_good(second["access_token"])
    third = await office.tokens()
    async with office.house.transactions.work() as work:
        await disable_member(work, member.workspace_id, member.id, OPERATOR)
    assert not await office.is_good(third["access_token"])
    assert (await office.refresh(third["refresh_token"])).status_code == 400
    assert (await office.ask()).status_code == 400


async def test_another_role_counts_from_the_next_request(office: Office) -> None:
    member = await office.member()
    await office.member(email="bela@office.example")
    access = (await office.tokens())["access_token"]
    async with caller(office.app, access) as client:
        assert (await client.get("/api/v1/audit")).status_code == 200
        async with office.house.transactions.work() as work:
            await change_role(work, member.workspace_id, member.id, Role.PUBLISHER, OPERATOR)
        assert (await client.get("/api/v1/audit")).status_code == 403


async def test_wrong_passwords_lock_here_too(office: Office) -> None:
    # SX-16
    await office.member()
    for _ in range(10):
        await office.ask(password="wrong")
    assert (await office.ask()).status_code == 400


async def test_there_is_never_a_sixth_session(office: Office) -> None:
    # SH-5
    await office.member()
    await office.set(session_allow_concurrent=True)
    answers = await asyncio.gather(*(office.ask() for _ in range(20)))
    assert Counter(each.status_code for each in answers) == {200: 5, 400: 15}
    assert "which is the limit" in next(e.text for e in answers if e.status_code == 400)
    assert len(await office.sessions()) == 5


async def test_a_members_requests_are_its_own(office: Office) -> None:
    """The audit names the member, and its Idempotency-Key is not that of another."""
    await office.member()
    access = (await office.tokens())["access_token"]
    key = {"idempotency-key": "once"}
    body = {"email": "carl@office.example", "name": "Carl", "role": "auditor"}
    async with caller(office.app, access) as client:
        first = await client.post(MEMBERS, json=body, headers=key)
        again = await client.post(MEMBERS, json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    invited = [e for e in await office.house.all(AuditRow) if e.event == "member.invited"]
    assert invited[-1].actor_label == "Anna Berg"
    assert len(invited) == 2
