"""The style sheet, scripts and pictures of the pages, under an address that names their content.

All files share one digest, so that a script finds its neighbours beside itself; a new release is a
new address, and a browser may keep what it has for good.
"""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from fastapi import FastAPI, HTTPException, Response

FOLDER = Path(__file__).parent / "static"
VENDORED = Path(__file__).parent / "vendored"
"""Other people's files, as they published them; `ORIGIN.md` there says whose."""
PAPERS = frozenset({".md", ".txt"})
FOR_GOOD = "public, max-age=31536000, immutable"
AGAIN = "no-cache"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
}


def mount(app: FastAPI) -> None:
    """Serves the files at `/static/{digest}/{name}`."""
    app.add_api_route(
        "/static/{digest}/{name}", static_file, methods=["GET", "HEAD"], include_in_schema=False
    )


async def static_file(digest: str, name: str) -> Response:
    """One file. A page of another release gets the present one and asks again next time."""
    content = _files().get(name)
    if content is None:
        raise HTTPException(404)
    keeping = FOR_GOOD if digest == _digest() else AGAIN
    return Response(content, media_type=_type_of(name), headers={"cache-control": keeping})


def address_of(name: str) -> str:
    """Where a page finds a file; raises `KeyError` for one that there is not."""
    if name not in _files():
        raise KeyError(name)
    return f"/static/{_digest()}/{name}"


def _type_of(name: str) -> str:
    known = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    return known or "application/octet-stream"


@cache
def _files() -> dict[str, bytes]:
    found = sorted([*FOLDER.iterdir(), *VENDORED.iterdir()], key=lambda each: each.name)
    served = [each for each in found if each.is_file() and each.suffix not in PAPERS]
    return {each.name: each.read_bytes() for each in served}


@cache
def _digest() -> str:
    whole = hashlib.sha256()
    for name, content in _files().items():
        whole.update(f"{name}:{len(content)}:".encode() + content)
    return whole.hexdigest()[:16]
