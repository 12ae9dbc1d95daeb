"""Parties over HTTP."""

from typing import Any

from httpx2 import AsyncClient

from tests.api.factories import API, UNKNOWN, a_party, furnish, get, make_party, post


async def test_creating_a_party_issues_what_its_first_state_issues(client: AsyncClient) -> None:
    """PS-33, PS-4: from a transition; PS-1, PS-8: one template, one party, one bound."""
    await furnish(client)
    party = await make_party(client)
    assert party["state"] == "new"
    [issued] = party["issued"]
    assert issued["template"] == "intake"
    session = await get(client, f"/public-sessions/{issued['public_session']}")
    assert session["party"] == party["id"]
    assert session["status"] == "issued"
    assert session["expires_at"] == "2026-03-16T09:00:00Z"


async def test_a_transition_moves_the_party_and_issues(client: AsyncClient) -> None:
    """PS-4, PS-33."""
    await furnish(client)
    party = await make_party(client)
    moved = await post(
        client, f"/parties/{party['id']}/transitions", {"transition": "look"}, status=200
    )
    assert moved["state"] == "review"
    assert [each["template"] for each in moved["issued"]] == ["diligence"]
    found = await get(client, f"/parties/{party['id']}")
    assert [(each["from"], each["to"]) for each in found["passages"]] == [
        (None, "new"),
        ("new", "review"),
    ]


async def test_a_transition_from_another_state_is_refused(client: AsyncClient) -> None:
    await furnish(client)
    party = await make_party(client)
    answer = await client.post(
        f"{API}/parties/{party['id']}/transitions", json={"transition": "back"}
    )
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/transition-refused"
    assert answer.json()["state"] == "new"


async def test_a_party_has_the_promised_shape(client: AsyncClient) -> None:
    party = await make_party(client, kind="guest", attributes={"tax_id": "DE1"}, locale="de")
    promised = {"id", "kind", "name", "email", "locale", "attributes", "state"}
    assert promised <= set(party)
    assert party["attributes"] == {"tax_id": "DE1"}
    assert party["verification"] == {"locked": False, "locked_at": None, "failures": 0}


async def test_every_fault_is_named_at_once(client: AsyncClient) -> None:
    bad = a_party(kind="Not A Key", name="", email="nobody", zone="Mars", colour="red")
    answer = await client.post(f"{API}/parties", json=bad)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/problems/validation-failed"
    pointers = {each["pointer"].split("/")[1] for each in problem["faults"]}
    assert pointers == {"kind", "name", "email", "zone", "colour"}


async def test_attributes_are_merged_and_null_removes(client: AsyncClient) -> None:
    party = await make_party(client, kind="guest", attributes={"a": 1, "b": 2})
    path = f"{API}/parties/{party['id']}"
    changed = (await client.patch(path, json={"attributes": {"a": None, "c": 3}})).json()
    assert changed["attributes"] == {"b": 2, "c": 3}
    [row] = (await get(client, "/audit", event="party.changed"))["items"]
    assert row["details"]["before"]["attributes"] == {"a": 1, "b": 2}
    assert row["party"] == party["id"]


async def test_a_party_without_an_address_is_visible(client: AsyncClient) -> None:
    """PS-37: no silent hang."""
    await furnish(client)
    party = await make_party(client, email="")
    session = await get(client, f"/public-sessions/{party['issued'][0]['public_session']}")
    assert session["mail_state"] == "refused"
    assert session["mail_detail"] == "no_contact_address"


async def test_lists_filter(client: AsyncClient) -> None:
    vera = await make_party(client, kind="guest")
    bo = await make_party(client, kind="buyer", name="Bo 100%", email="bo@buyer.example", test=True)
    cases: list[tuple[dict[str, Any], list[Any]]] = [
        ({"kind": "guest"}, [vera]),
        ({"test": True}, [bo]),
        ({"q": "100%"}, [bo]),
        ({"q": "VENDOR.example"}, [vera]),
        ({"q": "Bo@Buyer.example"}, [bo]),
        ({"q": "BUYER"}, []),
        ({"q": "_"}, []),
        ({}, [bo, vera]),
    ]
    for query, expected in cases:
        found = (await get(client, "/parties", **query))["items"]
        assert [each["id"] for each in found] == [each["id"] for each in expected], query


async def test_pages_stay_whole_while_rows_are_added(client: AsyncClient) -> None:
    made = [(await make_party(client, kind="guest", name=f"P{at}"))["id"] for at in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await get(client, "/parties", **query)
        seen += [each["id"] for each in page["items"]]
        await make_party(client, kind="guest", name="meanwhile")
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_an_invented_cursor_and_too_large_a_limit_are_refused(client: AsyncClient) -> None:
    answer = await client.get(f"{API}/parties", params={"cursor": "x"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/cursor-invalid")
    answer = await client.get(f"{API}/parties", params={"limit": 201})
    assert answer.status_code == 422
    assert "200" in answer.json()["faults"][0]["message"]


async def test_unknown_foreign_and_malformed_ids_answer_alike(
    client: AsyncClient, stranger: AsyncClient
) -> None:
    """RELIABILITY 6: 404 bodies byte-equal."""
    theirs = await make_party(stranger, kind="guest")
    answers = [
        await client.get(f"{API}/parties/{each}") for each in (UNKNOWN, theirs["id"], "not-an-id")
    ]
    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1


async def test_unlocking_is_audited(client: AsyncClient) -> None:
    """SX-16: the lock is visible and an administrator clears it."""
    party = await make_party(client, kind="guest")
    unlocked = await post(client, f"/parties/{party['id']}/unlock", status=200)
    assert unlocked["verification"]["locked"] is False
    rows = (await get(client, "/audit", party=party["id"]))["items"]
    assert rows[0]["event"] == "party.verification_unlocked"
    assert rows[0]["actor"].startswith("token:")
