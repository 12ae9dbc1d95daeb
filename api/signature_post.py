"""Reads what a signer's page posts: which window writes to which version, and what was entered.

Whatever cannot be read is refused, or stays as something that does not fit its field.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import HTTPException, Request

from commands.signing import SigningWrite
from domain.agreement import Pinned
from domain.agreement_answers import is_drawing
from domain.window import Place

WINDOW = re.compile(r"[A-Za-z0-9_-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")
NUMBER = re.compile(r"[0-9]{1,9}")
YES = "yes"
UNREADABLE = {"strokes": "unreadable"}
"""A drawing that fits no field, so that the field says so."""

Pairs = Sequence[tuple[str, str]]


def write_in(task: str, posted: Pairs) -> SigningWrite:
    """What every write of a window says; raises `HTTPException` 400 where it says it badly."""
    given = Pinned(_number(posted, "version"), _matching(posted, "sha256", SHA256))
    return SigningWrite(task, place_in(posted), given)


def place_in(posted: Pairs) -> Place:
    """From which window's place a post comes; raises as `write_in`."""
    return Place(window_in(posted), _number(posted, "fence"))


def window_in(posted: Pairs) -> str:
    """The id of a window; raises as `write_in`."""
    return _matching(posted, "window", WINDOW)


def window_of_page(request: Request) -> str:
    """The id of the window that a page is for, by its address or its form; "" for none."""
    posted = dict(getattr(request.state, "posted", ()))
    text = posted.get("window", "") or request.query_params.get("window", "")
    return text if WINDOW.fullmatch(text) else ""


def _matching(posted: Pairs, name: str, form: re.Pattern[str]) -> str:
    value = dict(posted).get(name, "")
    if not form.fullmatch(value):
        raise HTTPException(400, f"no {name}")
    return value


def _number(posted: Pairs, name: str) -> int:
    return int(_matching(posted, name, NUMBER))


def values_in(posted: Pairs) -> dict[str, Any]:
    """What was entered, by field; its name says in which way, and what is empty is left out.

    Without a script the drawing of before is still in the form; a name typed now replaces it.
    """
    read: dict[str, Any] = {}
    for way, value_of in WAYS.items():
        named = {name.removeprefix(way): text for name, text in posted if name.startswith(way)}
        entered = {key: value_of(text.strip()) for key, text in named.items()}
        read |= {key: value for key, value in entered.items() if value}
    return read


def _ticked(text: str) -> bool:
    return text == YES


def _typed(text: str) -> dict[str, Any]:
    return {"typed": text} if text else {}


def _drawing(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(raw, dict):
        return UNREADABLE
    if not raw.get("strokes"):
        return {}
    drawn = {"strokes": raw["strokes"], "ratio": raw.get("ratio", 0.4)}
    # What fits no field is not carried on: it may be of any size and depth.
    return drawn if is_drawing(drawn) else UNREADABLE


WAYS: Mapping[str, Callable[[str], Any]] = {
    "field:": str,
    "ticked:": _ticked,
    "drawn:": _drawing,
    "typed:": _typed,
}


def is_drawn(value: Any) -> bool:
    """Whether a value is a drawing that the page can show again."""
    return isinstance(value, Mapping) and isinstance(value.get("strokes"), list)
