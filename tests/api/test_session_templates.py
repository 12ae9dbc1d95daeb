"""Session templates, forms, documents and lifecycles over HTTP."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from tests.api.factories import (
    API,
    a_template,
    furnish,
    get,
    issue,
    make_party,
    make_session,
    make_template,
    post,
    put,
)
from tests.rooms.house import DOCUMENT, FORM, LIFECYCLE, Clock


async def test_a_template_has_a_name_a_stable_key_a_bound_a_scope_and_tasks(
    client: AsyncClient,
) -> None:
    """PS-3, PS-5, PS-6, PS-7."""
    scope = {"party_kinds": ["vendor"], "subject": "optional"}
    made = await post(client, "/session-templates", a_template(scope=scope, ordered=False))
    assert (made["key"], made["name"], made["status"]) == ("survey", "Survey", "draft")
    assert made["body"]["time_bound_days"] == 14
    assert made["body"]["scope"] == scope
    published = await post(client, "/session-templates/survey/publish", status=200)
    assert published["status"] == "published"
    retired = await post(client, "/session-templates/survey/retire", status=200)
    assert retired["status"] == "retired"


async def test_a_key_is_taken_once(client: AsyncClient) -> None:
    """PS-3."""
    await post(client, "/session-templates", a_template())
    answer = await client.post(f"{API}/session-templates", json=a_template(name="Other"))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/definition-exists")


async def test_the_template_of_agreements_is_not_an_authors(client: AsyncClient) -> None:
    """PS-43: retired or changed, it would refuse every agreement that is sent."""
    key = "signature-request"
    answers = [
        await client.post(f"{API}/session-templates", json=a_template(key=key)),
        await client.post(f"{API}/session-templates/{key}/publish"),
        await client.post(f"{API}/session-templates/{key}/retire"),
    ]
    for each in answers:
        assert (each.status_code, each.json()["type"]) == (409, "/problems/template-reserved")
        assert each.json()["key"] == key
        assert "reserved" in each.json()["detail"]


async def test_a_key_cannot_be_changed(client: AsyncClient) -> None:
    """PS-3."""
    await post(client, "/session-templates", a_template())
    answer = await client.patch(f"{API}/session-templates/survey", json={"key": "other"})
    assert answer.status_code == 422
    assert answer.json()["faults"] == [{"pointer": "/key", "message": "cannot be changed"}]


async def test_every_fault_of_a_definition_is_named(client: AsyncClient) -> None:
    bad = a_template(
        time_bound_days=0,
        colour="red",
        tasks=[{"key": "f", "kind": "form", "title": "F", "form": "nowhere"}],
    )
    answer = await client.post(f"{API}/session-templates", json=bad)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/definition-faulty"
    pointers = {each["pointer"] for each in answer.json()["faults"]}
    assert pointers == {"/time_bound_days", "/colour", "/tasks/0/form"}


@pytest.mark.parametrize("body", [{}, {"key": 7}, {"key": ["a"]}, {"key": "x", "tasks": None}])
async def test_odd_definitions_are_malformed_and_nothing_else(
    client: AsyncClient, body: dict[str, Any]
) -> None:
    answer = await client.post(f"{API}/session-templates", json=body)
    assert answer.status_code == 422
    assert answer.json()["faults"]


async def test_triggers_are_computed_from_lifecycles(client: AsyncClient) -> None:
    """PS-4: a lifecycle transition or manual."""
    await furnish(client)
    found = await get(client, "/session-templates/diligence")
    assert found["triggered_by"] == [{"lifecycle": "vendor", "at": "enter:review"}]
    await make_template(client)
    assert (await get(client, "/session-templates/survey"))["triggered_by"] == []


async def test_recent_outcomes_are_counted_by_arithmetic(client: AsyncClient, clock: Clock) -> None:
    """PS-9: issued many times; PS-21, PS-23."""
    await make_template(client)
    party = await make_party(client, kind="guest")
    first, *_ = [await issue(client, party["id"]) for _ in range(3)]
    revoked = await client.post(
        f"{API}/public-sessions/{first['id']}/revoke", json={"rationale": "Wrong party"}
    )
    assert revoked.status_code == 200
    recent = (await get(client, "/session-templates/survey"))["recent"]
    assert (recent["issued"], recent["open"], recent["outcomes"]) == (3, 2, {"revoked": 1})
    clock.turn(days=15)
    [listed] = (await get(client, "/session-templates"))["items"]
    assert listed["recent"]["outcomes"] == {"revoked": 1, "expired": 2}


async def test_running_sessions_stay_on_their_version(client: AsyncClient) -> None:
    """PS-35: pinned; drafts issue to test parties only, retired ones to nobody."""
    await make_template(client)
    real = await make_party(client, kind="guest")
    tester = await make_party(client, kind="guest", test=True)
    first = await issue(client, real["id"])
    await client.patch(f"{API}/session-templates/survey", json={"name": "Survey II"})
    assert (await issue(client, real["id"]))["template_version"] == 1
    assert (await issue(client, tester["id"]))["template_version"] == 2
    await post(client, "/session-templates/survey/publish", status=200)
    again = await issue(client, real["id"])
    assert (again["template_version"], again["title"]) == (2, "Survey II")
    assert (await get(client, f"/public-sessions/{first['id']}"))["title"] == "Survey"
    await post(client, "/session-templates/survey/retire", status=200)
    answer = await client.post(
        f"{API}/public-sessions", json={"template": "survey", "party": real["id"]}
    )
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/template-not-issuable"
    assert answer.json()["template_status"] == "retired"


async def test_a_published_template_with_pins_can_be_changed(client: AsyncClient) -> None:
    """PS-35, PS-41: the pins of the published version do not stand in the next draft's way."""
    await furnish(client)
    answer = await client.patch(f"{API}/session-templates/intake", json={"name": "Intake II"})
    assert answer.status_code == 200, answer.text
    assert [each["status"] for each in answer.json()["versions"]] == ["draft", "published"]
    tasks = answer.json()["body"]["tasks"]
    assert not any("form_version" in each for each in tasks)


async def test_lists_of_definitions_page_by_key(client: AsyncClient) -> None:
    for key in ("c", "a", "b"):
        await put(client, f"/forms/{key}", FORM)
    first = await get(client, "/forms", limit=2)
    await put(client, "/forms/aa", FORM)
    second = await get(client, "/forms", limit=2, cursor=first["next"])
    keys = [each["key"] for each in first["items"] + second["items"]]
    assert (keys, second["next"]) == (["a", "b", "c"], None)


async def test_drafts_can_be_listed_alone(client: AsyncClient) -> None:
    await make_template(client)
    await post(client, "/session-templates", a_template("other"))
    found = await get(client, "/session-templates", status="draft")
    assert [each["key"] for each in found["items"]] == ["other"]


async def test_saving_the_same_again_makes_no_version(client: AsyncClient) -> None:
    assert (await put(client, "/documents/terms", DOCUMENT))["version"] == 1
    assert (await put(client, "/documents/terms", DOCUMENT))["version"] == 1
    changed = await put(client, "/documents/terms", DOCUMENT | {"title": "Terms of use"})
    assert changed["version"] == 2
    assert (await get(client, "/documents/terms", version=1))["body"]["title"] == "Terms"


async def test_every_change_of_a_definition_keeps_before_and_after(client: AsyncClient) -> None:
    """PS-25."""
    await put(client, "/forms/profile", FORM)
    await put(client, "/forms/profile", FORM | {"title": "Profile II"})
    newest, _ = (await get(client, "/audit", event="form.saved"))["items"]
    assert newest["details"]["before"]["title"] == FORM["title"]
    assert newest["details"]["after"]["title"] == "Profile II"
    assert newest["subject"] == "form:profile"


async def test_a_lifecycle_is_checked_as_a_whole(client: AsyncClient) -> None:
    await furnish(client)
    states = [*LIFECYCLE["states"], {"key": "island", "issues": ["nowhere"]}]
    answer = await client.put(f"{API}/lifecycles/vendor", json=LIFECYCLE | {"states": states})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["faults"]] == ["/states/2/issues/0"]


@pytest.mark.parametrize("noun", ["session-templates", "forms", "documents", "lifecycles"])
async def test_unknown_foreign_and_malformed_keys_answer_alike(
    client: AsyncClient, stranger: AsyncClient, noun: str
) -> None:
    """RELIABILITY 6."""
    await furnish(stranger)
    theirs = {"session-templates": "intake", "forms": "profile", "documents": "terms"}
    paths = ["unknown", theirs.get(noun, "vendor"), "NOT%20A%20KEY%00"]
    answers = [await client.get(f"{API}/{noun}/{each}") for each in paths]
    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1


async def test_a_foreign_form_cannot_be_referred_to(
    client: AsyncClient, stranger: AsyncClient
) -> None:
    """RELIABILITY 6: object ids of another workspace inside bodies."""
    await furnish(stranger)
    tasks = [{"key": "f", "kind": "form", "title": "F", "form": "profile"}]
    answer = await client.post(f"{API}/session-templates", json=a_template(tasks=tasks))
    assert answer.status_code == 422


async def test_publishing_twice_is_refused(client: AsyncClient) -> None:
    await make_session(client)
    await make_template(client)
    answer = await client.post(f"{API}/session-templates/survey/publish")
    assert (answer.status_code, answer.json()["template_status"]) == (409, "published")
