"""What counts in a workspace, where it comes from, and what a change would do (N16, SH-20)."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

from commands.member_session import Browser
from commands.trusted_device import trust_browser
from domain.setting_effect import EFFECTS
from domain.settings import CATALOGUE
from store.workspace_setting import settings_of_workspace
from tests.api.factories import (
    API,
    UNKNOWN,
    a_template,
    get,
    issue,
    make_party,
    make_template,
    post,
)
from tests.api.office import Office
from tests.rooms.house import Clock, House

ABSOLUTE = "session.absolute_timeout"
IDLE = "binding.idle"


async def shown(client: AsyncClient, name: str) -> Any:
    found = {each["name"]: each for each in (await get(client, "/settings"))["items"]}
    return found[name]


async def patch(client: AsyncClient, body: Any, status: int = 200) -> Any:
    answer = await client.patch(f"{API}/settings", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def preview(client: AsyncClient, body: Any, status: int = 200) -> Any:
    found = await post(client, "/settings/preview", body, status)
    return {each["name"]: each for each in found["items"]} if status == 200 else found


async def test_a_value_says_where_it_comes_from(client: AsyncClient, stranger: AsyncClient) -> None:
    # N16: installation, then workspace
    before = await shown(client, ABSOLUTE)
    assert (before["value"], before["origin"], before["scope"]) == (86_400, "default", "workspace")
    assert before["locked"] is None
    await patch(client, {ABSOLUTE: 3600})
    after = await shown(client, ABSOLUTE)
    assert (after["value"], after["inherited"], after["origin"]) == (3600, 86_400, "workspace")
    assert (await shown(stranger, ABSOLUTE))["origin"] == "default"
    await patch(client, {ABSOLUTE: None})
    assert await shown(client, ABSOLUTE) == before


async def test_limits_choices_and_the_accessible_value_are_told(client: AsyncClient) -> None:
    grace = await shown(client, "session.warning_grace")
    assert (grace["minimum"], grace["value"], grace["accessible"]) == (10, 15, 20)
    overflow = await shown(client, "session.overflow")
    assert overflow["choices"] == ["refuse_new", "displace_oldest"]


async def test_what_cannot_be_changed_says_why(client: AsyncClient) -> None:
    # C17, EE-12
    assert "whoever runs" in (await shown(client, "mail.kept_for"))["locked"]
    concurrent = await shown(client, "session.allow_concurrent")
    assert concurrent["locked"] is None
    assert {each["mode"]: each["value"] for each in concurrent["locked_modes"]} == {
        "basic": True,
        "integrated": True,
    }
    assert all(each["reason"] for each in concurrent["locked_modes"])


async def test_all_or_nothing_with_every_fault_named(client: AsyncClient, house: House) -> None:
    wrong = {
        "session.warning_grace": 30,
        ABSOLUTE: 1,
        "session.overflow": "explode",
        "session.limit_absolutely": 1,
        "mail.kept_for": 86_400,
        "nothing": 1,
    }
    answer = await patch(client, wrong, 422)
    assert answer["type"] == "/problems/setting-refused"
    assert {each["pointer"] for each in answer["faults"]} == {
        f"/{name}" for name in wrong if name != "session.warning_grace"
    }
    assert (await preview(client, wrong, 422))["faults"] == answer["faults"]
    assert await house_settings(house) == {}


async def house_settings(house: House) -> dict[str, Any]:
    async with house.transactions.work() as work:
        rows = await settings_of_workspace(work.db, house.workspace_id)
        return {each.name: each.value for each in rows}


async def test_changes_at_once_follow_each_other(client: AsyncClient, house: House) -> None:
    await asyncio.gather(*(patch(client, {ABSOLUTE: 3600 + each}) for each in range(8)))
    assert list(await house_settings(house)) == [ABSOLUTE]


async def test_a_preview_counts_and_saves_nothing(
    client: AsyncClient, office: Office, house: House
) -> None:
    # SH-20
    await office.member()
    await office.member(email="bela@office.example")
    await office.set(session_allow_concurrent=True)
    for _ in range(3):
        await office.tokens(client_id="crm")
    await office.ask(username="bela@office.example")
    kept = {"name": ABSOLUTE, "before": 86_400, "after": 600, "effects": {"sessions_kept": 4}}
    assert await preview(client, {ABSOLUTE: 600}) == {ABSOLUTE: kept}
    off = (await preview(client, {"session.allow_concurrent": False}))["session.allow_concurrent"]
    assert off["effects"] == {
        "sessions_displaced": 4,
        "sign_ins_refused": 0,
        "sessions_unchecked": 0,
    }
    fewer = (await preview(client, {"session.concurrent_limit": 2}))["session.concurrent_limit"]
    assert fewer["effects"]["sign_ins_refused"] == 1
    both = {"session.concurrent_limit": 2, "session.overflow": "displace_oldest"}
    displacing = (await preview(client, both))["session.overflow"]
    assert displacing["effects"]["sessions_displaced"] == 2
    assert (await preview(client, {"token.access": 60}))["token.access"]["effects"] == {
        "tokens_kept": 4
    }
    assert await house_settings(house) == {"session.allow_concurrent": True}


async def test_a_preview_counts_links_and_locks(
    client: AsyncClient, office: Office, clock: Clock
) -> None:
    await office.member()
    await post(client, "/members", {"email": "c@office.example", "name": "C", "role": "auditor"})
    for _ in range(10):
        await office.ask(password="wrong")
    found = await preview(client, {"link.invitation": 600, "link.account": 600, "login.lock": 60})
    assert {name: each["effects"] for name, each in found.items()} == {
        "link.invitation": {"invitations_kept": 1},
        "link.account": {"links_kept": 0},
        "login.lock": {"locks_moved": 1},
    }


async def test_a_preview_counts_what_second_factors_leave_as_it_was(
    client: AsyncClient, office: Office, house: House
) -> None:
    # SH-20
    member = await office.member()
    await office.tokens()
    async with house.transactions.work() as work:
        await trust_browser(work, member, Browser(name="Chromium"))
    wanted = {"login.second_factor": "required", "token.trusted_device": 86_400}
    found = await preview(client, wanted)
    assert {name: each["effects"] for name, each in found.items()} == {
        "login.second_factor": {"sessions_kept": 1},
        "token.trusted_device": {"devices_kept": 1},
    }


async def test_what_changes_nothing_is_not_in_a_preview(client: AsyncClient) -> None:
    assert await preview(client, {ABSOLUTE: 86_400, "login.guest_name": None}) == {}
    named = await preview(client, {"login.guest_name": "ExactWebGuest"})
    assert named["login.guest_name"]["effects"] == {}


async def test_who_was_not_checked_stays(client: AsyncClient, office: Office) -> None:
    # EE-19
    await office.member()
    await office.set(session_check_concurrency=False)
    for _ in range(2):
        await office.tokens()
    name = "session.check_concurrency"
    assert (await preview(client, {name: True}))[name]["effects"] == {
        "sessions_displaced": 0,
        "sign_ins_refused": 0,
        "sessions_unchecked": 2,
    }


def test_effects_are_of_settings_that_a_workspace_may_set() -> None:
    own = {each.name for each in CATALOGUE if each.scope == "workspace"}
    assert EFFECTS.keys() <= own


async def shown_for(client: AsyncClient, name: str, **query: Any) -> Any:
    found = (await get(client, "/settings", **query))["items"]
    return next(each for each in found if each["name"] == name)


async def test_a_setting_says_where_it_may_be_set(client: AsyncClient) -> None:
    # N16
    levels = ["installation", "workspace", "template", "session"]
    for name, number in ((IDLE, 4), (ABSOLUTE, 2), ("mail.kept_for", 1)):
        assert (await shown(client, name))["levels"] == levels[:number]


async def test_what_counts_for_a_template_and_a_session_says_its_origin(
    client: AsyncClient, stranger: AsyncClient
) -> None:
    # N16: installation, workspace, template, session
    party = await make_party(client, kind="guest")
    await make_template(client, "plain")
    await make_template(client, "own", settings={IDLE: 600})
    plain = await issue(client, party["id"], "plain")
    ours = await issue(client, party["id"], "own")
    alone = await issue(client, party["id"], "own", settings={IDLE: 300})
    await patch(client, {IDLE: 900})
    later = await issue(client, party["id"], "plain")
    for query, value, origin, inherited in (
        ({}, 900, "workspace", 1800),
        ({"template": "plain"}, 900, "workspace", 900),
        ({"template": "own"}, 600, "template", 900),
        ({"session": plain["id"]}, 1800, "default", 900),
        ({"session": later["id"]}, 900, "workspace", 900),
        ({"session": ours["id"]}, 600, "template", 900),
        ({"session": alone["id"], "template": "plain"}, 300, "session", 900),
    ):
        found = await shown_for(client, IDLE, **query)
        assert (found["value"], found["origin"], found["inherited"]) == (value, origin, inherited)
        assert (await shown_for(client, ABSOLUTE, **query))["origin"] == "default"
    for query in ({"template": "none"}, {"session": UNKNOWN}, {"session": "x"}):
        assert (await client.get(f"{API}/settings", params=query)).status_code == 404
    theirs = {"template": "own"}, {"session": alone["id"]}
    for query in theirs:
        assert (await stranger.get(f"{API}/settings", params=query)).status_code == 404


async def test_a_workspace_hears_where_its_value_does_not_count(client: AsyncClient) -> None:
    # N16, SH-20: templates and open sessions that have their own, before saving and after
    assert (await shown(client, IDLE))["overridden"] == {"templates": {}, "sessions": 0}
    assert (await shown(client, ABSOLUTE))["overridden"] is None
    party = await make_party(client, kind="guest")
    await make_template(client, "plain")
    await make_template(client, "own", settings={IDLE: 600})
    await make_template(client, "gone", settings={IDLE: 600})
    await post(client, "/session-templates/gone/retire", status=200)
    await post(client, "/session-templates", a_template("draft", settings={IDLE: 700}))
    await client.patch(f"{API}/session-templates/own", json={"settings": {IDLE: 800}})
    for template, settings in (("plain", {}), ("own", {}), ("plain", {IDLE: 300})):
        await issue(client, party["id"], template, settings=settings)
    over = await issue(client, party["id"], "own")
    await post(client, f"/public-sessions/{over['id']}/revoke", {"rationale": "x"}, 200)
    overridden = {"templates": {"draft": 700, "own": 600}, "sessions": 2}
    assert (await shown(client, IDLE))["overridden"] == overridden
    assert (await preview(client, {IDLE: 900}))[IDLE]["effects"] == {
        "templates_overriding": 2,
        "public_sessions_kept": 3,
        "public_sessions_overriding": 2,
    }


async def test_a_template_cannot_set_what_is_not_its_own(client: AsyncClient) -> None:
    # PS-35: and a published version stays as it is
    wrong = {"settings": {IDLE: 299, "link.invitation": 600}}
    answer = await post(client, "/session-templates", a_template("t") | wrong, 422)
    assert {each["pointer"]: each["message"] for each in answer["faults"]} == {
        "/settings/binding.idle": "must be from 300 to 43200 seconds",
        "/settings/link.invitation": "is not set by a template",
    }
    await make_template(client, "t", settings={IDLE: 600})
    changed = await client.patch(f"{API}/session-templates/t", json={"settings": {}})
    assert [each["version"] for each in changed.json()["versions"]] == [2, 1]
    assert (await shown_for(client, IDLE, template="t"))["value"] == 600


async def test_a_session_cannot_have_what_is_not_its_own(client: AsyncClient) -> None:
    party = await make_party(client, kind="guest")
    await make_template(client)
    body = {"template": "survey", "party": party["id"], "settings": {IDLE: 1, "nothing": 1}}
    answer = await post(client, "/public-sessions", body, 422)
    assert answer["type"] == "/problems/setting-refused"
    assert [each["pointer"] for each in answer["faults"]] == [
        "/settings/binding.idle",
        "/settings/nothing",
    ]
    assert (await get(client, "/public-sessions"))["items"] == []
    issued = await issue(client, party["id"], settings={IDLE: 600})
    (event,) = (await get(client, f"/public-sessions/{issued['id']}/audit"))["items"]
    assert event["details"]["settings"] == {IDLE: 600}


@pytest.mark.parametrize("body", ["[]", "1", '{"a\\u0000": 1}'])
async def test_anything_else_is_malformed(client: AsyncClient, body: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.patch(f"{API}/settings", content=body, headers=headers)
    assert answer.status_code == 422
