"""Erasing and exporting over HTTP (PS-28)."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlmodel import select

from adapters.objects import ObjectMissing
from store.idempotency import IdempotencyRow
from tests.api.conftest import caller
from tests.api.factories import (
    API,
    UNKNOWN,
    a_party,
    expect,
    get,
    issue,
    make_party,
    make_session,
    make_template,
    post,
)
from tests.rooms.agreements import Desk
from tests.rooms.house import Clock, House
from tests.rooms.kept_files import keep_file
from tests.rooms.party_browser import browser_at, words
from tests.rooms.traces import CANARY

ORDER = {"rationale": "asked for by letter 12", "confirm": "erase"}


async def test_an_erased_party_is_shown_as_erased(client: AsyncClient) -> None:
    await make_template(client)
    made = await make_party(client, kind="guest", name=CANARY, attributes={"about": CANARY})
    session = await issue(client, made["id"], subject="")
    erased = await post(client, f"/parties/{made['id']}/erase", ORDER, 200)
    gone = {"name": "erased", "email": "", "attributes": {}}
    assert {name: erased[name] for name in gone} == gone
    assert erased["erased_at"] is not None
    (listed,) = (await get(client, "/parties"))["items"]
    assert listed == erased
    detail = await get(client, f"/parties/{made['id']}")
    assert {name: detail[name] for name in gone} == gone
    (row,) = (await get(client, "/public-sessions"))["items"]
    assert (row["id"], row["party_name"], row["status"]) == (session["id"], "erased", "revoked")
    assert (row["erased_at"], row["progress"]) == (erased["erased_at"], {"done": 0, "total": 1})
    for path in ("submissions", "mails", "audit"):
        told = await get(client, f"/public-sessions/{session['id']}/{path}")
        assert CANARY not in json.dumps(told)
    (event,) = (await get(client, "/audit", event="party.erased"))["items"]
    assert event["details"]["rationale"] == ORDER["rationale"]
    assert event["subject"] == f"party:{made['id']}"


async def test_an_erased_session_is_shown_as_erased(client: AsyncClient) -> None:
    session = await make_session(client)
    erased = await post(client, f"/public-sessions/{session['id']}/erase", ORDER, 200)
    assert (erased["status"], erased["end_reason"]) == ("revoked", "revoked")
    assert erased["erased_at"] is not None
    assert [each["state"] for each in erased["tasks"]] == ["open"]
    assert erased == await get(client, f"/public-sessions/{session['id']}")
    party = await get(client, f"/parties/{session['party']}")
    assert (party["name"], party["erased_at"]) == ("Vera Ltd", None)


async def test_an_erased_agreement_is_shown_as_erased(client: AsyncClient, house: House) -> None:
    desk = Desk(house)
    whole = await desk.sent("Vera Ltd", title=CANARY, message=CANARY)
    path = f"/agreements/{whole.row.id}"
    erased = await post(client, f"{path}/erase", ORDER, 200)
    assert (erased["state"], erased["title"], erased["fields"]) == ("cancelled", "", [])
    assert erased["erased_at"] is not None
    assert await post(client, f"{path}/erase", ORDER, 200) == erased
    assert await get(client, path) == erased
    (listed,) = (await get(client, "/agreements"))["items"]
    assert listed == {name: erased[name] for name in listed}
    assert CANARY not in json.dumps([erased, await get(client, "/audit")])
    refused = await client.get(f"{API}{path}/document.pdf")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (410, "erased")
    (event,) = (await get(client, "/audit", event="agreement.erased"))["items"]
    assert event["details"]["rationale"] == ORDER["rationale"]
    session = await get(client, f"/public-sessions/{await desk.session_of(whole)}")
    assert session["erased_at"] == erased["erased_at"]


async def test_an_order_with_a_key_erases_once_and_older_answers_are_emptied(
    client: AsyncClient, house: House
) -> None:
    desk = Desk(house)
    whole = await desk.sent("Vera Ltd", title=CANARY)
    path, key = f"{API}/agreements/{whole.row.id}", {"Idempotency-Key": "cancel-1"}
    why = {"rationale": CANARY}
    cancelled = await client.post(f"{path}/cancel", json=why, headers=key)
    assert (cancelled.status_code, CANARY in cancelled.text) == (200, True)
    answers = [
        await client.post(f"{path}/erase", json=ORDER, headers={"Idempotency-Key": "erase-1"})
        for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (await client.post(f"{path}/cancel", json=why, headers=key)).status_code == 410


@pytest.mark.parametrize("noun", ["parties", "public-sessions"])
@pytest.mark.parametrize("confirm", [None, "", "yes", "ERASE", True, ["erase"]])
async def test_it_has_to_be_meant(client: AsyncClient, noun: str, confirm: Any) -> None:
    session = await make_session(client)
    target = session["party"] if noun == "parties" else session["id"]
    body = {"rationale": "why"} | ({} if confirm is None else {"confirm": confirm})
    problem = await post(client, f"/{noun}/{target}/erase", body, 422)
    (fault,) = problem["faults"]
    assert fault["pointer"] == "/confirm"
    assert '"erase"' in fault["message"]
    assert (await get(client, f"/{noun}/{target}"))["erased_at"] is None


@pytest.mark.parametrize("body", [ORDER | {"rationale": " "}, {"confirm": "erase"}, [], None])
async def test_it_has_to_have_a_reason(client: AsyncClient, body: Any) -> None:
    session = await make_session(client)
    await post(client, f"/public-sessions/{session['id']}/erase", body, 422)


async def test_twice_is_once(client: AsyncClient) -> None:
    party = await make_party(client, kind="guest")
    path = f"/parties/{party['id']}/erase"
    first = await post(client, path, ORDER, 200)
    assert await post(client, path, ORDER | {"rationale": "again"}, 200) == first
    assert len((await get(client, "/audit", event="party.erased"))["items"]) == 1


async def test_strangers_erase_and_export_nothing(
    client: AsyncClient, stranger: AsyncClient, anonymous: AsyncClient
) -> None:
    session = await make_session(client)
    for noun, each in (("parties", session["party"]), ("public-sessions", session["id"])):
        await post(stranger, f"/{noun}/{each}/erase", ORDER, 404)
        await post(anonymous, f"/{noun}/{each}/erase", ORDER, 401)
        await post(client, f"/{noun}/{UNKNOWN}/erase", ORDER, 404)
        assert (await get(client, f"/{noun}/{each}"))["erased_at"] is None
    export = f"{API}/parties/{session['party']}/export"
    assert (await stranger.get(export)).status_code == 404
    assert (await anonymous.get(export)).status_code == 401


async def test_what_is_erased_is_gone(client: AsyncClient) -> None:
    session = await make_session(client)
    await post(client, f"/parties/{session['party']}/erase", ORDER, 200)
    template = session["template"]
    for path, body in (
        ("/public-sessions", {"template": template, "party": session["party"]}),
        (f"/parties/{session['party']}/transitions", {"transition": "look"}),
        (f"/parties/{session['party']}/unlock", None),
        (f"/public-sessions/{session['id']}/revoke", {"rationale": "x"}),
        (f"/public-sessions/{session['id']}/reissue", {"rationale": "x"}),
        (f"/public-sessions/{session['id']}/extend", {"expires_at": "2026-05-01T00:00:00Z"}),
        (f"/public-sessions/{session['id']}/resend", None),
        (f"/public-sessions/{session['id']}/correct-address", {"email": "a@b.example"}),
        (f"/public-sessions/{session['id']}/advance", None),
    ):
        problem = await post(client, path, body, 410)
        assert problem["type"] == "/problems/erased", path
    changed = await client.patch(f"{API}/parties/{session['party']}", json={"name": "X"})
    assert changed.status_code == 410
    export = await client.get(f"{API}/parties/{session['party']}/export")
    assert export.json()["type"] == "/problems/erased"


# Answers that are kept for a repeated request tell nothing of what was erased since.


async def test_a_repeated_request_is_not_told_what_was_erased(
    house: House, client: AsyncClient
) -> None:
    body, key = a_party(kind="guest", name=CANARY), {"idempotency-key": "k1"}
    made = await expect(await client.post(f"{API}/parties", json=body, headers=key), 201)
    other = await client.post(
        f"{API}/parties", json=a_party(kind="guest"), headers={"idempotency-key": "k2"}
    )
    erasing = {"idempotency-key": "k3"}
    path = f"{API}/parties/{made['id']}/erase"
    erased = await client.post(path, json=ORDER, headers=erasing)
    assert erased.status_code == 200
    replay = await client.post(f"{API}/parties", json=body, headers=key)
    assert replay.status_code == 410
    assert replay.json()["type"] == "/problems/erased"
    assert CANARY not in replay.text
    # By the digest of what was asked, who guesses a name could tell that it was this one.
    async with house.transactions.work() as work:
        kept = (await work.db.scalars(select(IdempotencyRow))).all()
    assert [each.key for each in kept if each.request_digest.endswith(":")] == ["k1"]
    elsewhere = await client.post(path, json=ORDER, headers=key)
    assert elsewhere.json()["type"] == "/problems/idempotency-key-reused"
    # Its own answer, and those about somebody else, are repeated as ever.
    again = await client.post(path, json=ORDER, headers=erasing)
    assert (again.status_code, again.content) == (200, erased.content)
    same = await client.post(
        f"{API}/parties", json=a_party(kind="guest"), headers={"idempotency-key": "k2"}
    )
    assert (same.status_code, same.content) == (201, other.content)


async def test_nor_is_one_about_a_session_of_an_erased_party(client: AsyncClient) -> None:
    await make_template(client)
    party = await make_party(client, kind="guest", name=CANARY)
    body, key = {"template": "survey", "party": party["id"]}, {"idempotency-key": "k1"}
    issued = await client.post(f"{API}/public-sessions", json=body, headers=key)
    assert CANARY in issued.text
    await post(client, f"/public-sessions/{issued.json()['id']}/erase", ORDER, 200)
    replay = await client.post(f"{API}/public-sessions", json=body, headers=key)
    assert replay.status_code == 410


# What the party sees, and what becomes of its files.


async def test_an_open_page_and_the_link_say_that_it_ended(
    app: FastAPI, client: AsyncClient, house: House
) -> None:
    session = await make_session(client)
    row = await house.session(session["id"])
    async with browser_at(app, house, "http://testserver") as browser:
        room = await browser.verify(row.id)
        assert (await browser.get(room)).status_code == 200
        await post(client, f"/parties/{session['party']}/erase", ORDER, 200)
        for path in (room, f"{room}/tasks/yes", f"/s/{await house.link(row.id)}"):
            page = await browser.get(path)
            assert page.status_code == 410, path
            assert "Vera" not in words(page)


async def test_a_finished_page_of_an_erased_session_says_no_more(
    app: FastAPI, client: AsyncClient, house: House
) -> None:
    session = await make_session(client)
    row = await house.session(session["id"])
    async with browser_at(app, house, "http://testserver") as browser:
        room = await browser.verify(row.id)
        await browser.post(f"{room}/tasks/yes", agreed="yes")
        assert (await browser.get(room)).status_code == 200
        await post(client, f"/public-sessions/{row.id}/erase", ORDER, 200)
        for path in (room, f"{room}/tasks/yes", f"/s/{await house.link(row.id)}"):
            assert (await browser.get(path)).status_code in {200, 303, 410}, path


async def test_files_go_at_once(app: FastAPI, client: AsyncClient, house: House) -> None:
    session = await make_session(client)
    objects = app.state.objects
    file = await keep_file(house, objects, (await house.session(session["id"])).id, b"x" * 99)
    assert await objects.size(file.object_name) > 99
    await post(client, f"/public-sessions/{session['id']}/erase", ORDER, 200)
    with pytest.raises(ObjectMissing):
        await objects.size(file.object_name)


async def test_the_export_is_an_archive_to_be_saved(
    app: FastAPI, client: AsyncClient, house: House
) -> None:
    session = await make_session(client, name=CANARY)
    row = await house.session(session["id"])
    await keep_file(house, app.state.objects, row.id, b"content", name="ä b.pdf")
    answer = await client.get(f"{API}/parties/{session['party']}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    archive = ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert json.loads(archive.read("party.json"))["name"] == CANARY
    assert archive.read(f"sessions/{row.id}/files/ä b.pdf") == b"content"
    (event,) = (await get(client, "/audit", event="party.exported"))["items"]
    assert event["party"] == session["party"]
    # The event that says so was there before the archive was read.
    assert event["id"] in archive.read("audit.jsonl").decode()


async def test_the_shape_announces_the_end_of_retention(
    client: AsyncClient, house: House, clock: Clock
) -> None:
    await make_template(client, retention_days=30)
    party = await make_party(client, kind="guest")
    session = await issue(client, party["id"])
    assert session["erase_at"] is None
    revoked = await post(
        client, f"/public-sessions/{session['id']}/revoke", {"rationale": "why"}, 200
    )
    assert revoked["erase_at"] == "2026-04-01T09:00:00Z"
    assert str(clock.now.date()) == "2026-03-02"
    assert (await house.session(session["id"])).retention_days == 30


async def test_the_description_of_the_api_says_what_to_send(app: FastAPI) -> None:
    async with caller(app) as anybody:
        described = await expect(await anybody.get("/api/openapi.json"))
    order = described["components"]["schemas"]["ErasureOrder"]
    assert set(order["required"]) == {"rationale", "confirm"}
    assert order["properties"]["confirm"]["const"] == "erase"
    export = described["paths"]["/api/v1/parties/{party_id}/export"]["get"]
    assert list(export["responses"]["200"]["content"]) == ["application/zip"]
    erase = described["paths"]["/api/v1/parties/{party_id}/erase"]["post"]
    assert {"200", "404", "410", "422"} <= set(erase["responses"])
