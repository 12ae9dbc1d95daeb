"""Agreements over HTTP: drafts, versions, sending, cancelling, files (EX-1, EX-19, EX-20)."""

from base64 import b64encode
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx2 import AsyncClient

from api.body_limits import BASE64_OF_PDF
from commands.editing_session import Editor, open_editor
from commands.member_session import SignedIn
from domain.actor import OPERATOR
from store.member_session import MemberSessionRow
from tests.api.conftest import caller
from tests.api.factories import API, UNKNOWN, get, make_party, post, put
from tests.api.office import Office
from tests.rooms.agreements import CONSENT, DRAWN, Desk, place, write_of
from tests.rooms.files import pdf_with_password
from tests.rooms.house import DOCUMENT, House
from tests.rooms.papers import a_pdf

PATH = "/agreements"


def base64_of(pdf: bytes) -> str:
    return b64encode(pdf).decode()


@pytest_asyncio.fixture
async def party(client: AsyncClient) -> str:
    """Somebody to sign."""
    return str((await make_party(client, kind="signer"))["id"])


def draft(party: str, **members: Any) -> dict[str, Any]:
    """A new agreement that could be sent."""
    return {
        "title": "Supply agreement",
        "consent": CONSENT,
        "signers": [{"party": party}],
        "fields": [place("price", "text", None, value="100 EUR"), place("s", "signature", 1)],
        "pdf": base64_of(a_pdf()),
    } | members


async def made(client: AsyncClient, party: str, **members: Any) -> Any:
    return await post(client, PATH, draft(party, **members))


def pin(agreement: Any) -> dict[str, Any]:
    return {"version": agreement["version"], "sha256": agreement["sha256"]}


async def refused(client: AsyncClient, path: str, body: Any, method: str = "POST") -> Any:
    """The problem that an answer is."""
    answer = await client.request(method, API + path, json=body)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return problem


async def test_a_draft_on_a_pdf_has_the_promised_shape(client: AsyncClient, party: str) -> None:
    # EX-23
    found = await made(client, party, message="Please sign.")
    assert found.keys() == {
        *("id", "state", "version", "sha256", "title", "message", "consent", "rationale"),
        *("ordered", "step_up", "time_bound_days", "public_session", "created_by", "created_at"),
        *("sent_at", "signed_at", "ended_at", "sealing", "signers", "fields", "pages"),
        *("document_sha256", "editor", "erased_at"),
    }
    assert (found["state"], found["version"], found["pages"]) == ("draft", 1, 1)
    assert found["signers"] == [
        {
            "party": party,
            "name": "Vera Ltd",
            "position": 1,
            "signs": True,
            "state": "waiting",
            **dict.fromkeys(("mail_detail", "decline_reason"), ""),
            **dict.fromkeys(("public_session", "expires_at", "mail_state")),
            **dict.fromkeys(("opened_at", "signed_at", "signed_version")),
        }
    ]
    sealing = {"state": "not_yet", "failures": 0, "error": "", "level": "", "sha256": ""}
    assert found["sealing"] == sealing
    assert found["editor"] is None
    assert found["fields"][1]["key"] == "s"
    assert await get(client, f"{PATH}/{found['id']}") == found
    [listed] = (await get(client, PATH, state="draft"))["items"]
    assert listed == {name: found[name] for name in listed}
    assert (await get(client, PATH, state="done"))["items"] == []


async def test_a_draft_on_a_saved_document_takes_its_default_fields(
    client: AsyncClient, party: str
) -> None:
    await put(client, "/documents/terms", DOCUMENT)
    body = draft(party, document="terms")
    del body["pdf"], body["fields"]
    found = await post(client, PATH, body)
    assert [each["kind"] for each in found["fields"]].count("signature") == 1
    own = await post(client, PATH, body | {"fields": []})
    assert own["fields"] == []


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"document": "terms"}, ""),
        ({"pdf": None}, "/pdf"),
        ({"pdf": "not base64"}, "/pdf"),
        ({"version": 1}, "/sha256"),
    ],
    ids=["both", "null", "junk", "half a pin"],
)
async def test_a_malformed_body_is_named(
    client: AsyncClient, party: str, members: Any, pointer: str
) -> None:
    problem = await refused(client, PATH, draft(party, **members))
    assert problem["type"] == "/problems/validation-failed"
    assert [each["pointer"] for each in problem["faults"]] == [pointer]


async def test_what_is_no_json_is_refused(client: AsyncClient) -> None:
    for body in (b"{", b"[]", b"\xff"):
        answer = await client.post(API + PATH, content=body)
        assert answer.json()["type"] == "/problems/validation-failed"


async def test_every_fault_of_a_draft_is_named(client: AsyncClient, party: str) -> None:
    problem = await refused(client, PATH, draft(party, title=" ", colour="red", fields=[{}]))
    assert problem["type"] == "/problems/agreement-faulty"
    pointers = {each["pointer"] for each in problem["faults"]}
    assert pointers >= {"/title", "/colour", "/fields/0/key", "/fields/0/kind"}
    unknown = await refused(client, PATH, draft(UNKNOWN))
    assert [each["pointer"] for each in unknown["faults"]] == ["/signers/0/party"]
    missing = draft(party, document="nothing")
    del missing["pdf"]
    assert (await refused(client, PATH, missing))["type"] == "/problems/not-found"


@pytest.mark.parametrize(
    ("pdf", "kind", "reason", "limit"),
    [
        (pdf_with_password, "document-refused", "encrypted", "no password"),
        (lambda: a_pdf(201), "document-refused", "too_many_pages", "200 pages at most"),
        (lambda: b"GIF89a" + b"\0" * 100, "upload-refused", "content_differs", "pdf"),
        (lambda: a_pdf() + b"\0" * 10 * 1024**2, "upload-refused", "too_large", "10 MB"),
    ],
    ids=["locked", "201 pages", "a picture", "too large"],
)
async def test_a_pdf_that_cannot_be_signed_is_refused_with_reason_and_limit(
    client: AsyncClient, party: str, pdf: Any, kind: str, reason: str, limit: str
) -> None:
    problem = await refused(client, PATH, draft(party, pdf=base64_of(pdf())))
    assert (problem["type"], problem["reason"]) == (f"/problems/{kind}", reason)
    assert problem["limit"].lower() == limit.lower()
    assert (await get(client, PATH))["items"] == []


async def test_ten_mebibytes_fit_into_the_body_and_more_does_not(
    client: AsyncClient, app: FastAPI
) -> None:
    """Nobody without access has more than nothing of a large body read."""
    most = BASE64_OF_PDF + app.state.settings.api_body_bytes
    large = await client.post(API + PATH, content=b" " * most)
    assert large.json()["type"] == "/problems/validation-failed"
    larger = await client.post(API + PATH, content=b" " * (most + 1))
    assert larger.json()["type"] == "/problems/body-too-large"
    elsewhere = await client.post(f"{API}/parties", content=b" " * most)
    assert elsewhere.json()["type"] == "/problems/body-too-large"
    read = 0

    async def pieces() -> Any:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b" " * 100_000

    async with caller(app) as anybody:
        answer = await anybody.post(API + PATH, content=pieces())
        assert answer.status_code == 401


async def test_a_change_names_version_and_hash(client: AsyncClient, party: str) -> None:
    # EX-1, EX-20
    first = await made(client, party)
    path = f"{PATH}/{first['id']}"
    changed = await client.patch(API + path, json=pin(first) | {"title": "Other"})
    assert (changed.json()["title"], changed.json()["version"]) == ("Other", 2)
    assert changed.json()["fields"] == first["fields"]
    problem = await refused(client, path, pin(first) | {"title": "Third"}, "PATCH")
    assert problem["type"] == "/problems/agreement-stale"
    assert (problem["given"], problem["current"]) == (1, 2)
    wrong = {"version": 2, "sha256": first["sha256"]}
    assert (await refused(client, path, wrong, "PATCH"))["type"] == "/problems/agreement-stale"
    unpinned = await refused(client, path, {"title": "Third"}, "PATCH")
    assert unpinned["type"] == "/problems/validation-failed"


async def test_another_pdf_is_another_document(client: AsyncClient, party: str) -> None:
    first = await made(client, party)
    pdf = base64_of(a_pdf(2, "Other"))
    answer = await client.patch(f"{API}{PATH}/{first['id']}", json=pin(first) | {"pdf": pdf})
    assert (answer.json()["pages"], answer.json()["version"]) == (2, 2)
    assert answer.json()["document_sha256"] != first["document_sha256"]


async def test_sending_asks_for_a_certificate_a_consent_and_something_to_sign(
    client: AsyncClient, house: House, party: str
) -> None:
    # PS-43
    empty = await made(client, party, consent="", fields=[])
    problem = await refused(client, f"{PATH}/{empty['id']}/send", pin(empty))
    assert problem["type"] == "/problems/agreement-faulty"
    assert [each["pointer"] for each in problem["faults"]] == ["/consent", "/signers/0/signature"]
    optional = await made(client, party, fields=[place("sign", "signature", 1, required=False)])
    problem = await refused(client, f"{PATH}/{optional['id']}/send", pin(optional))
    assert problem["faults"] == [
        {"pointer": "/signers/0/signature", "message": "needs a signature field that is required"}
    ]
    found = await made(client, party)
    problem = await refused(client, f"{PATH}/{found['id']}/send", pin(found))
    assert problem["type"] == "/problems/no-signing-certificate"
    await Desk(house).certify()
    sent = await post(client, f"{PATH}/{found['id']}/send", pin(found), status=200)
    assert (sent["state"], sent["signers"][0]["opened_at"]) == ("sent", None)
    session = await get(client, f"/public-sessions/{sent['signers'][0]['public_session']}")
    assert (session["template"], session["subject"]) == ("signature-request", "Supply agreement")
    again = await refused(client, f"{PATH}/{found['id']}/send", pin(found))
    assert (again["type"], again["state"]) == ("/problems/agreement-closed", "sent")


async def test_a_key_sends_once(client: AsyncClient, house: House, party: str) -> None:
    await Desk(house).certify()
    key = {"Idempotency-Key": "a"}
    first = await client.post(API + PATH, json=draft(party), headers=key)
    again = await client.post(API + PATH, json=draft(party), headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert first.content == again.content
    path = f"{API}{PATH}/{first.json()['id']}/send"
    sent = [
        await client.post(path, json=pin(first.json()), headers={"Idempotency-Key": "b"})
        for _ in range(2)
    ]
    assert [each.status_code for each in sent] == [200, 200]
    other = await client.post(API + PATH, json=draft(party, title="Other"), headers=key)
    assert other.json()["type"] == "/problems/idempotency-key-reused"


async def test_a_sent_one_is_changed_by_a_new_version_until_somebody_signs(
    client: AsyncClient, house: House
) -> None:
    # EX-19, EX-1
    desk = Desk(house)
    whole = await desk.sent()
    path = f"{PATH}/{whole.row.id}"
    first = await get(client, path)
    changed = await client.patch(API + path, json=pin(first) | {"title": "Other"})
    assert changed.status_code == 200
    versions = (await get(client, f"{path}/versions"))["items"]
    assert [(each["version"], each["title"]) for each in versions] == [
        (1, "Supply agreement"),
        (2, "Other"),
    ]
    other = draft(first["signers"][0]["party"])["signers"] * 2
    problem = await refused(client, path, pin(changed.json()) | {"signers": other}, "PATCH")
    assert problem["type"] == "/problems/agreement-faulty"
    visitor = await desk.visitor(whole)
    await desk.sign(visitor, write_of(await desk.open(visitor)), {"signature-1": DRAWN})
    problem = await refused(client, path, pin(changed.json()) | {"title": "Third"}, "PATCH")
    assert problem["type"] == "/problems/agreement-signed"
    found = await get(client, path)
    assert (found["state"], found["sealing"]["state"]) == ("active", "pending")
    assert found["signers"][0]["signed_version"] == 2


async def test_a_program_is_refused_while_a_member_is_in_the_editor(
    client: AsyncClient, office: Office, party: str
) -> None:
    # EX-15, EX-16
    found = await made(client, party)
    member = await office.member()
    await office.tokens()
    (session,) = await office.house.all(MemberSessionRow)
    async with office.house.transactions.work() as work:
        editor = Editor(SignedIn(member, session), OPERATOR, found["id"], "w1")
        await open_editor(work, editor, take_over=False)
    shown = await get(client, f"{PATH}/{found['id']}")
    assert shown["editor"]["name"] == member.name
    change = pin(found) | {"title": "Other"}
    problem = await refused(client, f"{PATH}/{found['id']}", change, "PATCH")
    assert (problem["type"], problem["who"]) == ("/problems/window-held", member.name)


async def test_cancelling_ends_what_was_asked(client: AsyncClient, house: House) -> None:
    # EX-23
    whole = await Desk(house).sent()
    path = f"{PATH}/{whole.row.id}"
    blank = await refused(client, f"{path}/cancel", {"rationale": " "})
    assert blank["type"] == "/problems/validation-failed"
    cancelled = await post(client, f"{path}/cancel", {"rationale": "Not needed"}, status=200)
    assert (cancelled["state"], cancelled["rationale"]) == ("cancelled", "Not needed")
    session = await get(client, f"/public-sessions/{cancelled['signers'][0]['public_session']}")
    assert session["end_reason"] == "revoked"
    again = await refused(client, f"{path}/cancel", {"rationale": "Again"})
    assert again["type"] == "/problems/agreement-closed"


async def test_versions_and_the_sealed_document_are_given_out_and_noted(
    client: AsyncClient, house: House, party: str
) -> None:
    found = await made(client, party)
    path = f"{PATH}/{found['id']}"
    for query in ("", "?version=1"):
        pdf = await client.get(f"{API}{path}/document.pdf{query}")
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF-")
    for missing in ("document.pdf?version=2", "sealed.pdf"):
        answer = await client.get(f"{API}{path}/{missing}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    rows = (await get(client, "/audit", event="agreement.read"))["items"]
    assert [each["details"]["version"] for each in rows] == [1, 1]


async def test_the_list_pages(client: AsyncClient, house: House) -> None:
    desk = Desk(house)
    made = [str((await desk.draft()).row.id) for _ in range(3)]
    first = await get(client, PATH, limit=2)
    second = await get(client, PATH, limit=2, cursor=first["next"])
    listed = [each["id"] for each in first["items"] + second["items"]]
    assert listed == made[::-1]
    assert second["next"] is None
    bad = await client.get(f"{API}{PATH}", params={"cursor": "x"})
    assert bad.json()["type"] == "/problems/cursor-invalid"
