"""The words of a block of Markdown in pieces that are written alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Run:
    """Words that are written alike."""

    text: str
    bold: bool = False
    italic: bool = False
    mono: bool = False
    struck: bool = False


def runs_of(inner: Sequence[Token]) -> list[Run]:
    """The words of a block's inline token, joined where they are written alike."""
    found: list[Run] = []
    for each in _each_run(inner):
        if found and replace(found[-1], text="") == replace(each, text=""):
            found[-1] = replace(each, text=found[-1].text + each.text)
        elif each.text:
            found.append(each)
    return found or [Run(" ")]


_EMPHASES = {"strong": "bold", "em": "italic", "s": "struck"}


def _each_run(inner: Sequence[Token]) -> Iterator[Run]:
    like, link = Run(""), ""
    for token in (child for each in inner for child in each.children or ()):
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in _EMPHASES:
            like = _with(like, _EMPHASES[name], is_so=token.nesting > 0)
        elif token.type == "link_open":
            link = str(token.attrGet("href") or "")
        elif token.type == "link_close":
            yield replace(like, text=f" ({link})")
        else:
            yield _run_of(token, like)


def _with(like: Run, name: str, *, is_so: bool) -> Run:
    changes: dict[str, Any] = {name: is_so}
    return replace(like, **changes)


def _run_of(token: Token, like: Run) -> Run:
    """A link's address stands behind its words: paper cannot be clicked."""
    match token.type:
        case "hardbreak":
            return replace(like, text="\n")
        case "softbreak":
            return replace(like, text=" ")
        case "code_inline":
            return replace(like, text=token.content, mono=True)
        case _:
            return replace(like, text=token.content)


def plain_of(inner: Sequence[Token]) -> str:
    """The words alone, in one line."""
    return "".join(each.text for each in runs_of(inner)).replace("\n", " ").strip()
