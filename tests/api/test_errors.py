"""Every refusal is a problem (RFC 9457), and nothing else ever leaves the API."""

import inspect
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from adapters.embedded.ports import free_port
from api.app import create_app
from api.errors import problem_of
from api.operations import router as operations
from api.permissions import OPEN
from api.refusals import TABLE
from domain import agreement_errors, errors, member_errors
from domain.errors import DomainError
from domain.settings import Settings
from domain.upload import UploadRefused
from tests.api.conftest import caller
from tests.api.factories import API, UNKNOWN, a_party, a_template, get, make_party
from tests.rooms.house import START, House


def _classes() -> set[type[DomainError]]:
    trees = (errors, member_errors, agreement_errors)
    found = [each for tree in trees for each in inspect.getmembers(tree, inspect.isclass)]
    named = {each for _, each in found if issubclass(each, DomainError)} - {DomainError}
    return named | {UploadRefused}


def test_every_domain_error_has_a_status_and_a_type_of_its_own() -> None:
    assert set(TABLE) == _classes()
    slugs = [each.kind.slug for each in TABLE.values()]
    assert len(set(slugs)) == len(slugs)
    assert all(400 <= each.kind.status < 500 for each in TABLE.values())


EXAMPLES: list[DomainError] = [
    errors.SessionEnded("revoked"),
    errors.ExtensionRefused(START),
    errors.TaskDone("profile", START),
    errors.AnswersRefused({"name": "is missing"}, {"secret": "what was typed"}),
    errors.MailTooSoon(START),
    errors.TemplateNotIssuable("intake", "draft"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda each: type(each).__name__)
def test_members_say_what_a_caller_may_act_on(error: DomainError) -> None:
    answer = problem_of(error, START)
    problem = json.loads(bytes(answer.body))
    assert answer.media_type == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert set(problem) > {"type", "title", "status", "detail"}
    assert "what was typed" not in str(problem)


async def test_a_token_is_needed_everywhere(app: FastAPI, anonymous: AsyncClient) -> None:
    """RELIABILITY 6: generated from OpenAPI."""
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            if not path.startswith(API) or (method.upper(), path) in OPEN:
                continue
            url = path.replace("{session_id}", UNKNOWN).replace("{party_id}", UNKNOWN)
            answer = await anonymous.request(method.upper(), url.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["type"] == "/problems/unauthenticated"


async def test_a_revoked_token_opens_nothing_at_once(client: AsyncClient, house: House) -> None:
    """RELIABILITY, ASVS 8.3.2."""
    from commands.token import revoke_token
    from store.token import tokens_of
    from store.workspace import workspace_by_id

    assert (await client.get(f"{API}/parties")).status_code == 200
    async with house.transactions.work() as work:
        [token] = await tokens_of(work.db, house.workspace_id)
        await revoke_token(work, await workspace_by_id(work.db, house.workspace_id), token.id)
    assert (await client.get(f"{API}/parties")).status_code == 401


async def test_unknown_paths_and_methods(client: AsyncClient) -> None:
    unknown = await client.get("/api/v1/nothing")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
    wrong = await client.delete(f"{API}/parties")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong.headers["allow"]


async def test_a_stranger_gets_a_page_not_a_problem(anonymous: AsyncClient) -> None:
    answer = await anonymous.get("/sessions/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


ODD: list[tuple[bytes, str]] = [
    (b"{", "application/json"),
    (b"[]", "application/json"),
    (b"\xff\xfe", "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json"),
    (b"kind=vendor", "application/x-www-form-urlencoded"),
    (b"9" * 5000, "application/json"),
    (b"", "application/json"),
]


@pytest.mark.load
@pytest.mark.parametrize(("body", "kind"), ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("path", ["/parties", "/session-templates", "/public-sessions"])
async def test_no_body_breaks_the_api(
    client: AsyncClient, path: str, body: bytes, kind: str
) -> None:
    """RELIABILITY 19: 0 5xx."""
    answer = await client.post(API + path, content=body, headers={"content-type": kind})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "value", [b'"\\u0000"', b'"\\ud800"', b"NaN", b"Infinity", b"1e400", b"[" * 50 + b"]" * 50]
)
async def test_what_cannot_be_stored_is_malformed(client: AsyncClient, value: bytes) -> None:
    """RELIABILITY 18: bad unicode, deep JSON, wrong types."""
    for path, body in [
        ("/parties", {"kind": "guest", "name": "x", "attributes": {"a": "@"}}),
        ("/session-templates", a_template(tasks=[{"key": "a", "note": "@"}])),
        ("/public-sessions", {"template": "@", "party": "@"}),
    ]:
        raw = json.dumps(body).encode().replace(b'"@"', value)
        headers = {"content-type": "application/json"}
        answer = await client.post(API + path, content=raw, headers=headers)
        assert answer.status_code in {400, 404, 422}, (path, value, answer.text)
    names = json.dumps({"kind": "guest", "name": "x", "attributes": {"\0": 1}})
    answer = await client.post(
        f"{API}/parties", content=names, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("query", ["q=%00", "kind=%00", "state=%00", "cursor=%00", "limit=0"])
async def test_odd_queries_are_malformed(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"{API}/parties?{query}")
    assert answer.status_code == 422


async def test_a_body_over_the_limit_is_refused(client: AsyncClient) -> None:
    """RELIABILITY 18: announced or not."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    announced = await client.post(f"{API}/parties", content=b" " * 2_000_000)
    chunked = await client.post(
        f"{API}/parties", content=chunks(), headers={"content-type": "application/json"}
    )
    for answer in (announced, chunked):
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


async def test_with_postgresql_away_everything_says_try_again(
    settings: Settings, anonymous: AsyncClient
) -> None:
    """With PostgreSQL away: 503 with Retry-After, never 500."""
    away = replace(
        settings, database_url=f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/gone"
    )
    application = create_app(away)
    async with (
        application.router.lifespan_context(application),
        caller(application, "gp_api_any") as client,
    ):
        for path in ("/api/v1/parties", "/api/v1/settings", "/readyz"):
            answer = await client.get(path)
            assert answer.status_code == 503, path
            assert answer.headers["retry-after"] == "2"
        page = await client.get("/s/" + "a" * 32)
        assert page.status_code == 503
        assert "retry-after" in page.headers
        assert (await client.get("/healthz")).status_code == 200


async def test_what_nobody_foresaw_is_told_without_details(
    app: FastAPI, client: AsyncClient
) -> None:
    """ASVS 16.5.1: generic error, nothing of the inside."""

    @app.get("/api/v1/broken")
    async def broken() -> None:
        raise RuntimeError("secret of the inside")

    answer = await client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "secret" not in answer.text


NAMED = {"/problems/unauthenticated", "/problems/permission-denied"}


async def test_openapi_names_every_problem_type_of_every_route(app: FastAPI) -> None:
    document = app.openapi()
    named: set[str] = set()
    for path, methods in document["paths"].items():
        if not path.startswith(API):
            continue
        for method, operation in methods.items():
            found = _types(operation["responses"])
            asked = set() if (method.upper(), path) in OPEN else NAMED
            assert asked | {"/problems/unavailable"} <= found, (method, path)
            assert ("/problems/not-found" in found) >= ("_id}" in path), (method, path)
            named |= found
    assert {"/problems/session-ended", "/problems/idempotency-key-reused"} <= named
    assert document["components"]["schemas"]["Problem"]["required"]


def _types(responses: dict[str, Any]) -> set[str]:
    schemas = [
        content["schema"]
        for each in responses.values()
        for kind, content in each.get("content", {}).items()
        if kind == "application/problem+json"
    ]
    return {name for each in schemas for name in each["allOf"][1]["properties"]["type"]["enum"]}


def test_operations_are_outside_the_api() -> None:
    assert not any(getattr(each, "path", "").startswith(API) for each in operations.routes)


async def test_unknown_members_are_refused_by_name(client: AsyncClient) -> None:
    answer = await client.post(f"{API}/parties", json=a_party(state="approved"))
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["faults"]] == ["/state"]
    party = await make_party(client, kind="guest")
    assert (await get(client, f"/parties/{party['id']}"))["state"] == ""
