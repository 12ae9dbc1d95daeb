"""Refusals as SCIM tells them (RFC 7644 3.12), whoever refused."""

import json

from fastapi import Response

SCIM = "/scim/v2"
MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def scim_refusal(problem: Response) -> Response:
    """A problem in SCIM's words; its status and headers stay."""
    told = json.loads(bytes(problem.body))
    body = {"schemas": [ERROR], "status": str(problem.status_code), "detail": told["detail"]}
    kept = {"www-authenticate", "retry-after"}
    headers = {name: value for name, value in problem.headers.items() if name in kept}
    return Response(json.dumps(body), problem.status_code, headers, MEDIA_TYPE)


def is_scim(path: str) -> bool:
    """Whether a path is SCIM's."""
    return path == SCIM or path.startswith(f"{SCIM}/")
