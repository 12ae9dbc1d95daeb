"""Idempotency-Key: the same POST again gets the first answer and does nothing.

The key is claimed and the answer kept in the transaction of the fact, so that of two requests at
once the second waits and then replays. Problems are not kept: their transaction is rolled back.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from api.call import Call
from domain.errors import Erased, IdempotencyKeyReused
from store.idempotency import ERASED, Claim, claim_key

HEADER = "idempotency-key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255
MEDIA_TYPE = "application/json"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key with the same request answers the same and acts once.",
    ),
]


async def once(call: Call, status: int, act: Callable[[], Awaitable[BaseModel | None]]) -> Response:
    """Acts and answers with `status`, or replays what the same key was answered before.

    Raises `IdempotencyKeyReused` for a key that another request used, `Erased` if what was answered
    was erased since, and what `act` raises.
    """
    key = _key(call.request)
    if key is None:
        return _answer(status, await act())
    digest = await _digest(call.request)
    claim = Claim(call.workspace_id, call.caller.id, key, digest, call.work.at)
    row, is_ours = await claim_key(call.work.db, claim)
    if is_ours:
        answer = _answer(status, await act())
        row.status, row.text = status, bytes(answer.body).decode()
        return answer
    if row.status == ERASED and digest.startswith(row.request_digest):
        # No more than the route is known of what was asked.
        raise Erased
    if row.request_digest != digest:
        raise IdempotencyKeyReused
    return Response(row.text, row.status, {REPLAYED: "true"}, MEDIA_TYPE if row.text else None)


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not (key.isprintable() and 0 < len(key) <= LONGEST_KEY):
        message = f"must have 1 to {LONGEST_KEY} printable characters"
        fault = {"type": "value_error", "loc": ("header", HEADER), "msg": message, "input": None}
        raise RequestValidationError([fault])
    return key


async def _digest(request: Request) -> str:
    """What makes two requests the same, byte for byte: method, path and query; then the body.

    Two hashes, for the second tells of a person: it is erased with the answer.
    """
    head = f"{request.method} {request.url.path}?{request.url.query}".encode()
    return ":".join(hashlib.sha256(each).hexdigest() for each in (head, await request.body()))


def _answer(status: int, shape: BaseModel | None) -> Response:
    if shape is None:
        return Response(status_code=status)
    return Response(shape.model_dump_json(), status, media_type=MEDIA_TYPE)
