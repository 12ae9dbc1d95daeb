"""Turns what a mail says into its subject, text and HTML, from `email_templates/<kind>/`.

Nothing a person wrote can become markup, a header or, in the mail of a code, a link.
"""

import re
import textwrap
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from adapters.languages import negotiate, translations_for, when
from adapters.mail_template import MailContentError, as_html, default_part, filled_template
from domain.browser_name import browser_and_system
from domain.durations import days_hours_minutes
from domain.mail import CODES, MailKind
from domain.mail_content import Line, MailText, Wording, filled

TEXT_WIDTH = 76
LONGEST_NAME = 120
LONGEST_MESSAGE = 2000
SUBJECT_NAME = 60
"""A name is cut to this in a subject: mail programs show no more, filters dislike long ones."""

NEEDED = {
    MailKind.INVITATION: ("link", "expires_at"),
    MailKind.SIGNATURE_REQUEST: ("link", "expires_at"),
    MailKind.CONFIRMATION_REQUEST: ("link", "expires_at"),
    MailKind.CODE: ("code", "code_expires_at"),
    MailKind.SIGNING_CODE: ("code", "code_expires_at", "document_title"),
    MailKind.REMINDER: ("link", "expires_at"),
    MailKind.EXPIRED: ("expires_at",),
    MailKind.ISSUER_EXPIRED: ("expires_at",),
    MailKind.ISSUER_BOUNCED: ("expires_at",),
    MailKind.MEMBER_INVITATION: ("link", "expires_at"),
    MailKind.MEMBER_PASSWORD_RESET: ("link", "expires_at"),
    MailKind.MEMBER_ACCOUNT_DELETION: ("link", "expires_at"),
    MailKind.MEMBER_PASSWORD_CHANGED: ("happened_at",),
    MailKind.MEMBER_SECOND_FACTOR_CHANGED: ("happened_at",),
    MailKind.MEMBER_LOCKED: ("happened_at", "expires_at"),
    MailKind.MEMBER_NEW_DEVICE: ("happened_at", "link"),
}

_BREAKING = frozenset({"Cc", "Cn", "Cs", "Zl", "Zp"})
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SCHEME = re.compile(r"\s*(?:https?:)?//+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContent:
    """What a mail may say; which of the optional ones are needed depends on its kind.

    A mail is about a party's session, or about a member, and has the words of one of the two.
    `written_at` is the time that "left" counts from. `contact` is an address a party may write to.
    `message` is the revoking administrator's, `reason` the declining party's or the mail server's.
    `link` and `console_link` are absolute; `code` is its bare digits; `zone` is an IANA name.
    `has_proof` tells whether the receipt that goes with it has its proof already.
    `browser` is what a browser says of itself, never shown as it is; `is_program`: it was none.
    """

    workspace_name: str
    written_at: datetime
    party_name: str = ""
    session_title: str = ""
    public_session_id: str = ""
    member_name: str = ""
    member_email: str = ""
    locale: str = "en"
    zone: str = "UTC"
    subject: str | None = None
    tasks_total: int = 0
    tasks_done: int = 0
    expires_at: datetime | None = None
    happened_at: datetime | None = None
    link: str | None = None
    document_title: str | None = None
    code: str | None = None
    code_expires_at: datetime | None = None
    message: str | None = None
    reason: str | None = None
    contact: str | None = None
    party_email: str | None = None
    console_link: str | None = None
    has_proof: bool = True
    browser: str = ""
    is_program: bool = False


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail's three texts; `language` is the one they are in."""

    subject: str
    text: str
    html: str
    language: str


FIRST = Wording()


def render(kind: MailKind, content: MailContent, wording: Wording = FIRST) -> RenderedMail:
    """The mail of a kind, in the content's language or the nearest there is.

    Its words are the workspace's own, or a version of the default's. Raises `MailContentError` when
    the kind needs something that is absent, or a code would travel together with a link.
    """
    _check(kind, content)
    values = _values(kind, content)
    if wording.own:
        return _own(kind, wording.own, values)
    subject, body = "subject.txt", "body.txt"
    title = one_line(default_part(kind, wording.version, subject, _shortened(values)))
    text = _wrapped(default_part(kind, wording.version, body, values))
    source = default_part(kind, wording.version, "body.mjml", values | {"title": title})
    return RenderedMail(title, text, as_html(source), values["language"])


def _own(kind: MailKind, written: MailText, values: dict[str, Any]) -> RenderedMail:
    """What the workspace wrote, as text and HTML alike; frame and last lines stay ours."""
    title = one_line(_joined(filled(written.subject, texts_of(_shortened(values)))))
    lines = filled(written.body, texts_of(values))
    audience = "issuer" if kind.to_issuer else "member" if kind.to_member else "party"
    shown = values | {"title": title, "audience": audience, "lines": [_cleaned(e) for e in lines]}
    text = _wrapped(filled_template("shared/own.txt", shown))
    html = as_html(filled_template("shared/own.mjml", shown))
    return RenderedMail(title, text, html, values["language"])


def _joined(lines: list[Line]) -> str:
    return " ".join(each.text for each in lines)


def _cleaned(line: Line) -> Line:
    return replace(line, text=line.text if line.is_link else one_line(line.text))


def texts_of(values: dict[str, Any]) -> dict[str, str]:
    """What a mail may name, as it is read in its language and zone; "" for what there is not."""
    return {name: _as_text(value, values) for name, value in values.items()}


def _as_text(value: Any, values: dict[str, Any]) -> str:
    if isinstance(value, datetime):
        return when(value, values["zone"], values["locale"])
    return "" if value is None else str(value)


def one_line(words: str, longest: int | None = None) -> str:
    """Words without line breaks, control or direction characters, cut to `longest` characters."""
    kept = "".join(" " if unicodedata.category(each) in _BREAKING else each for each in words)
    line = " ".join(_DIRECTIONS.sub("", kept).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _check(kind: MailKind, content: MailContent) -> None:
    lacking = [each for each in NEEDED.get(kind, ()) if getattr(content, each) is None]
    if lacking:
        raise MailContentError(f"a mail of kind {kind} needs {', '.join(lacking)}")
    if kind in CODES and (content.link or content.console_link):
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
        "member_name": _name(content.member_name),
        "member_email": one_line(content.member_email),
        "session_title": title,
        "subject": subject,
        "about": f"{title}: {subject}" if subject not in ("", title) else title,
        "public_session_id": one_line(content.public_session_id),
        "tasks_total": content.tasks_total,
        "tasks_done": content.tasks_done,
        "expires_at": content.expires_at,
        "happened_at": content.happened_at,
        "left": None if left is None else days_hours_minutes(left),
        "link": content.link,
        "document_title": _name(content.document_title or ""),
        "code": grouped(content.code) if kind in CODES and content.code else None,
        "code_expires_at": content.code_expires_at,
        "message": _several_lines(content.message),
        "reason": _several_lines(content.reason),
        "contact": one_line(content.contact or ""),
        "party_email": one_line(content.party_email or ""),
        "console_link": content.console_link,
        "has_proof": content.has_proof,
        "browser": _browser(content, language),
        "zone": content.zone,
        "locale": language,
        "language": language,
    }


def _browser(content: MailContent, language: str) -> str:
    """The browser as a person knows it: "Firefox on Windows"."""
    gettext = translations_for(language).gettext
    if content.is_program:
        return gettext("a program")
    browser, system = browser_and_system(content.browser)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or gettext("a browser that does not say which")


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
    titles = ("session_title", "document_title", "subject")
    names = ("workspace_name", "party_name", "member_name", *titles)
    return values | {each: one_line(values[each], SUBJECT_NAME) for each in names}


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
