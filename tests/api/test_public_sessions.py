"""Public sessions over HTTP."""

from httpx2 import AsyncClient

from tests.api.factories import (
    API,
    UNKNOWN,
    furnish,
    get,
    issue,
    make_party,
    make_session,
    make_template,
    post,
)
from tests.rooms.house import Clock, House

TAIL = [
    ("GET", ""),
    ("GET", "/submissions"),
    ("GET", "/audit"),
    ("GET", "/mails"),
    ("POST", "/revoke"),
    ("POST", "/reissue"),
    ("POST", "/extend"),
    ("POST", "/resend"),
    ("POST", "/correct-address"),
    ("POST", "/advance"),
]
BODIES = {
    "/revoke": {"rationale": "Because"},
    "/reissue": {"rationale": "Because"},
    "/extend": {"expires_at": "2026-04-01T00:00:00Z"},
    "/correct-address": {"email": "new@vendor.example"},
}


async def test_a_session_has_the_promised_shape(client: AsyncClient) -> None:
    """PS-22, PS-24: party, status, completion progress, expiry; times in UTC with Z."""
    session = await make_session(client)
    promised = (
        "id template template_version party subject status progress issued_at expires_at "
        "ended_at end_reason mail_state tasks"
    )
    assert set(promised.split()) <= set(session)
    assert session["progress"] == {"done": 0, "total": 1}
    assert session["tasks"] == [
        {
            "key": "yes",
            "kind": "confirmation",
            "title": "Say yes",
            "state": "open",
            "completed_at": None,
        }
    ]
    assert session["issued_at"] == "2026-03-02T09:00:00Z"
    assert session["expires_at"] == "2026-03-16T09:00:00Z"
    assert session["warnings"] == []


async def test_the_link_is_told_of_and_never_told(client: AsyncClient, house: House) -> None:
    """PS-24: link issued; no answer of the API holds it."""
    session = await make_session(client)
    answer = await client.get(f"{API}/public-sessions/{session['id']}")
    assert answer.json()["link_issued_at"] == "2026-03-02T09:00:00Z"
    assert (answer.json()["link_epoch"], answer.json()["visits"]) == (1, 0)
    link = await house.link(session["id"])
    assert link not in answer.text


async def test_the_same_template_open_already_is_a_warning(client: AsyncClient) -> None:
    """PS-9."""
    await make_template(client)
    party = await make_party(client, kind="guest")
    first = await issue(client, party["id"])
    second = await issue(client, party["id"])
    assert first["id"] != second["id"]
    assert second["warnings"] == [{"type": "already_open", "public_session": first["id"]}]


async def test_scope_is_enforced_at_issue(client: AsyncClient) -> None:
    """PS-6, PS-39."""
    await make_template(client, scope={"party_kinds": ["buyer"], "subject": "required"})
    guest = await make_party(client, kind="guest")
    buyer = await make_party(client, kind="buyer")
    for party, subject in [(guest, "x"), (buyer, "")]:
        body = {"template": "survey", "party": party["id"], "subject": subject}
        answer = await client.post(f"{API}/public-sessions", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/scope-refused")
    issued = await issue(client, buyer["id"], subject="Order 7")
    assert issued["subject"] == "Order 7"


async def test_unknown_parties_and_templates_are_not_found(
    client: AsyncClient, stranger: AsyncClient
) -> None:
    """RELIABILITY 6: ids of another workspace inside bodies."""
    await make_template(client)
    theirs = await make_party(stranger, kind="guest")
    answers = [
        await client.post(f"{API}/public-sessions", json={"template": "survey", "party": each})
        for each in (UNKNOWN, theirs["id"], "not-an-id")
    ]
    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1
    party = await make_party(client, kind="guest")
    answer = await client.post(
        f"{API}/public-sessions", json={"template": "nothing", "party": party["id"]}
    )
    assert answer.status_code == 404


async def test_expiry_shows_before_any_workflow_has_run(client: AsyncClient, clock: Clock) -> None:
    """PS-29, PS-34: a status is arithmetic, in answers and filters alike."""
    session = await make_session(client)
    clock.turn(days=14)
    found = await get(client, f"/public-sessions/{session['id']}")
    assert (found["status"], found["end_reason"]) == ("expired", "bound_reached")
    assert found["ended_at"] == session["expires_at"]
    listed = await get(client, "/public-sessions", status="expired")
    assert [each["id"] for each in listed["items"]] == [session["id"]]
    assert (await get(client, "/public-sessions", status="issued"))["items"] == []


async def test_lists_filter(client: AsyncClient, clock: Clock) -> None:
    """PS-22."""
    await make_template(client)
    await make_template(client, "other", time_bound_days=2, reminders={"days_before_end": []})
    vera = await make_party(client, kind="guest")
    bo = await make_party(client, kind="guest", name="Bo", email="bo@buyer.example")
    one = await issue(client, vera["id"])
    two = await issue(client, bo["id"], "other")
    for query, expected in [
        ({"template": "other"}, [two]),
        ({"party": vera["id"]}, [one]),
        ({"party": "not-an-id"}, []),
        ({"q": "buyer.example"}, [two]),
        ({"q": "survey"}, [two, one]),
        ({"expires_before": "2026-03-05T00:00:00Z"}, [two]),
        ({"status": "issued"}, [two, one]),
        ({"status": "completed"}, []),
    ]:
        found = (await get(client, "/public-sessions", **query))["items"]
        assert [each["id"] for each in found] == [each["id"] for each in expected], query
    assert (await client.get(f"{API}/public-sessions?status=odd")).status_code == 422


async def test_pages_stay_whole_while_sessions_are_issued(client: AsyncClient) -> None:
    await make_template(client)
    party = await make_party(client, kind="guest")
    made = [(await issue(client, party["id"]))["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await get(client, "/public-sessions", **query)
        seen += [each["id"] for each in page["items"]]
        await issue(client, party["id"])
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_revoking_takes_effect_at_once_and_keeps_the_rationale_inside(
    client: AsyncClient, anonymous: AsyncClient, house: House
) -> None:
    """PS-30 as API."""
    session = await make_session(client)
    link = await house.link(session["id"])
    assert (await anonymous.get(f"/s/{link}")).status_code == 200
    body = {"rationale": "They are suspected of fraud", "message": "Please call us."}
    revoked = await post(client, f"/public-sessions/{session['id']}/revoke", body, status=200)
    assert (revoked["status"], revoked["end_reason"]) == ("revoked", "revoked")
    assert revoked["rationale"] == body["rationale"]
    page = await anonymous.get(f"/s/{link}")
    assert page.status_code == 410
    assert "Please call us." in page.text
    assert "fraud" not in page.text
    trail = (await get(client, f"/public-sessions/{session['id']}/audit"))["items"]
    assert trail[-1]["event"] == "public_session.revoked"
    assert trail[-1]["reason"] == body["rationale"]
    again = await post(client, f"/public-sessions/{session['id']}/revoke", body, status=200)
    assert again["ended_at"] == revoked["ended_at"]


async def test_a_revocation_needs_a_rationale(client: AsyncClient) -> None:
    """PS-30."""
    session = await make_session(client)
    for body in ({}, {"rationale": "  "}, {"rationale": "x" * 2001}, {"rationale": "x\0"}):
        answer = await client.post(f"{API}/public-sessions/{session['id']}/revoke", json=body)
        assert answer.status_code == 422, body
    assert (await get(client, f"/public-sessions/{session['id']}"))["status"] == "issued"


async def test_reissuing_is_a_new_session_with_its_rationale(
    client: AsyncClient, clock: Clock
) -> None:
    """PS-34, PS-14: after expiry; the same session is issued again once."""
    session = await make_session(client)
    clock.turn(days=15)
    path = f"/public-sessions/{session['id']}/reissue"
    new = await post(client, path, {"rationale": "They were ill"})
    assert (new["status"], new["reissued_from"]) == ("issued", session["id"])
    assert new["rationale"] == "They were ill"
    assert new["expires_at"] == "2026-03-31T09:00:00Z"
    assert (await post(client, path, {"rationale": "Again"}))["id"] == new["id"]


async def test_reissuing_an_open_session_ends_it(client: AsyncClient) -> None:
    """PS-34."""
    session = await make_session(client)
    await post(client, f"/public-sessions/{session['id']}/reissue", {"rationale": "Lost"})
    old = await get(client, f"/public-sessions/{session['id']}")
    assert (old["status"], old["end_reason"]) == ("revoked", "reissued")


async def test_extending_moves_the_deadline(client: AsyncClient) -> None:
    session = await make_session(client)
    path = f"/public-sessions/{session['id']}/extend"
    body = {"expires_at": "2026-03-20T12:00:00+02:00", "rationale": "Holidays"}
    extended = await post(client, path, body, status=200)
    assert extended["expires_at"] == "2026-03-20T10:00:00Z"
    answer = await client.post(API + path, json={"expires_at": "2026-03-10T00:00:00Z"})
    assert answer.status_code == 409
    assert answer.json()["latest"] == "2027-03-03T09:00:00Z"
    for odd in ("2026-03-20T12:00:00", "0001-01-01T00:00:00+14:00", 1e30, None):
        assert (await client.post(API + path, json={"expires_at": odd})).status_code == 422, odd


async def test_resending_is_bounded(client: AsyncClient, clock: Clock) -> None:
    """C14; RELIABILITY 37: says when the next is possible."""
    session = await make_session(client)
    path = f"/public-sessions/{session['id']}/resend"
    answer = await client.post(API + path)
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/mail-too-soon")
    assert answer.json()["next_at"] == "2026-03-02T09:01:00Z"
    assert answer.headers["retry-after"] == "60"
    clock.turn(minutes=1)
    await post(client, path, status=200)
    mails = (await get(client, f"/public-sessions/{session['id']}/mails"))["items"]
    assert [each["kind"] for each in mails] == ["invitation", "invitation"]
    assert not any("vendor.example" in str(each) for each in mails)


async def test_a_corrected_address_renews_the_link(
    client: AsyncClient, anonymous: AsyncClient, house: House, clock: Clock
) -> None:
    """C14, PS-37: old link dead, mailed again."""
    session = await make_session(client)
    old = await house.link(session["id"])
    clock.turn(hours=1)
    path = f"/public-sessions/{session['id']}/correct-address"
    corrected = await post(client, path, {"email": "vera@right.example"}, status=200)
    assert (corrected["link_epoch"], corrected["link_issued_at"]) == (2, "2026-03-02T10:00:00Z")
    assert (await anonymous.get(f"/s/{old}")).status_code == 404
    assert (await anonymous.get(f"/s/{await house.link(session['id'])}")).status_code == 200
    answer = await client.post(API + path, json={"email": "nobody"})
    assert answer.status_code == 422


async def test_what_was_captured_is_read_and_audited(client: AsyncClient, house: House) -> None:
    """PS-12, PS-13, PS-25."""
    await furnish(client)
    party = await make_party(client)
    session_id = party["issued"][0]["public_session"]
    visitor = await house.enter(session_id)
    await house.complete(visitor, "profile")
    found = (await get(client, f"/public-sessions/{session_id}/submissions"))["items"]
    assert [(each["task"], each["body"]) for each in found] == [("profile", {"company": "ACME"})]
    assert found[0]["evidence"]["form_version"] == 1
    trail = (await get(client, f"/public-sessions/{session_id}/audit"))["items"]
    assert trail[-1]["event"] == "public_session.submissions_read"
    assert trail[-1]["actor"].startswith("token:")


async def test_tasks_come_in_order(client: AsyncClient, house: House) -> None:
    """PS-11: locked, open, completed, each with its time (PS-12)."""
    await furnish(client)
    session_id = (await make_party(client))["issued"][0]["public_session"]
    path = f"/public-sessions/{session_id}"
    assert [each["state"] for each in (await get(client, path))["tasks"]] == ["open", "locked"]
    await house.complete(await house.enter(session_id), "profile")
    found = await get(client, path)
    assert [each["state"] for each in found["tasks"]] == ["completed", "open"]
    assert (found["status"], found["progress"]) == ("in_progress", {"done": 1, "total": 2})
    assert found["tasks"][0]["completed_at"] == "2026-03-02T09:00:00Z"


async def test_nothing_to_advance_is_said(client: AsyncClient) -> None:
    session = await make_session(client)
    answer = await client.post(f"{API}/public-sessions/{session['id']}/advance")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-to-advance")


async def test_a_blocked_advance_is_visible_and_can_be_tried_again(
    client: AsyncClient, house: House
) -> None:
    """PS-39, PS-36: the scope is checked again at completion."""
    from commands.settlement import settle

    await furnish(client)
    party = await make_party(client)
    session_id = party["issued"][0]["public_session"]
    visitor = await house.enter(session_id)
    await house.complete(visitor, "profile")
    await house.complete(visitor, "terms")
    move = f"/parties/{party['id']}/transitions"
    await post(client, move, {"transition": "look"}, status=200)
    async with house.transactions.work() as work:
        await settle(work, visitor.session_id)
    found = await get(client, f"/public-sessions/{session_id}")
    assert found["status"] == "completed"
    assert found["advance"]["state"] == "blocked"
    assert "review" in found["advance"]["reason"]
    await post(client, move, {"transition": "back"}, status=200)
    advance = f"/public-sessions/{session_id}/advance"
    assert (await post(client, advance, status=200))["advance"]["state"] == "done"
    assert (await get(client, f"/parties/{party['id']}"))["state"] == "review"
    assert (await client.post(API + advance)).status_code == 409


async def test_unknown_foreign_and_malformed_ids_answer_alike_on_every_route(
    client: AsyncClient, stranger: AsyncClient
) -> None:
    """RELIABILITY 6: 404 bodies byte-equal."""
    theirs = await make_session(stranger)
    contents = set()
    for method, tail in TAIL:
        for each in (UNKNOWN, theirs["id"], "not-an-id"):
            answer = await client.request(
                method, f"{API}/public-sessions/{each}{tail}", json=BODIES.get(tail)
            )
            assert answer.status_code == 404, (method, tail, each)
            contents.add(answer.content)
    assert len(contents) == 1
