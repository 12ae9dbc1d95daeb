"""Turns what a mail says into its subject, text and HTML, from `email_templates/<kind>/`.

Nothing a person wrote can become markup, a header or, in the mail of a code, a link.
"""

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mjml
from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from adapters.languages import for_jinja, negotiate
from domain.durations import days_hours_minutes
from domain.mail import MailKind

TEMPLATES = Path(__file__).parents[1] / "email_templates"
TEXT_WIDTH = 76
LONGEST_NAME = 120
LONGEST_MESSAGE = 2000
SUBJECT_NAME = 60
"""A name is cut to this in a subject: mail programs show no more, filters dislike long ones."""

NEEDED = {
    MailKind.INVITATION: ("link", "expires_at"),
    MailKind.CODE: ("code", "code_expires_at"),
    MailKind.REMINDER: ("link", "expires_at"),
    MailKind.EXPIRED: ("expires_at",),
    MailKind.ISSUER_EXPIRED: ("expires_at",),
    MailKind.ISSUER_BOUNCED: ("expires_at",),
}

_BREAKING = frozenset({"Cc", "Cn", "Cs", "Zl", "Zp"})
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SCHEME = re.compile(r"\s*(?:https?:)?//+\s*", re.IGNORECASE)


class MailContentError(ValueError):
    """A mail lacks something its kind must say, or holds something it must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContent:
    """What a mail may say; which of the optional ones are needed depends on its kind.

    `written_at` is the time that "left" counts from. `contact` is an address a party may write to.
    `message` is the revoking administrator's, `reason` the declining party's or the mail server's.
    `link` and `console_link` are absolute; `code` is its bare digits; `zone` is an IANA name.
    `has_proof` tells whether the receipt that goes with it has its proof already.
    """

    workspace_name: str
    party_name: str
    session_title: str
    public_session_id: str
    written_at: datetime
    locale: str = "en"
    zone: str = "UTC"
    subject: str | None = None
    tasks_total: int = 0
    tasks_done: int = 0
    expires_at: datetime | None = None
    link: str | None = None
    code: str | None = None
    code_expires_at: datetime | None = None
    message: str | None = None
    reason: str | None = None
    contact: str | None = None
    party_email: str | None = None
    console_link: str | None = None
    has_proof: bool = True


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail's three texts; `language` is the one they are in."""

    subject: str
    text: str
    html: str
    language: str


def render(kind: MailKind, content: MailContent) -> RenderedMail:
    """The mail of a kind, in the content's language or the nearest there is.

    Raises `MailContentError` when the kind needs something that is absent, or a code would travel
    together with a link.
    """
    _check(kind, content)
    values = _values(kind, content)
    title = one_line(_filled(kind, "subject.txt", _shortened(values)))
    text = _wrapped(_filled(kind, "body.txt", values))
    html = _as_html(_filled(kind, "body.mjml", values | {"title": title}))
    return RenderedMail(title, text, html, values["language"])


def one_line(words: str, longest: int | None = None) -> str:
    """Words without line breaks, control or direction characters, cut to `longest` characters."""
    kept = "".join(" " if unicodedata.category(each) in _BREAKING else each for each in words)
    line = " ".join(_DIRECTIONS.sub("", kept).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _check(kind: MailKind, content: MailContent) -> None:
    lacking = [each for each in NEEDED.get(kind, ()) if getattr(content, each) is None]
    if lacking:
        raise MailContentError(f"a mail of kind {kind} needs {', '.join(lacking)}")
    if kind is MailKind.CODE and (content.link or content.console_link):
        raise MailContentError("a code never travels with a link")  # C11
    for address in (content.link, content.console_link):
        if address and urlsplit(address).scheme not in {"http", "https"}:
            raise MailContentError("a link must be absolute and http or https")


def _values(kind: MailKind, content: MailContent) -> dict[str, Any]:
    """What the templates may name: cleaned words, and what follows from them."""
    title, subject = _name(content.session_title), _name(content.subject or "")
    language = negotiate(None, content.locale)
    left = content.expires_at - content.written_at if content.expires_at else None
    return {
        "workspace_name": _name(content.workspace_name),
        "party_name": _name(content.party_name),
        "session_title": title,
        "about": f"{title}: {subject}" if subject else title,
        "public_session_id": one_line(content.public_session_id),
        "tasks_total": content.tasks_total,
        "tasks_done": content.tasks_done,
        "expires_at": content.expires_at,
        "left": None if left is None else days_hours_minutes(left),
        "link": content.link,
        "code": grouped(content.code) if kind is MailKind.CODE and content.code else None,
        "code_expires_at": content.code_expires_at,
        "message": _several_lines(content.message),
        "reason": _several_lines(content.reason),
        "contact": one_line(content.contact or ""),
        "party_email": one_line(content.party_email or ""),
        "console_link": content.console_link,
        "has_proof": content.has_proof,
        "zone": content.zone,
        "locale": language,
        "language": language,
    }


def grouped(code: str) -> str:
    """A code in two halves, as people read digits: "4821 0937"."""
    half = (len(code) + 1) // 2
    return f"{code[:half]} {code[half:]}"


def _name(words: str) -> str:
    """A name as one line that no mail program makes a link of by its scheme."""
    return _SCHEME.sub(" ", one_line(words, LONGEST_NAME)).strip()


def _several_lines(words: str | None) -> str:
    lines = [one_line(each) for each in (words or "").splitlines()]
    return "\n".join(lines).strip()[:LONGEST_MESSAGE]


def _shortened(values: dict[str, Any]) -> dict[str, Any]:
    names = ("workspace_name", "party_name", "session_title")
    return values | {each: one_line(values[each], SUBJECT_NAME) for each in names}


def _filled(kind: MailKind, part: str, values: dict[str, Any]) -> str:
    return _environment().get_template(f"{kind}/{part}").render(values)


def _as_html(source: str) -> str:
    """MJML as HTML that loads nothing: MJML would fetch fonts for some names of its own list."""
    try:
        return _inliner().inline(mjml.mjml2html(source, fonts={}))
    except ValueError as error:
        # A character that XML cannot hold, in a text that somebody else wrote.
        raise MailContentError("the mail's text cannot be laid out") from error


def _wrapped(text: str) -> str:
    """Paragraphs at a width that every mail program shows, links and quotations kept whole."""
    spaced = re.sub(r"\n{3,}", "\n\n", text.strip())
    return "\n".join(_fold(line) for line in spaced.split("\n")) + "\n"


def _fold(line: str) -> str:
    if len(line) <= TEXT_WIDTH:
        return line
    lead = "> " if line.startswith("> ") else ""
    return textwrap.fill(
        line,
        TEXT_WIDTH,
        subsequent_indent=lead,
        break_long_words=False,
        break_on_hyphens=False,
    )


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("mjml",)),
        undefined=StrictUndefined,
        auto_reload=False,
    )
    for_jinja(env)
    return env


@cache
def _inliner() -> CSSInliner:
    """Rules go into the elements; those for dark mode and small screens stay in the head."""
    return CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
