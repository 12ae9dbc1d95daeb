"""The mails' default texts, in `email_templates/<kind>/`: their versions, and filling them.

A kind's folder is the first version of its text, a folder `2` in it the second, and so on. What was
released is never changed: workspaces keep the version that they were created with (C19).
"""

from functools import cache
from pathlib import Path
from typing import Any

import mjml
from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from adapters.languages import for_jinja
from domain.mail import MailKind
from domain.mail_content import FIRST_VERSION

TEMPLATES = Path(__file__).parents[1] / "email_templates"


class MailContentError(ValueError):
    """A mail lacks something its kind must say, or holds something it must not."""


@cache
def newest_version(kind: MailKind) -> int:
    """The newest version of a kind's default text."""
    later = [int(each.name) for each in (TEMPLATES / kind).iterdir() if each.name.isdigit()]
    return max(later, default=FIRST_VERSION)


def newest_versions() -> dict[str, int]:
    """The newest version of each kind: what a new workspace is created with."""
    return {kind.value: newest_version(kind) for kind in MailKind}


def default_part(kind: MailKind, version: int, part: str, values: dict[str, Any]) -> str:
    """A part of a default text; a version that only a newer release has is read as our newest."""
    usable = min(version, newest_version(kind))
    folder = kind.value if usable == FIRST_VERSION else f"{kind}/{usable}"
    return filled_template(f"{folder}/{part}", values)


def filled_template(path: str, values: dict[str, Any]) -> str:
    """A file of `email_templates/` with its values."""
    return _environment().get_template(path).render(values)


def as_html(source: str) -> str:
    """MJML as HTML that loads nothing: MJML would fetch fonts for some names of its own list."""
    try:
        return _inliner().inline(mjml.mjml2html(source, fonts={}))
    except ValueError as error:
        # A character that XML cannot hold, in a text that somebody else wrote.
        raise MailContentError("the mail's text cannot be laid out") from error


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
