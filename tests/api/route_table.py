"""Every route that there is, as the application itself has it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI

Route = tuple[str, str]
"""Method and path, with its parameters in braces."""


def every_route(app: FastAPI) -> set[Route]:
    """Every route of the application; HEAD goes with GET."""
    found = _routes(app.routes)
    return {(method, path) for methods, path in found for method in methods if method != "HEAD"}


def _routes(routes: Iterable[Any]) -> Iterator[tuple[set[str], str]]:
    for each in routes:
        inner = getattr(each, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes)
        else:
            yield each.methods, each.path.replace(":path}", "}")


def filled(path: str, ids: Mapping[str, str]) -> str:
    """The path with these in place of its parameters."""
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, path
    return path
