"""A mail's default text as an administrator may edit it: with variables instead of values."""

import re
from datetime import datetime
from typing import Any

from adapters.mail_template import default_part
from domain.mail import MailKind
from domain.mail_content import VARIABLES, MailText

FOOTER = re.compile(r"^-- $.*", re.MULTILINE | re.DOTALL)
"""The last lines are ours and stay below whatever is written."""


def default_text(kind: MailKind, version: int, language: str) -> MailText:
    """A version of a kind's default text, in a language that there is."""
    values = _placeholders(language)
    subject = default_part(kind, version, "subject.txt", values)
    body = FOOTER.sub("", default_part(kind, version, "body.txt", values))
    lines = (each.strip() for each in body.strip().splitlines())
    return MailText(" ".join(subject.split()), re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n")


def _placeholders(language: str) -> dict[str, Any]:
    """Each variable as itself; what is only said at times is said."""
    named = {name: f"{{{{ {name} }}}}" for name in VARIABLES}
    always = {"has_proof": True, "console_link": None, "zone": "UTC"}
    return named | always | {"locale": language, "language": language, "when": _as_it_is}


def _as_it_is(at: str | datetime, _zone: str, _locale: str) -> str:
    return str(at)
