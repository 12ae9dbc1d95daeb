"""What administrators may write into a mail: words, and the variables of its kind (SH-16, SH-17).

The only syntax is `{{ variable }}`. Each is replaced by its value, once: what a value holds is not
read again, so nothing that anybody wrote is ever executed.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.fault import Fault
from domain.mail import CODES, MailKind

LONGEST_SUBJECT = 150
LONGEST_BODY = 10_000
FIRST_VERSION = 1
VARIABLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_SYNTAX = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_ADDRESS = re.compile(r"://|\bwww\b|@|\w[.\u3002\uff61][^\W\d_]{2,}", re.IGNORECASE)
"""What a mail program might make a link of: an address with or without its scheme."""
_QUOTED = "> "
NUL = "\0"


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail's subject and body as they are written, with variables."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Which words a workspace's mail of a kind and language has.

    Its own if it has any, else those of the default's `version` (C19).
    """

    version: int = FIRST_VERSION
    own: MailText | None = None


class MailFlaw(StrEnum):
    """What is wrong with a mail's text, for a page that says so in its own language."""

    LENGTH = "length"
    LINES = "lines"
    CHARACTER = "character"
    UNKNOWN = "unknown"
    SYNTAX = "syntax"
    ADDRESS = "address"
    LACKING = "lacking"
    LINK_LINE = "link_line"


@dataclass(frozen=True, slots=True)
class MailFault(Fault):
    """One fault of a mail's text; `variable` is the one that is meant, if one is."""

    flaw: MailFlaw
    variable: str = ""


VARIABLES: Mapping[str, str] = {
    "workspace_name": "The workspace's name",
    "contact": "The address the workspace can be written to",
    "party_name": "The party's name",
    "party_email": "The party's address",
    "session_title": "The title of what is asked for",
    "subject": "What the session is about",
    "about": "The title and, if there is one, the subject",
    "public_session_id": "The session's reference",
    "tasks_total": "How many steps there are",
    "tasks_done": "How many steps are done",
    "expires_at": "When it ends, with its zone",
    "left": "How long that is, as DD:HH:MM",
    "link": "The address to open, on a line of its own",
    "document_title": "The title of the document that is signed",
    "code": "The one-time code",
    "code_expires_at": "Until when the code is good",
    "message": "The message about the revocation",
    "reason": "The party's or the mail server's words",
    "member_name": "The member's name",
    "member_email": "The member's address",
    "happened_at": "When it happened, with its zone",
    "browser": "In which browser it happened",
}
"""Every variable with its meaning."""

_SESSION = (
    "workspace_name",
    "contact",
    "party_name",
    "session_title",
    "subject",
    "about",
    "public_session_id",
    "tasks_total",
    "tasks_done",
    "expires_at",
)
_ISSUER = (*_SESSION, "party_email")
_MEMBER = ("workspace_name", "contact", "member_name", "member_email")
_WITH_LINK = ("link", "expires_at", "left")

ALLOWED: Mapping[MailKind, tuple[str, ...]] = {
    MailKind.INVITATION: (*_SESSION, "left", "link"),
    MailKind.SIGNATURE_REQUEST: (*_SESSION, "left", "link", "message"),
    MailKind.CONFIRMATION_REQUEST: (*_SESSION, "left", "link", "message"),
    # No address and no text that somebody typed: a code never travels with a link (C11).
    MailKind.CODE: ("workspace_name", "party_name", "session_title", "code", "code_expires_at"),
    MailKind.SIGNING_CODE: (
        *("workspace_name", "party_name", "session_title", "document_title"),
        *("code", "code_expires_at"),
    ),
    MailKind.REMINDER: (*_SESSION, "left", "link"),
    MailKind.COMPLETED: _SESSION,
    MailKind.SIGNED_COPY: _SESSION,
    MailKind.EXPIRED: _SESSION,
    MailKind.REVOKED: (*_SESSION, "message"),
    MailKind.ISSUER_COMPLETED: _ISSUER,
    MailKind.ISSUER_SIGNED: _ISSUER,
    MailKind.ISSUER_EXPIRED: _ISSUER,
    MailKind.ISSUER_DECLINED: (*_ISSUER, "reason"),
    MailKind.ISSUER_BOUNCED: (*_ISSUER, "left", "reason"),
    MailKind.MEMBER_INVITATION: (*_MEMBER, *_WITH_LINK),
    MailKind.MEMBER_PASSWORD_RESET: (*_MEMBER, *_WITH_LINK),
    MailKind.MEMBER_ACCOUNT_DELETION: (*_MEMBER, *_WITH_LINK),
    MailKind.MEMBER_PASSWORD_CHANGED: (*_MEMBER, "happened_at"),
    MailKind.MEMBER_SECOND_FACTOR_CHANGED: (*_MEMBER, "happened_at"),
    MailKind.MEMBER_LOCKED: (*_MEMBER, "happened_at", "expires_at"),
    MailKind.MEMBER_NEW_DEVICE: (*_MEMBER, "happened_at", "browser", "link"),
}
"""What each kind of mail may name."""

REQUIRED: Mapping[MailKind, tuple[str, ...]] = {
    MailKind.INVITATION: ("link", "expires_at"),
    MailKind.SIGNATURE_REQUEST: ("link", "expires_at"),
    MailKind.CONFIRMATION_REQUEST: ("link", "expires_at"),
    MailKind.CODE: ("code",),
    MailKind.SIGNING_CODE: ("code", "document_title"),
    MailKind.REMINDER: ("link", "expires_at"),
    MailKind.MEMBER_INVITATION: ("link", "left"),
    MailKind.MEMBER_PASSWORD_RESET: ("link", "left"),
    MailKind.MEMBER_ACCOUNT_DELETION: ("link",),
    MailKind.MEMBER_NEW_DEVICE: ("happened_at", "browser", "link"),
}
"""What its body must name: without it the mail would be of no use (SH-15)."""

SUBJECTS: frozenset[str] = frozenset(
    {
        "workspace_name",
        "party_name",
        "session_title",
        "document_title",
        "subject",
        "about",
        "public_session_id",
        "tasks_total",
        "tasks_done",
        "member_name",
    }
)
"""What a subject may name: it is shown on locked screens and travels in clear."""


def allowed_in_subject(kind: MailKind) -> tuple[str, ...]:
    """The variables of a kind that its subject may name."""
    return tuple(each for each in ALLOWED[kind] if each in SUBJECTS)


def faults_of(kind: MailKind, text: MailText) -> tuple[MailFault, ...]:
    """Everything that keeps a mail's text from being saved."""
    return (*_subject_faults(kind, text.subject), *_body_faults(kind, text.body))


def _subject_faults(kind: MailKind, subject: str) -> Iterator[MailFault]:
    at = "/subject"
    yield from _length_faults(at, subject, LONGEST_SUBJECT)
    if len(subject.splitlines()) > 1:
        yield MailFault(at, "must be one line", MailFlaw.LINES)
    yield from _text_faults(at, kind, subject, allowed_in_subject(kind))


def _body_faults(kind: MailKind, body: str) -> Iterator[MailFault]:
    at = "/body"
    yield from _length_faults(at, body, LONGEST_BODY)
    yield from _text_faults(at, kind, body, ALLOWED[kind])
    named = set(VARIABLE.findall(body))
    yield from (
        MailFault(at, f"must have {{{{ {each} }}}}", MailFlaw.LACKING, each)
        for each in REQUIRED.get(kind, ())
        if each not in named
    )
    if any("link" in VARIABLE.findall(each) and not is_link(each) for each in body.splitlines()):
        yield MailFault(at, "must have {{ link }} on a line of its own", MailFlaw.LINK_LINE)


def is_link(line: str) -> bool:
    """Whether a line is the link and nothing else."""
    return _is_only(line, "link")


def is_code(line: str) -> bool:
    """Whether a line is the code and nothing else."""
    return _is_only(line, "code")


def _is_only(line: str, name: str) -> bool:
    found = VARIABLE.fullmatch(line.strip())
    return found is not None and found[1] == name


def _length_faults(at: str, text: str, longest: int) -> Iterator[MailFault]:
    if not text.strip() or len(text) > longest:
        yield MailFault(at, f"must have 1 to {longest} characters", MailFlaw.LENGTH)


def _text_faults(at: str, kind: MailKind, text: str, allowed: Sequence[str]) -> Iterator[MailFault]:
    """What may be wrong with subject and body alike."""
    if NUL in text:
        yield MailFault(at, "holds a character that cannot be stored", MailFlaw.CHARACTER)
    yield from _variable_faults(at, text, allowed)
    # A variable stands for letters: `evil.{{ party_name }}` is an address as well.
    plain = unicodedata.normalize("NFKC", VARIABLE.sub("name", text))
    if kind in CODES and _ADDRESS.search(plain):
        message = "must have no link and no address: a code never travels with one"
        yield MailFault(at, message, MailFlaw.ADDRESS)


def _variable_faults(at: str, text: str, allowed: Sequence[str]) -> Iterator[MailFault]:
    for each in dict.fromkeys(each for each in VARIABLE.findall(text) if each not in allowed):
        message = f"has no variable {{{{ {each} }}}}; there are: {', '.join(allowed)}"
        yield MailFault(at, message, MailFlaw.UNKNOWN, each)
    if _SYNTAX.search(VARIABLE.sub("", text)):
        message = "may have variables such as {{ workspace_name }}, and no other code"
        yield MailFault(at, message, MailFlaw.SYNTAX)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is sent; what it is was decided by what was written, never by a value."""

    text: str
    is_link: bool = False
    is_code: bool = False
    is_quoted: bool = False


def filled(text: str, values: Mapping[str, str]) -> list[Line]:
    """A text's lines with the variables replaced by their values.

    A line whose variables are all empty is left out, and with it the line before that leads to it
    with a colon.
    """
    lines: list[Line] = []
    for each in text.splitlines():
        named = VARIABLE.findall(each)
        if named and not any(values.get(name) for name in named):
            _drop_lead(lines)
        else:
            lines += _filled_line(each, values)
    return lines


def _drop_lead(lines: list[Line]) -> None:
    last = next((each for each in reversed(range(len(lines))) if lines[each].text.strip()), None)
    if last is not None and lines[last].text.rstrip().endswith(":"):
        del lines[last:]


def _filled_line(line: str, values: Mapping[str, str]) -> Iterator[Line]:
    """One line; a value of several lines stays quoted on each of them."""
    is_quoted = line.startswith(_QUOTED)
    replaced = VARIABLE.sub(lambda found: values.get(found[1], ""), line.removeprefix(_QUOTED))
    for each in replaced.splitlines() or [""]:
        yield Line(each, is_link(line), is_code(line), is_quoted)
