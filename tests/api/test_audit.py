"""The audit log over the API: its rows, its heads, its key, its proofs, the whole of it (N10)."""

import base64
from pathlib import Path

from httpx2 import AsyncClient

from adapters.audit_verify import verify_file
from adapters.checkpoint import fingerprint, read_checkpoint
from commands.audit_tree import AuditSequencer, catch_up
from domain.audit_tree import verify_consistency
from store.audit import AuditRow
from tests.api.factories import API, get, make_party, make_session
from tests.rooms.house import House


async def test_rows_say_their_place_and_what_seals_them(client: AsyncClient, house: House) -> None:
    await make_party(client)
    rows = (await get(client, "/audit"))["items"]
    assert {(each["position"], each["sealed_by"]) for each in rows} == {(None, None)}
    await AuditSequencer(house.transactions).round()
    await make_party(client)
    await AuditSequencer(house.transactions).round()
    rows = (await get(client, "/audit"))["items"]
    assert [each["position"] for each in rows] == list(reversed(range(len(rows))))
    assert [each["sealed_by"] for each in rows[:2]] == [None, len(rows) - 1]
    head = await catch_up(house.transactions, house.workspace_id)
    rows = (await get(client, "/audit"))["items"]
    assert rows[0]["sealed_by"] == head.size == len(rows)


async def test_a_sessions_trail_says_it_too(client: AsyncClient, house: House) -> None:
    session = await make_session(client)
    await catch_up(house.transactions, house.workspace_id)
    (row,) = (await get(client, f"/public-sessions/{session['id']}/audit"))["items"]
    assert row["sealed_by"] > row["position"] > 0


async def test_the_newest_head_and_the_key_that_checks_it(
    client: AsyncClient, house: House
) -> None:
    assert (await client.get(f"{API}/audit/checkpoint")).status_code == 404
    head = await catch_up(house.transactions, house.workspace_id)
    answer = await client.get(f"{API}/audit/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    key = await get(client, "/audit/key")
    assert read_checkpoint(answer.text, key["key"]).root == head.root
    assert key["sha256"] == fingerprint(key["key"])


async def test_an_old_head_is_proved_to_be_the_beginning_of_the_new(
    client: AsyncClient, house: House
) -> None:
    old = await catch_up(house.transactions, house.workspace_id)
    await make_party(client)
    new = await catch_up(house.transactions, house.workspace_id)
    sizes = {"first": old.size, "second": new.size}
    found = await get(client, "/audit/proofs/consistency", **sizes)
    proof = [bytes.fromhex(each) for each in found["proof"]]
    assert verify_consistency(old.size, old.root, new.size, new.root, proof)
    for first, second in ((new.size, old.size), (old.size, new.size + 1)):
        query = {"first": first, "second": second}
        answer = await client.get(f"{API}/audit/proofs/consistency", params=query)
        assert answer.status_code == 404


async def test_the_whole_log_is_taken_out_and_verifies(
    client: AsyncClient, house: House, tmp_path: Path
) -> None:
    await make_session(client)
    answer = await client.get(f"{API}/audit/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.jsonl"'
    log = tmp_path / "audit.jsonl"
    log.write_bytes(answer.content)
    key = (await get(client, "/audit/key"))["key"]
    report = verify_file(log, key)
    assert len(report.events) == len(await house.all(AuditRow))
    assert (await get(client, "/audit"))["items"][0]["event"] == "audit.exported"
    answer = await client.get(f"{API}/audit/export", params={"details": "false"})
    assert b"vera@vendor.example" not in answer.content
    log.write_bytes(answer.content)
    assert all(verify_file(log, key).events.values())


async def test_another_workspace_has_another_log(
    client: AsyncClient, stranger: AsyncClient, house: House
) -> None:
    party = await make_party(client)
    await catch_up(house.transactions, house.workspace_id)
    keys = [(await get(each, "/audit/key"))["key"] for each in (client, stranger)]
    assert len({base64.b64decode(each.split("+", 2)[2]) for each in keys}) == 2
    assert party["id"] not in (await stranger.get(f"{API}/audit/export")).text


async def test_nobody_reads_it_without_a_token(anonymous: AsyncClient) -> None:
    for path in ("", "/checkpoint", "/key", "/export", "/proofs/consistency?first=0&second=0"):
        assert (await anonymous.get(f"{API}/audit{path}")).status_code == 401
