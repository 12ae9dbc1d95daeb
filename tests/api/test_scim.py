"""A directory provisions members: made, let in by groups, ended at once (SH-12, RELIABILITY 40)."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text as sql
from sqlmodel import select

from commands.account_deletion import delete_account
from commands.forgotten_password import mail_new_password_link
from commands.member import invite_member, set_password
from commands.member_link import LinkKind, make_link
from commands.token import revoke_token
from commands.workspace import CreateWorkspace, create_workspace
from domain.actor import OPERATOR
from domain.member import MemberFields, MemberState, Role
from domain.settings import Settings
from store.audit import AuditRow
from store.mail import MailRow
from store.member import MemberRow
from store.member_link import MemberLinkRow
from store.provision import ProvisionRow
from store.token import TokenRow
from store.workspace import workspace_by_id
from tests.api.conftest import caller
from tests.api.directory import ANNA, PATCH, SCIM, USER, Directory, scim_token, told
from tests.api.office import Office
from tests.rooms.house import Clock, House
from tests.rooms.members import newest_link

BELA = "bela@office.example"
NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Many may wait for one row; on a busy machine that takes longer than in life."""
    return replace(settings, database_lock_timeout=timedelta(seconds=10))


async def member_of(house: House, email: str = ANNA) -> MemberRow:
    """The one member with an address."""
    (found,) = [each for each in await house.all(MemberRow) if each.email == email]
    return found


async def provisions(house: House) -> Sequence[ProvisionRow]:
    """What directories said of the house's members."""
    found = select(ProvisionRow).where(ProvisionRow.workspace_id == house.workspace_id)
    async with house.transactions.work() as work:
        return (await work.db.scalars(found)).all()


async def events(house: House, noun: str = "member.") -> list[str]:
    """What the audit says of members, oldest first."""
    return [each.event for each in await house.all(AuditRow) if each.event.startswith(noun)]


async def provisioned_member(directory: Directory, office: Office) -> str:
    """A publisher whom the directory made, with a password of its own; its id."""
    user = await directory.create()
    await directory.add("publisher", user["id"])
    async with office.house.transactions.work() as work:
        await mail_new_password_link(work, office.house.workspace_id, ANNA)
    member = await member_of(office.house)
    link = await newest_link(office.house, member.id, LinkKind.FORGOT_PASSWORD)
    async with office.house.transactions.work() as work:
        await set_password(work, office.house.workspace_id, link, office.kept)
    return str(user["id"])


async def test_a_user_is_what_the_directory_stated(directory: Directory) -> None:
    stated: dict[str, Any] = {
        "externalId": "00u1",
        "name": {"givenName": "Anna", "familyName": "Berg", "formatted": "Anna Berg"},
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "emails": [{"value": "anna@home.example", "type": "home", "primary": True}],
        "active": True,
    }
    made = await directory.create(**stated)
    assert {each: made[each] for each in stated} == stated
    assert made["userName"] == ANNA
    assert made["meta"]["location"] == f"http://testserver{SCIM}/Users/{made['id']}"
    assert await directory.user(made["id"]) == made


async def test_what_is_stated_becomes_the_member(directory: Directory, house: House) -> None:
    made = await directory.create(locale="de_AT", timezone="Europe/Vienna", externalId="00u1")
    member = await member_of(house)
    assert str(member.id) == made["id"]
    assert (member.name, member.locale, member.zone) == ("Anna Berg", "de-AT", "Europe/Vienna")
    (row,) = await provisions(house)
    assert "00u1" not in str(row.external_digest)


async def test_a_name_is_made_of_what_there_is(directory: Directory, house: House) -> None:
    name = {"givenName": "Anna", "familyName": "Berg"}
    await directory.create(displayName=None, name=name)
    await directory.create(BELA, displayName=None)
    assert (await member_of(house)).name == "Anna Berg"
    assert (await member_of(house, BELA)).name == BELA


async def test_nobody_is_mailed_and_nobody_has_a_password(
    directory: Directory, house: House
) -> None:
    user = await directory.create()
    await directory.add("auditor", user["id"])
    member = await member_of(house)
    assert (member.password, member.state) == ("", MemberState.ACTIVE)
    assert await house.all(MailRow) == []
    assert await house.all(MemberLinkRow) == []


async def test_somebody_in_no_group_cannot_act_and_is_in_with_the_first(
    directory: Directory, house: House
) -> None:
    # The least role reads what parties captured: it is nothing to fall back to.
    user = await directory.create(active=True)
    assert user["active"] is True
    assert (await member_of(house)).state == MemberState.DISABLED
    await directory.add("publisher", user["id"])
    member = await member_of(house)
    assert (member.state, member.role) == (MemberState.ACTIVE, Role.PUBLISHER)
    assert (await directory.user(user["id"]))["groups"] == [
        {"value": "publisher", "display": "publisher"}
    ]


async def test_the_strongest_of_several_groups_counts(directory: Directory, house: House) -> None:
    user = await directory.create()
    for group in ("auditor", "publisher"):
        await directory.add(group, user["id"])
    assert (await member_of(house)).role == Role.PUBLISHER
    await directory.take("publisher", user["id"])
    assert (await member_of(house)).role == Role.AUDITOR
    assert await directory.group("publisher") == []
    assert await directory.group("auditor") == [user["id"]]


async def test_a_member_who_was_invited_here_is_found_and_linked(
    directory: Directory, office: Office
) -> None:
    member = await office.member(Role.ADMIN)
    found = await directory.find(f'userName eq "{ANNA.upper()}"')
    assert [each["id"] for each in found["Resources"]] == [str(member.id)]
    wanted = {"op": "add", "path": "externalId", "value": "00u1"}
    await directory.patch(f"Users/{member.id}", wanted)
    user = await directory.user(str(member.id))
    assert (user["externalId"], user["active"]) == ("00u1", True)
    assert await directory.group("admin") == [str(member.id)]
    assert await office.is_good((await office.tokens())["access_token"])


async def ended_by_inactivity(directory: Directory, user_id: str) -> None:
    await directory.set_active(user_id, False)


async def ended_by_deletion(directory: Directory, user_id: str) -> None:
    await directory.delete(user_id)


async def ended_by_group(directory: Directory, user_id: str) -> None:
    await directory.take("publisher", user_id)


@pytest.mark.parametrize("end", [ended_by_inactivity, ended_by_deletion, ended_by_group])
async def test_deprovisioning_ends_every_session_token_and_link_at_once(
    directory: Directory, office: Office, end: Any
) -> None:
    # RELIABILITY 40, ASVS 7.4.2
    user_id = await provisioned_member(directory, office)
    await office.set(session_allow_concurrent=True)
    tokens = [await office.tokens(client_id=f"portal-{each}") for each in range(3)]
    async with office.house.transactions.work() as work:
        await mail_new_password_link(work, office.house.workspace_id, ANNA)
    await end(directory, user_id)
    for each in tokens:
        assert not await office.is_good(each["access_token"])
        assert (await office.refresh(each["refresh_token"])).status_code == 400
    assert (await office.ask()).status_code == 400
    assert {each.used_at is None for each in await office.house.all(MemberLinkRow)} == {False}
    assert {each.end_reason for each in await office.sessions()} == {"killed"}


async def test_active_again_lets_in_again_and_revives_nothing(
    directory: Directory, office: Office
) -> None:
    user_id = await provisioned_member(directory, office)
    tokens = await office.tokens()
    await directory.set_active(user_id, False)
    assert (await directory.user(user_id))["active"] is False
    await directory.set_active(user_id, True)
    assert not await office.is_good(tokens["access_token"])
    assert await office.is_good((await office.tokens())["access_token"])


async def test_a_deleted_user_is_out_of_sight_and_not_erased(
    directory: Directory, house: House
) -> None:
    user = await directory.create(externalId="00u1")
    await directory.add("admin", (await directory.create(BELA))["id"])
    await directory.add("admin", user["id"])
    await directory.delete(user["id"])
    await directory.user(user["id"], 404)
    await directory.delete(user["id"], 404)
    for text in (f'userName eq "{ANNA}"', 'externalId eq "00u1"', 'displayName sw "Anna"'):
        found = (await directory.find(text)).get("Resources", [])
        assert user["id"] not in [each["id"] for each in found]
    member = await member_of(house)
    assert (member.state, member.role, member.name) == ("disabled", "auditor", "Anna Berg")
    assert (await events(house))[-1] == "member.deprovisioned"


async def test_whoever_was_deleted_comes_back_with_no_right_of_before(
    directory: Directory, house: House
) -> None:
    user = await directory.create()
    await directory.add("publisher", user["id"])
    await directory.delete(user["id"])
    again = await directory.create(displayName="Anna Bergson")
    assert (again["id"], again.get("groups")) == (user["id"], None)
    member = await member_of(house)
    assert (member.state, member.name) == (MemberState.DISABLED, "Anna Bergson")


async def test_the_last_administrator_stays_whatever_is_tried(
    directory: Directory, office: Office
) -> None:
    member = str((await office.member(Role.ADMIN)).id)
    refused = await directory.set_active(member, False, 409)
    assert "only administrator" in refused["detail"]
    await directory.delete(member, 409)
    await directory.take("admin", member, 409)
    nobody = {"op": "replace", "path": "members", "value": []}
    await directory.patch("Groups/admin", nobody, status=409)
    assert await directory.group("admin") == [member]
    assert await office.is_good((await office.tokens())["access_token"])


async def test_one_administrator_for_another_is_possible(
    directory: Directory, office: Office
) -> None:
    await office.member(Role.ADMIN)
    other = (await directory.create(BELA))["id"]
    swapped = {"op": "replace", "path": "members", "value": [{"value": other}]}
    await directory.patch("Groups/admin", swapped)
    assert await directory.group("admin") == [other]
    assert (await member_of(office.house)).state == MemberState.DISABLED


async def test_groups_are_three_and_fixed(directory: Directory) -> None:
    listed = told(await directory.client.get(f"{SCIM}/Groups"), 200)
    assert [each["displayName"] for each in listed["Resources"]] == [
        "admin",
        "publisher",
        "auditor",
    ]
    group = "urn:ietf:params:scim:schemas:core:2.0:Group"
    body = {"schemas": [group], "displayName": "kings"}
    made = told(await directory.client.post(f"{SCIM}/Groups", json=body), 403)
    assert "admin, publisher and auditor" in made["detail"]
    told(await directory.client.delete(f"{SCIM}/Groups/auditor"), 403)
    renamed = {"op": "replace", "path": "displayName", "value": "kings"}
    refused = await directory.patch("Groups/auditor", renamed, status=400)
    assert refused["scimType"] == "mutability"
    told(await directory.client.get(f"{SCIM}/Groups/kings"), 404)


async def test_a_group_takes_nobody_whom_it_does_not_know(directory: Directory) -> None:
    for who in (NOBODY, "nobody", ""):
        await directory.add("auditor", who, 400)
    assert await directory.group("auditor") == []


async def test_filters_find_and_pages_count(directory: Directory) -> None:
    ids = [
        (await directory.create(f"m{each}@office.example", externalId=f"x{each}"))["id"]
        for each in range(5)
    ]
    by_id = await directory.find('externalId eq "x3"')
    assert [each["id"] for each in by_id["Resources"]] == [ids[3]]
    assert (await directory.find('externalId eq "X3"'))["totalResults"] == 0
    assert (await directory.find('userName eq "nobody@office.example"'))["totalResults"] == 0
    some = await directory.find('userName sw "m" and active eq true', startIndex=2, count=2)
    assert (some["totalResults"], some["itemsPerPage"]) == (5, 2)
    page = told(await directory.client.get(f"{SCIM}/Users?startIndex=4&count=10"), 200)
    assert [each["id"] for each in page["Resources"]] == ids[3:]
    assert page["totalResults"] == 5
    ordered = await directory.find(
        'userName sw "m"', sortBy="userName", sortOrder="descending", count=1
    )
    assert ordered["Resources"][0]["id"] == ids[4]
    roles = await directory.find('displayName eq "Admin"', "Groups")
    assert [each["id"] for each in roles["Resources"]] == ["admin"]


async def test_a_version_that_is_over_changes_nothing(directory: Directory) -> None:
    user = await directory.create()
    version = user["meta"]["version"]
    renamed = {"op": "replace", "path": "displayName", "value": "Anna Bergson"}
    await directory.patch(f"Users/{user['id']}", renamed, **{"If-Match": version})
    await directory.patch(f"Users/{user['id']}", renamed, status=412, **{"If-Match": version})
    headers = {"If-None-Match": (await directory.user(user["id"]))["meta"]["version"]}
    answer = await directory.client.get(f"{SCIM}/Users/{user['id']}", headers=headers)
    assert answer.status_code == 304


async def test_another_address_ends_links_to_the_one_before(
    directory: Directory, office: Office
) -> None:
    user_id = await provisioned_member(directory, office)
    async with office.house.transactions.work() as work:
        await mail_new_password_link(work, office.house.workspace_id, ANNA)
    moved = {"op": "replace", "path": "userName", "value": BELA}
    await directory.patch(f"Users/{user_id}", moved)
    assert {each.used_at is None for each in await office.house.all(MemberLinkRow)} == {False}
    assert (await office.ask()).status_code == 400
    assert (await office.ask(username=BELA)).status_code == 200


async def test_two_at_once_with_one_name_make_one(directory: Directory, house: House) -> None:
    body = {"schemas": [USER], "userName": ANNA, "displayName": "Anna Berg"}
    answers = await asyncio.gather(
        *(directory.client.post(f"{SCIM}/Users", json=body) for _ in range(6))
    )
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 5}
    refused = next(each for each in answers if each.status_code == 409)
    assert told(refused, 409)["scimType"] == "uniqueness"
    assert len(await house.all(MemberRow)) == 1


async def test_whoever_is_invited_here_in_this_moment_is_not_made_twice(
    directory: Directory, house: House
) -> None:
    waiting = sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with house.transactions.work() as work:
        fields = MemberFields(ANNA, "Anna Berg", Role.AUDITOR)
        await invite_member(work, house.workspace_id, fields, OPERATOR)
        race = asyncio.create_task(directory.create(status=409))
        async with asyncio.timeout(5):
            while not await work.db.scalar(waiting):  # noqa: ASYNC110 - PostgreSQL tells by asking
                await asyncio.sleep(0.01)
    assert (await race)["scimType"] == "uniqueness"
    assert len(await house.all(MemberRow)) == 1


async def test_members_added_at_once_are_all_in(directory: Directory) -> None:
    ids = [(await directory.create(f"m{each}@office.example"))["id"] for each in range(6)]
    await asyncio.gather(*(directory.add("auditor", each) for each in ids))
    assert sorted(await directory.group("auditor")) == sorted(ids)


async def test_two_administrators_who_go_at_once_leave_one(
    directory: Directory, office: Office
) -> None:
    ids = [str((await office.member(Role.ADMIN, email)).id) for email in (ANNA, BELA)]
    answers = await asyncio.gather(
        *(directory.client.delete(f"{SCIM}/Users/{each}") for each in ids)
    )
    assert sorted(each.status_code for each in answers) == [204, 409]


async def test_a_bulk_request_does_each_by_itself(directory: Directory) -> None:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": "a",
                "data": {"schemas": [USER], "userName": ANNA},
            },
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": "b",
                "data": {"schemas": [USER], "userName": ANNA},
            },
            {
                "method": "PATCH",
                "path": "/Groups/publisher",
                "data": {
                    "schemas": [PATCH],
                    "Operations": [
                        {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]}
                    ],
                },
            },
        ],
    }
    answer = told(await directory.client.post(f"{SCIM}/Bulk", json=body), 200)
    assert [each["status"] for each in answer["Operations"]] == ["201", "409", "200"]
    assert len(await directory.group("publisher")) == 1


async def test_the_audit_names_the_token(directory: Directory, house: House) -> None:
    user = await directory.create()
    await directory.add("publisher", user["id"])
    await directory.set_active(user["id"], False)
    (token,) = await house.all(TokenRow)
    about = [each for each in await house.all(AuditRow) if each.event.startswith("member.")]
    assert {each.actor for each in about} == {f"token:{token.id}"}
    assert {each.actor_label for each in about} == {"directory"}
    assert [each.event for each in about] == [
        "member.provisioned",
        "member.changed",
        "member.enabled",
        "member.disabled",
        "member.changed",
    ]
    assert ANNA not in str([each.details for each in about])


async def test_no_other_token_is_good_here_and_this_one_nowhere_else(
    directory: Directory, client: AsyncClient, office: Office, anonymous: AsyncClient
) -> None:
    await office.member()
    tokens = await office.tokens()
    for other in (client, anonymous):
        told(await other.get(f"{SCIM}/Users"), 401)
    for text in (tokens["access_token"], tokens["refresh_token"], "gp_scim_unknown", ""):
        async with caller(office.app, text) as other:
            answer = await other.get(f"{SCIM}/Users")
            assert told(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in ("members", "parties", "settings", "audit"):
        assert (await directory.client.get(f"/api/v1/{path}")).status_code == 401


async def test_a_token_ends_to_the_second_and_when_it_is_revoked(
    app: FastAPI, house: House, clock: Clock
) -> None:
    # SH-12
    async with caller(app, await scim_token(house)) as client:
        clock.turn(days=365, seconds=-1)
        told(await client.get(f"{SCIM}/Users"), 200)
        clock.turn(seconds=1)
        told(await client.get(f"{SCIM}/Users"), 401)
    async with caller(app, await scim_token(house, life=timedelta(days=30))) as client:
        told(await client.get(f"{SCIM}/Users"), 200)
        async with house.transactions.work() as work:
            workspace = await workspace_by_id(work.db, house.workspace_id)
            for each in await house.all(TokenRow):
                await revoke_token(work, workspace, each.id)
        told(await client.get(f"{SCIM}/Users"), 401)


async def test_what_is_in_another_workspace_does_not_exist(
    app: FastAPI, house: House, directory: Directory
) -> None:
    # RELIABILITY 6
    async with house.transactions.work() as work:
        other = await create_workspace(work, CreateWorkspace("other", "Other Ltd"))
    user = await directory.create(externalId="00u1")
    await directory.add("admin", user["id"])
    path = f"{SCIM}/Users/{user['id']}"
    async with caller(app, await scim_token(house, other.id)) as client:
        stranger = Directory(client)
        unknown = (await client.get(f"{SCIM}/Users/{NOBODY}")).content
        assert (await client.get(path)).content == unknown
        assert (await client.delete(path)).content == unknown
        wanted = {"op": "replace", "path": "active", "value": False}
        await stranger.patch(f"Users/{user['id']}", wanted, status=404)
        await stranger.add("auditor", user["id"], 400)
        for text in ('externalId eq "00u1"', f'userName eq "{ANNA}"', "userName pr"):
            assert (await stranger.find(text))["totalResults"] == 0
        assert await stranger.group("admin") == []
        assert (await stranger.create())["id"] != user["id"]
    assert (await directory.user(user["id"]))["active"] is True


async def test_an_account_that_its_owner_deleted_is_gone_here_too(
    directory: Directory, office: Office
) -> None:
    await office.member(Role.ADMIN, BELA)
    user_id = await provisioned_member(directory, office)
    await directory.patch(f"Users/{user_id}", {"op": "add", "path": "externalId", "value": "00u1"})
    house, member = office.house, await member_of(office.house)
    async with house.transactions.work() as work:
        row = await make_link(work, member, LinkKind.DELETE_ACCOUNT)
        token = work.keyring.member_link_token(row.id, row.key_version)
    async with house.transactions.work() as work:
        await delete_account(work, house.workspace_id, token)
    await directory.user(user_id, 404)
    assert (await directory.find('externalId eq "00u1"'))["totalResults"] == 0
    assert await provisions(house) == []
    assert (await directory.create())["id"] != user_id


BROKEN = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"schemas":[]}',
    b'{"schemas":["' + USER.encode() + b'"],"userName":1}',
    b'{"schemas":["' + USER.encode() + b'"],"userName":"nobody"}',
    b'{"schemas":["' + USER.encode() + b'"],"userName":"a\\u0000@b.example"}',
    b'{"schemas":["' + USER.encode() + b'"],"userName":"\\ud800@b.example"}',
    b'{"schemas":["' + USER.encode() + b'"],"userName":"a@b.example","externalId":"\\u0000"}',
    b'{"schemas":["'
    + USER.encode()
    + b'"],"userName":"a@b.example","displayName":"'
    + b"x" * 201
    + b'"}',
    b"[" * 5000,
    b"\xff\xfe",
)


@pytest.mark.load
@pytest.mark.parametrize("body", BROKEN)
async def test_no_body_breaks_it(directory: Directory, body: bytes) -> None:
    headers = {"content-type": "application/scim+json"}
    known = (await directory.create("known@office.example"))["id"]
    for method, path in (
        ("POST", "Users"),
        ("POST", "Groups"),
        ("POST", "Bulk"),
        ("POST", "Users/.search"),
        ("POST", ".search"),
        ("PUT", f"Users/{known}"),
        ("PATCH", f"Users/{known}"),
        ("PUT", "Groups/auditor"),
        ("PATCH", "Groups/auditor"),
    ):
        answer = await directory.client.request(
            method, f"{SCIM}/{path}", content=body, headers=headers
        )
        assert 200 <= answer.status_code < 500, answer.text
        told(answer, answer.status_code)


@pytest.mark.load
@pytest.mark.parametrize(
    "query",
    [
        "filter=userName",
        "filter=userName eq",
        "filter=nothing eq 1",
        'filter=userName eq "%00"',
        'filter=externalId eq "%00"',
        'filter=userName eq "%ed%a0%80"',
        "filter=active gt true",
        "filter=" + "(" * 3000,
        "filter=" + " and ".join(["userName pr"] * 300),
        "startIndex=x",
        "startIndex=99999999999999999999999",
        "count=-1",
        "count=99999999999999999999999",
        "sortBy=nothing",
        "attributes=nothing",
    ],
)
async def test_no_query_breaks_it(directory: Directory, query: str) -> None:
    await directory.create()
    for path in ("Users", "Groups", ""):
        answer = await directory.client.get(f"{SCIM}/{path}?{query}")
        assert 200 <= answer.status_code < 500, answer.text
        told(answer, answer.status_code)


async def test_bodies_are_bounded_and_every_refusal_is_scims(directory: Directory) -> None:
    client = directory.client
    body = b'{"a": "' + b"x" * (1024 * 1024) + b'"}'
    told(await client.post(f"{SCIM}/Users", content=body), 413)
    told(await client.get(f"{SCIM}/Nothing"), 404)
    told(await client.delete(f"{SCIM}/Users"), 405)
    answer = await client.options(f"{SCIM}/Users")
    assert told(answer, 405)
    assert (await client.get("/api/openapi.json")).json()["paths"].keys().isdisjoint({SCIM})


async def test_more_than_can_be_looked_through_is_refused(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.scim_storage.MOST_LOOKED_THROUGH", 2)
    for each in range(3):
        await directory.create(f"m{each}@office.example", externalId=f"x{each}")
    refused = await directory.client.get(f"{SCIM}/Users", params={"filter": "active eq true"})
    assert told(refused, 400)["scimType"] == "tooMany"
    for text in ('userName eq "m1@office.example"', 'externalId eq "x1"'):
        assert (await directory.find(text))["totalResults"] == 1
    assert told(await directory.client.get(f"{SCIM}/Users"), 200)["totalResults"] == 3


async def test_the_audit_says_what_changed_and_not_to_what(
    directory: Directory, house: House
) -> None:
    user = await directory.create()
    renamed = {"op": "replace", "path": "displayName", "value": "Anna Bergson"}
    moved = {"op": "replace", "path": "userName", "value": BELA}
    for _ in range(2):
        await directory.patch(f"Users/{user['id']}", renamed, moved)
    (row,) = [each for each in await house.all(AuditRow) if each.event == "member.changed"]
    assert row.details == {"changed": ["email", "name", "profile"]}


async def test_attributes_that_nobody_keeps_are_dropped(directory: Directory) -> None:
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    unknown: Any = {enterprise: {"department": "All"}}
    made = await directory.create(
        schemas=[USER, enterprise],
        title="Head of everything",
        password="correct horse battery",
        **unknown,
    )
    assert {"title", "password", enterprise}.isdisjoint(made)


async def test_entras_ways_of_changing_are_understood(directory: Directory) -> None:
    """It sends booleans as texts, paths as keys, and a value with what it removes."""
    user = await directory.create()
    await directory.add("publisher", user["id"])
    wanted = {"op": "Replace", "value": {"displayName": "Anna Bergson", "name.givenName": "Anna"}}
    await directory.patch(f"Users/{user['id']}", wanted)
    removed = {"op": "Remove", "path": "members", "value": [{"value": user["id"]}]}
    await directory.patch("Groups/publisher", removed)
    assert await directory.group("publisher") == []
    assert (await directory.user(user["id"]))["displayName"] == "Anna Bergson"


async def test_what_changed_here_is_what_the_directory_reads(
    directory: Directory, client: AsyncClient
) -> None:
    user = await directory.create()
    changes = {"name": "Anna Bergson", "role": "publisher"}
    await client.patch(f"/api/v1/members/{user['id']}", json=changes)
    await client.post(f"/api/v1/members/{user['id']}/enable")
    read = await directory.user(user["id"])
    assert (read["displayName"], read["active"]) == ("Anna Bergson", True)
    assert await directory.group("publisher") == [user["id"]]
    assert read["meta"]["version"] != user["meta"]["version"]


async def test_who_gets_an_address_again_has_nothing_of_its_last_holder(
    directory: Directory, office: Office
) -> None:
    """The password of before opens nothing, also once the account is let in again."""
    member_id = await provisioned_member(directory, office)
    await directory.delete(member_id)
    again = await directory.create()
    assert again["id"] == member_id
    await directory.add("publisher", member_id)
    member = await member_of(office.house)
    assert (member.state, member.password) == (MemberState.ACTIVE, "")


async def test_half_a_letter_is_nobodys_name(directory: Directory) -> None:
    await directory.create()
    for wanted in ("userName", "externalId"):
        found = await directory.find(f'{wanted} eq "\\ud800"')
        assert found["totalResults"] == 0
