"""The body of an agreement: a draft, and what it is on. Read once the caller is known.

The bytes of a PDF are taken out before the rest is looked at, and decoded beside the event loop.
"""

import asyncio
import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from api.call import ApiCaller
from api.shapes.field import storable
from commands.agreement_source import Source
from domain.agreement import Pinned
from domain.agreement_draft import FIELD_MEMBERS, LONGEST_TITLE, LONGEST_WORDS
from domain.agreement_field import FieldKind

SOURCES = ("document", "pdf")
PIN = ("version", "sha256")

_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_FIELD: dict[str, Any] = {
    "type": "object",
    "description": "Stands on a page by fractions of its width and height, from the upper left",
    "required": ["key", "kind", "signer", "label", "page", "x", "y", "width", "height"],
    "additionalProperties": False,
    "properties": {
        "key": {"type": "string"},
        "kind": {"type": "string", "enum": [each.value for each in FieldKind]},
        "signer": {
            "type": ["integer", "null"],
            "description": "A signer's position from 1; null: the company's own `value`",
        },
        "label": {"type": "string"},
        "page": {"type": "integer", "minimum": 1},
        **dict.fromkeys(("x", "y", "width", "height"), _FRACTION),
        "required": {"type": "boolean", "default": True},
        "value": {"type": "string"},
    },
}
assert set(_FIELD["properties"]) == FIELD_MEMBERS  # noqa: S101 - documented as they are
_SIGNER = {
    "type": "object",
    "required": ["party"],
    "additionalProperties": False,
    "properties": {
        "party": {"type": "string", "format": "uuid"},
        "signs": {
            "type": "boolean",
            "default": True,
            "description": "False: reads and fills in, and does not sign (PS-42)",
        },
    },
}
_MEMBERS: dict[str, Any] = {
    "title": {"type": "string", "maxLength": LONGEST_TITLE},
    "message": {"type": "string", "maxLength": LONGEST_WORDS, "description": "In the mail"},
    "consent": {
        "type": "string",
        "maxLength": LONGEST_WORDS,
        "description": "What a signer agrees to; needed before it is sent",
    },
    "ordered": {"type": "boolean", "default": True, "description": "One signer after the other"},
    "step_up": {"type": "boolean", "default": False, "description": "Signing asks for a code"},
    "time_bound_days": {"type": "integer", "minimum": 1, "maximum": 366, "default": 14},
    "signers": {"type": "array", "items": _SIGNER, "maxItems": 10},
    "fields": {"type": "array", "items": _FIELD, "maxItems": 200},
    "document": {"type": "string", "description": "The key of a saved document"},
    "pdf": {
        "type": "string",
        "format": "byte",
        "description": "A PDF of up to 10 MiB in base64; it is rewritten without what acts in it",
    },
}
_PINNED = {"version": {"type": "integer"}, "sha256": {"type": "string"}}


def _documented(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_OBJECT = {"type": "object", "additionalProperties": False}
NEW = _documented(_OBJECT | {"required": ["title"], "properties": _MEMBERS})
CHANGE = _documented(
    _OBJECT | {"required": ["version", "sha256"], "properties": _MEMBERS | _PINNED}
)
"""What OpenAPI says of the bodies; every fault of a draft is the domain's to name."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What was sent: the draft's members, what it is on if that was said, and the version."""

    draft: dict[str, Any]
    source: Source | None
    given: Pinned | None

    @property
    def signers(self) -> int:
        """For how many signers the default fields of a document are made."""
        signers = self.draft.get("signers")
        return len(signers) if isinstance(signers, list) else 0


async def new_of(request: Request, _caller: ApiCaller) -> Posted:
    """A new agreement's body; raises `RequestValidationError`."""
    posted = await _read(request)
    if posted.source is None:
        raise _faulty(("body",), "needs exactly one of `document` and `pdf`")
    return posted


async def change_of(request: Request, _caller: ApiCaller) -> Posted:
    """A change's body; raises `RequestValidationError`."""
    posted = await _read(request)
    if posted.given is None:
        raise _faulty(("body",), "needs `version` and `sha256` of what is changed")
    return posted


NewPosted = Annotated[Posted, Depends(new_of)]
ChangePosted = Annotated[Posted, Depends(change_of)]


async def _read(request: Request) -> Posted:
    raw = await request.body()
    body = await asyncio.to_thread(_object, raw)
    stated = [name for name in SOURCES if name in body]
    if len(stated) > 1:
        raise _faulty(("body",), "needs exactly one of `document` and `pdf`")
    pdf = body.pop("pdf", None) if "pdf" in body else None
    source = await _source(stated, body.pop("document", None), pdf)
    given = _given(body)
    return Posted(_storable(body), source, given)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        fault = {"type": "json_invalid", "loc": ("body",), "msg": "is not JSON", "input": None}
        raise RequestValidationError([fault]) from error
    if not isinstance(body, dict):
        raise _faulty(("body",), "must be an object")
    return body


async def _source(stated: list[str], document: Any, pdf: Any) -> Source | None:
    if not stated:
        return None
    (name,) = stated
    value = pdf if name == "pdf" else document
    if not isinstance(value, str) or not value:
        raise _faulty(("body", name), "must be a text")
    if name == "document":
        return Source(document=_storable(value))
    try:
        return Source(pdf=await asyncio.to_thread(b64decode, value, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _faulty(("body", "pdf"), "must be base64") from error


def _given(body: dict[str, Any]) -> Pinned | None:
    stated = [body.pop(name, None) for name in PIN]
    if stated == [None, None]:
        return None
    version, sha256 = stated
    if not isinstance(version, int) or isinstance(version, bool):
        raise _faulty(("body", "version"), "must be a whole number")
    if not isinstance(sha256, str):
        raise _faulty(("body", "sha256"), "must be a text")
    return Pinned(version, sha256)


def _storable(value: Any) -> Any:
    try:
        return storable(value)
    except ValueError as error:
        raise _faulty(("body",), str(error)) from error


def _faulty(place: tuple[str, ...], message: str) -> RequestValidationError:
    return RequestValidationError(
        [{"type": "value_error", "loc": place, "msg": message, "input": None}]
    )
