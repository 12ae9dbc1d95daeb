"""The default words of mails are never changed once they are out: workspaces keep them (C19).

A change belongs into a new version, a folder `2` of the mail's own. Words that no release has had
yet may change: `python -m tests.unit.test_mail_defaults --write`.
"""

import hashlib
import json
import sys
from pathlib import Path

from adapters.languages import available
from adapters.mail_default import default_text
from adapters.mail_template import newest_version
from domain.mail import MailKind

KNOWN = Path(__file__).parent / "mail_defaults.json"


def digests() -> dict[str, str]:
    """What each version of each mail says in each language, as a short hash."""
    return {
        f"{kind}/{version}/{language}": _digest(kind, version, language)
        for kind in MailKind
        for version in range(1, newest_version(kind) + 1)
        for language in available()
    }


def _digest(kind: MailKind, version: int, language: str) -> str:
    text = default_text(kind, version, language)
    return hashlib.sha256(f"{text.subject}\n{text.body}".encode()).hexdigest()[:16]


def test_no_version_has_other_words_than_before() -> None:
    known, found = json.loads(KNOWN.read_text()), digests()
    changed = [each for each in found if known.get(each) != found[each]]
    assert not changed, "new words are a new version: see CONTRIBUTING.md, Adding a mail"
    assert set(known) == set(found), "a version that was released stays"


if __name__ == "__main__" and "--write" in sys.argv:
    KNOWN.write_text(json.dumps(digests(), indent=2, sort_keys=True) + "\n")
