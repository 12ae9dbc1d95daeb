"""Thousands of requests that are made of the OpenAPI document, malformed ones above all.

Nothing is mailed and nothing leaves the machine: what a request leaves to do waits in its rows.
"""

import time
from collections import Counter

import pytest
from httpx2 import AsyncClient, Response
from schemathesis import Response as Told
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.problem import MEDIA_TYPE
from tests.api.conftest import caller
from tests.api.factories import make_session, post
from tests.api.office import TOKEN, Office
from tests.api.openapi_cases import Case, about, cases, operations, request_of, sent
from tests.api.test_permissions import everything, routes

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
SLOWEST = 5.0
"""Seconds."""


async def known_ids(office: Office, client: AsyncClient) -> list[dict[str, str]]:
    """Ids of what there is, and the same with a party and its session that were erased."""
    living = await everything(office, client)
    session = await make_session(client)
    wanted = {"rationale": "Asked to", "confirm": "erase"}
    await post(client, f"/parties/{session['party']}/erase", wanted, 200)
    erased = living | {"session_id": session["id"], "party_id": session["party"]}
    return [ids | {"party": ids["party_id"]} for ids in (living, erased)]


async def an_administrator(office: Office) -> str:
    """The token of somebody whom no case is about, so that nothing that is done takes it away."""
    await office.member(email="bela@office.example")
    return str((await office.tokens(username="bela@office.example"))["access_token"])


@pytest.mark.load
@pytest.mark.timeout(240)
async def test_thousands_of_requests_are_answered_as_documented(
    office: Office, client: AsyncClient
) -> None:
    """RELIABILITY 19: never a 5xx, an undocumented status or shape, or 5 s; refusals are problems.

    Half of the cases are about what there is, or was, every fourth is asked without a token too.
    """
    ids, token = await known_ids(office, client), await an_administrator(office)
    known, unknown = Counter[int](), Counter[int]()
    asked = operations(office.app)
    assert len(asked) == len(routes(office.app))
    async with caller(office.app) as sender:
        for operation in asked:
            for number, case in enumerate(cases(operation)):
                if number % 2:
                    about(case, ids[number // 2 % 2])
                known[await status_of(sender, case, token)] += 1
                if number % 4 == 1:
                    unknown[await status_of(sender, case, "")] += 1
    assert_meaningful(known, unknown)


async def status_of(sender: AsyncClient, case: Case, token: str) -> int:
    """Sends a case and holds the answer against the document; its status."""
    request = request_of(case, token)
    begun = time.perf_counter()
    try:
        answer = await sender.request(**sent(request))
    except Exception as error:
        error.add_note(case.as_curl_command())
        raise
    seconds = time.perf_counter() - begun
    assert seconds < SLOWEST, case.as_curl_command()
    assert_told_as_a_problem(answer, case)
    headers = {name: [value] for name, value in answer.headers.items()}
    told = Told(answer.status_code, headers, answer.content, request, seconds, verify=True)
    case.validate_response(told, checks=CHECKS)
    return answer.status_code


def assert_told_as_a_problem(answer: Response, case: Case) -> None:
    """Whatever is refused; tokens alone are refused as OAuth tells it."""
    if answer.status_code >= 400 and (answer.status_code, case.operation.path) != (400, TOKEN):
        assert answer.headers["content-type"] == MEDIA_TYPE, case.as_curl_command()
        assert answer.json()["status"] == answer.status_code
        assert "Traceback" not in answer.text


def assert_meaningful(known: Counter[int], unknown: Counter[int]) -> None:
    """There were enough, the token was good to the end, and much of what was asked was done."""
    assert known.total() + unknown.total() >= 2000
    assert known[401] == 0, known
    assert sum(known[each] for each in (200, 201, 202, 204)) > known.total() / 12, known
    assert unknown[401] > unknown.total() / 2, unknown
