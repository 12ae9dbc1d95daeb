"""Idempotency-Key over HTTP (PS-36)."""

import asyncio

from httpx2 import AsyncClient

from tests.api.factories import API, a_party, get, make_party, make_template

KEY = {"idempotency-key": "order-7"}


async def test_the_same_request_again_gets_the_first_answer(client: AsyncClient) -> None:
    """PS-36: one effect, byte for byte the same answer."""
    await make_template(client)
    party = await make_party(client, kind="guest")
    body = {"template": "survey", "party": party["id"]}
    first = await client.post(f"{API}/public-sessions", json=body, headers=KEY)
    second = await client.post(f"{API}/public-sessions", json=body, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await get(client, "/public-sessions"))["items"]) == 1


async def test_without_a_key_each_request_issues(client: AsyncClient) -> None:
    """PS-9."""
    await make_template(client)
    party = await make_party(client, kind="guest")
    body = {"template": "survey", "party": party["id"]}
    for _ in range(2):
        assert (await client.post(f"{API}/public-sessions", json=body)).status_code == 201
    assert len((await get(client, "/public-sessions"))["items"]) == 2


async def test_a_key_is_for_one_request(client: AsyncClient) -> None:
    first = await client.post(f"{API}/parties", json=a_party(kind="guest"), headers=KEY)
    assert first.status_code == 201
    other = await client.post(f"{API}/parties", json=a_party(kind="buyer"), headers=KEY)
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert len((await get(client, "/parties"))["items"]) == 1


async def test_two_callers_may_use_the_same_key(client: AsyncClient, stranger: AsyncClient) -> None:
    ids = set()
    for each in (client, stranger):
        answer = await each.post(f"{API}/parties", json=a_party(kind="guest"), headers=KEY)
        ids.add(answer.json()["id"])
    assert len(ids) == 2


async def test_problems_are_not_kept(client: AsyncClient) -> None:
    body = {"template": "survey", "party": (await make_party(client, kind="guest"))["id"]}
    refused = await client.post(f"{API}/public-sessions", json=body, headers=KEY)
    assert refused.status_code == 404
    await make_template(client)
    assert (await client.post(f"{API}/public-sessions", json=body, headers=KEY)).status_code == 201


async def test_sixteen_at_once_have_one_effect(client: AsyncClient) -> None:
    """PS-36; RELIABILITY 4: one of 16, the others replay."""
    await make_template(client)
    party = await make_party(client, kind="guest")
    body = {"template": "survey", "party": party["id"]}
    answers = await asyncio.gather(
        *(client.post(f"{API}/public-sessions", json=body, headers=KEY) for _ in range(16))
    )
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    replayed = [each for each in answers if "idempotent-replayed" in each.headers]
    assert len(replayed) == 15
    assert len((await get(client, "/public-sessions"))["items"]) == 1


async def test_a_verb_without_a_body_replays_too(client: AsyncClient) -> None:
    await make_template(client)
    for _ in range(2):
        answer = await client.post(f"{API}/session-templates/survey/retire", headers=KEY)
        assert answer.status_code == 200


async def test_an_odd_key_is_malformed(client: AsyncClient) -> None:
    for key in ("", "x" * 256):
        answer = await client.post(
            f"{API}/parties", json=a_party(), headers={"idempotency-key": key}
        )
        assert answer.status_code == 422
        assert answer.json()["faults"][0]["in"] == "header"
