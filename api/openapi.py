"""The OpenAPI document: FastAPI's, with problems and the ways to show who calls written in."""

from typing import Any

from fastapi import FastAPI

from api.permissions import OPEN
from api.problem import SCHEMA, SCHEMA_NAME

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "Made by `gatepass token create`, or a member's from `POST /api/v1/token`",
}
BASIC = {
    "type": "http",
    "scheme": "basic",
    "description": "A member's `workspace/address` and password, where the workspace allows it",
}


def describe(app: FastAPI) -> None:
    """Completes the document the first time that it is asked for."""
    generate = app.openapi

    def completed() -> dict[str, Any]:
        document = generate()
        parts = document.setdefault("components", {})
        parts.setdefault("schemas", {})[SCHEMA_NAME] = SCHEMA
        parts.setdefault("securitySchemes", {})["bearer"] = BEARER
        parts["securitySchemes"]["basic"] = BASIC
        for path, methods in document["paths"].items():
            if path.startswith("/api/"):
                for method, operation in methods.items():
                    is_open = (method.upper(), path) in OPEN
                    operation["security"] = [] if is_open else [{"bearer": []}, {"basic": []}]
        return document

    app.openapi = completed  # type: ignore[method-assign]  # the documented way to extend it
