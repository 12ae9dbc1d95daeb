"""A release with newer default texts of mails."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters import mail_template
from domain.mail import MailKind


@contextmanager
def newer_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: MailKind, **parts: str
) -> Iterator[None]:
    """For as long as the block lasts a mail has a second version: `subject="…"`, `body="…"`."""
    templates = folder / "email_templates"
    shutil.copytree(mail_template.TEMPLATES, templates)
    shutil.copytree(templates / kind, templates / kind / "2")
    for part, words in parts.items():
        (templates / kind / "2" / f"{part}.txt").write_text(words)
    monkeypatch.setattr(mail_template, "TEMPLATES", templates)
    _forget()
    yield
    _forget()


def _forget() -> None:
    mail_template.newest_version.cache_clear()
    mail_template._environment.cache_clear()
