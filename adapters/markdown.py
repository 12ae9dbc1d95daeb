"""Markdown to safe HTML: written by a workspace's members, read by people outside it."""

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

TAGS = frozenset(
    {
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "br",
        "hr",
        "strong",
        "em",
        "s",
        "blockquote",
        "ul",
        "ol",
        "li",
        "a",
        "code",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"scope"}}
SCHEMES = frozenset({"http", "https", "mailto"})
LOWEST_HEADING = 6


@lru_cache(maxsize=128)
def render(markdown: str) -> Markup:
    """HTML of a text, its headings one level down as the page has its own first one.

    Raw HTML is shown as it was typed, images as links; links open a page of their own and tell it
    nothing. The answer is kept for the last 128 texts.
    """
    tokens = PARSER.parse(markdown)
    _lower_headings(tokens)
    return Markup(CLEANER.clean(PARSER.renderer.render(tokens, PARSER.options, {})))  # noqa: S704 - cleaned


def _lower_headings(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, LOWEST_HEADING)}"
        if token.type == "th_open":
            token.attrSet("scope", "col")


PARSER = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable("image")
)
CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    attributes=ATTRIBUTES,
    url_schemes=set(SCHEMES),
    url_relative="deny",
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
