"""Requests that Schemathesis makes of the OpenAPI document: the same ones each time."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode, SerializationContext
from schemathesis.core.result import Ok

from tests.api.conftest import BASE
from tests.api.factories import API

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Case: TypeAlias = schemathesis.Case[Operation]
DRAWN = 4
"""How many are drawn for an operation, of those that fit and of those that do not."""
FORM = "application/x-www-form-urlencoded"
REPORT = "message/rfc822"


@schemathesis.serializer(REPORT)
def as_it_is(_context: SerializationContext, value: Any) -> bytes:
    """The bytes of a mail are nobody's JSON."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def operations(app: FastAPI) -> list[Operation]:
    """Every operation of the API that the document names."""
    schema = schemathesis.openapi.from_dict(app.openapi())
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return [each for each in found if each.path.startswith(API)]


def cases(operation: Operation) -> Iterator[Case]:
    """Some that are drawn, then every boundary of what the operation takes and every gap in it."""
    yield from _drawn(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    if not any(each.media_type == FORM for each in operation.body):
        # Whatever is typed into a form is text, which fits.
        yield from _drawn(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    config = operation.schema.config.generation_for(operation=operation, phase="coverage")
    yield from operation.schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=config
    )


def _drawn(strategy: st.SearchStrategy[Case]) -> list[Case]:
    found: list[Case] = []

    @settings(
        max_examples=DRAWN,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def keep(case: Case) -> None:
        found.append(case)

    keep()
    return found


def about(case: Case, known: Mapping[str, str]) -> Case:
    """The case with these ids in its path and its body, wherever it has ids of that name."""
    if case.path_parameters:
        case.path_parameters = _replaced(case.path_parameters, known)
    if isinstance(case.body, dict):
        case.body = _replaced(case.body, known)
    return case


def _replaced(parts: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    return {**parts, **{name: known[name] for name in parts if name in known}}


def request_of(case: Case, token: str) -> requests.PreparedRequest:
    """The request byte by byte, with this token whatever the case thought of."""
    request = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    request.headers.pop("Authorization", None)
    if token:
        request.headers["Authorization"] = f"Bearer {token}"
    return request


def sent(request: requests.PreparedRequest) -> dict[str, Any]:
    """The request as our own client takes it."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "content": request.body,
    }
