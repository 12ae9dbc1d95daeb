"""Members over the API: invited, changed, locked out, let in, their sessions ended."""

import asyncio
from datetime import timedelta
from typing import Any

from httpx2 import AsyncClient

from domain.member import Role
from store.audit import AuditRow
from store.member_link import MemberLinkRow
from tests.api.factories import API, UNKNOWN, get, post
from tests.api.office import Office
from tests.rooms.authenticator import give_phone
from tests.rooms.house import START, Clock, House

EMAIL = "anna@office.example"
NEW: dict[str, Any] = {"email": EMAIL, "name": "Anna Berg", "role": "auditor"}


async def patch(client: AsyncClient, path: str, body: Any, status: int = 200) -> Any:
    answer = await client.patch(API + path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_member_is_invited_with_a_link_that_the_answer_does_not_have(
    client: AsyncClient, house: House
) -> None:
    made = await post(client, "/members", NEW | {"locale": "de", "zone": "Europe/Berlin"})
    assert (made["state"], made["role"], made["locale"]) == ("invited", "auditor", "de")
    assert made["lock"] == {"locked_until": None, "failures": 0}
    (link,) = await house.all(MemberLinkRow)
    async with house.transactions.work() as work:
        assert work.keyring.member_link_token(link.id, link.key_version) not in str(made)
    assert (await get(client, "/members"))["items"] == [made]
    assert await get(client, f"/members/{made['id']}") == made


async def test_faults_of_a_member_are_named(client: AsyncClient) -> None:
    wrong = {"email": "nobody", "name": " ", "role": "king", "zone": "Mars/Base", "state": "active"}
    answer = await client.post(f"{API}/members", json=wrong)
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["faults"]} == {
        "/email",
        "/name",
        "/role",
        "/zone",
        "/state",
    }


async def test_somebody_who_has_not_come_gets_a_new_link_and_a_member_does_not(
    client: AsyncClient, house: House, office: Office
) -> None:
    made = await post(client, "/members", NEW | {"email": "carl@office.example"})
    await post(client, f"/members/{made['id']}/invite", status=200)
    assert len(await house.all(MemberLinkRow)) == 2
    member = await office.member()
    answer = await post(client, f"/members/{member.id}/invite", status=409)
    assert answer["type"] == "/problems/member-exists"
    assert (await post(client, "/members", NEW, 409))["type"] == "/problems/member-exists"


async def test_lists_page_by_key(client: AsyncClient) -> None:
    for number in range(3):
        await post(client, "/members", NEW | {"email": f"m{number}@office.example"})
    first = await get(client, "/members", limit=2)
    rest = await get(client, "/members", limit=2, cursor=first["next"])
    emails = [each["email"] for page in (first, rest) for each in page["items"]]
    assert emails == [f"m{number}@office.example" for number in (2, 1, 0)]
    assert rest["next"] is None


async def test_fields_are_changed_and_audited_without_their_values(
    client: AsyncClient, house: House, office: Office
) -> None:
    member = await office.member()
    await office.member(email="bela@office.example")
    changes = {"name": "Anna Bergson", "zone": "Europe/Berlin", "role": "publisher"}
    changed = await patch(client, f"/members/{member.id}", changes)
    assert {key: changed[key] for key in changes} == changes
    assert (await patch(client, f"/members/{member.id}", {})) == changed
    rows = [each for each in await house.all(AuditRow) if each.event == "member.changed"]
    assert [each.details for each in rows] == [
        {"before": "admin", "after": "publisher"},
        {"changed": ["name", "zone"]},
    ]
    answer = await patch(client, f"/members/{member.id}", {"locale": "not a language"}, 422)
    assert answer["faults"][0]["pointer"] == "/locale"


async def test_the_last_administrator_stays_one(client: AsyncClient, office: Office) -> None:
    member = await office.member()
    for path, body in ((f"/members/{member.id}", {"role": "auditor"}),):
        answer = await patch(client, path, body, 409)
        assert answer["type"] == "/problems/last-administrator"
    await post(client, f"/members/{member.id}/disable", status=409)


async def test_a_member_is_disabled_and_enabled(client: AsyncClient, office: Office) -> None:
    member = await office.member(Role.AUDITOR)
    tokens = await office.tokens()
    assert (await post(client, f"/members/{member.id}/disable", status=200))["state"] == "disabled"
    assert not await office.is_good(tokens["access_token"])
    assert (await post(client, f"/members/{member.id}/enable", status=200))["state"] == "active"
    assert not await office.is_good(tokens["access_token"])
    assert await office.is_good((await office.tokens())["access_token"])


async def test_a_lock_is_visible_and_can_be_cleared(
    client: AsyncClient, office: Office, clock: Clock
) -> None:
    # SX-16
    member = await office.member()
    for _ in range(10):
        await office.ask(password="wrong")
    shown = await get(client, f"/members/{member.id}")
    opens_at = (START + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")
    assert shown["lock"] == {"locked_until": opens_at, "failures": 10}
    cleared = await post(client, f"/members/{member.id}/unlock", status=200)
    assert cleared["lock"] == {"locked_until": None, "failures": 0}
    assert (await office.ask()).status_code == 200


async def test_a_lock_that_opened_by_itself_is_none(
    client: AsyncClient, office: Office, clock: Clock
) -> None:
    member = await office.member()
    for _ in range(10):
        await office.ask(password="wrong")
    clock.turn(minutes=15)
    lock = (await get(client, f"/members/{member.id}"))["lock"]
    assert lock == {"locked_until": None, "failures": 10}


async def test_sessions_are_listed_and_killed_and_shown_for_a_while(
    client: AsyncClient, office: Office, clock: Clock
) -> None:
    # SH-14, SH-19
    member = await office.member()
    other = await office.member(email="bela@office.example")
    tokens = await office.tokens(client_id="crm")
    await office.ask(username="bela@office.example")
    mine = await get(client, "/member-sessions", member=str(member.id))
    assert [each["browser"] for each in mine["items"]] == ["crm"]
    assert len((await get(client, "/member-sessions"))["items"]) == 2
    for nobody in (UNKNOWN, "nobody"):
        assert (await get(client, "/member-sessions", member=nobody))["items"] == []
    session = mine["items"][0]
    assert session["end_reason"] is None
    for _ in range(2):
        killed = await post(client, f"/member-sessions/{session['id']}/kill", status=200)
        assert killed["end_reason"] == "killed"
    assert not await office.is_good(tokens["access_token"])
    shown = await get(client, "/member-sessions", member=str(member.id))
    assert shown["items"] == [killed]
    clock.turn(days=2)
    assert (await get(client, "/member-sessions", member=str(other.id)))["items"] == []


async def test_sessions_page_by_key(client: AsyncClient, office: Office) -> None:
    await office.member()
    await office.set(session_check_concurrency=False)
    for name in ("one", "two", "three"):
        await office.tokens(client_id=name)
    first = await get(client, "/member-sessions", limit=2)
    rest = await get(client, "/member-sessions", limit=2, cursor=first["next"])
    names = [each["browser"] for page in (first, rest) for each in page["items"]]
    assert names == ["three", "two", "one"]


async def test_a_repeated_kill_or_invitation_acts_once(client: AsyncClient, house: House) -> None:
    key = {"idempotency-key": "k"}
    ask = client.post
    answers = await asyncio.gather(
        *(ask(f"{API}/members", json=NEW, headers=key) for _ in range(4))
    )
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert len(await house.all(MemberLinkRow)) == 1


async def test_a_second_factor_is_seen_and_reset(
    client: AsyncClient, house: House, office: Office
) -> None:
    member = await office.member()
    shown = await get(client, f"/members/{member.id}")
    assert shown["second_factor_set_at"] is None
    phone, _ = await give_phone(house, member)
    (shown,) = (await get(client, "/members"))["items"]
    assert shown["second_factor_set_at"] == START.isoformat().replace("+00:00", "Z")
    asked = await office.ask()
    assert asked.json()["error"] == "invalid_grant"
    assert "second factor" in asked.json()["error_description"]
    tokens = await office.tokens(otp=phone.code(house.clock.now))
    path = f"/members/{member.id}/reset-second-factor"
    assert (await post(client, path, status=200))["second_factor_set_at"] is None
    assert not await office.is_good(tokens["access_token"])
    assert await office.is_good((await office.tokens())["access_token"])
    events = [each.event for each in await house.all(AuditRow)]
    assert events.count("member.second_factor_reset") == 1
