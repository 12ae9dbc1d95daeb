"""Problems: how every refusal is told to programs (RFC 9457)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Response

MEDIA_TYPE = "application/problem+json"
SCHEMA_NAME = "Problem"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `type` is stable; nobody needs to read the texts.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "faults": {
            "type": "array",
            "description": "Every fault of what was sent, each with its place.",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "header"]},
                    "pointer": {"type": "string", "description": "A JSON pointer (RFC 6901)"},
                    "message": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": True,
}


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One stable reason for a refusal: its status, its place under `/problems/`, its title."""

    status: int
    slug: str
    title: str

    @property
    def type(self) -> str:
        """The `type` member, a stable URI reference."""
        return f"/problems/{self.slug}"

    def response(
        self,
        detail: str,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer of this kind with its own detail and additional members."""
        body = {"type": self.type, "title": self.title, "status": self.status, "detail": detail}
        content = json.dumps(body | dict(members or {}), ensure_ascii=False, default=str)
        return Response(content, self.status, dict(headers or {}), MEDIA_TYPE)


VALIDATION_FAILED = ProblemKind(422, "validation-failed", "What was sent is malformed")
BODY_TOO_LARGE = ProblemKind(413, "body-too-large", "The body is too large")
UNAVAILABLE = ProblemKind(503, "unavailable", "Not available at this moment")
INTERNAL = ProblemKind(500, "internal", "Something went wrong here")
METHOD_NOT_ALLOWED = ProblemKind(405, "method-not-allowed", "The method is not allowed here")
BAD_REQUEST = ProblemKind(400, "bad-request", "The request cannot be read")


def documented(kinds: list[ProblemKind]) -> dict[str, Any]:
    """The OpenAPI response of one status, naming each problem type it may be."""
    types = sorted({each.type for each in kinds})
    reference = {"$ref": f"#/components/schemas/{SCHEMA_NAME}"}
    schema = {"allOf": [reference, {"properties": {"type": {"enum": types}}}]}
    titles = {each.type: each.title for each in kinds}
    return {
        "description": "; ".join(f"{titles[each]} (`{each}`)" for each in types),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
