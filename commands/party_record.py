"""How rows are written down in an export: everything they have, except for what is a secret."""

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import chain, count
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel

from domain.file_name import clean_name
from domain.upload import UploadRefused
from store.agreement import AgreementRow, AgreementSignerRow
from store.audit import AuditRow
from store.binding import BindingRow
from store.mail import MailRow
from store.party import PartyRow
from store.public_session import PublicSessionRow, SubmissionRow
from store.signing_session import SigningSessionRow
from store.upload import UploadRow

CONTENTS: Mapping[type[SQLModel], tuple[str, ...]] = {
    PartyRow: ("name", "email", "attributes"),
    PublicSessionRow: (
        "subject",
        "notify_email",
        "rationale",
        "message",
        "decline_reason",
        "mail_detail",
        "advance_reason",
    ),
    BindingRow: ("browser",),
    SubmissionRow: ("body", "evidence", "salt"),
    MailRow: ("detail",),
    AgreementRow: ("title", "message", "rationale", "notify_email", "seal_error"),
    AgreementSignerRow: ("name", "values", "evidence"),
    SigningSessionRow: ("values", "left_behind"),
    UploadRow: ("name", "sha256", "received_sha256"),
}
"""What lies sealed in a row."""
SEALED = frozenset({"sealed", "unsealed", "words"})
SECRETS = frozenset(
    {
        "link_digest",
        "digest",
        "door_digest",
        "recipient_digest",
        "consumed_by",
        "counter",
        "code_counter",
        "key_version",
        "object_name",
    }
)
"""Columns by which links, codes, browsers and objects are recognised; they tell of nobody."""

README = """\
Everything that is held about one party.

party.json                     the party, and every move it made in its lifecycle
audit.jsonl                    what was written down about the party itself, one event a line
sessions/<id>/session.json     one public session: its tasks, what was submitted with the evidence
                               of how, its files, its mails (their texts are never kept), the
                               browsers that were bound, the codes and how often its link was opened
sessions/<id>/audit.jsonl      what was written down about the session, one event a line
sessions/<id>/signed/          the documents that were signed, sealed
sessions/<id>/files/           the files that were uploaded, as they were stored
missing.json                   files that are not here, and why: "removed" before they were
                               submitted, "erased", still "checking", "infected", "unscannable",
                               "unreadable", or "incomplete" where one breaks off

Times are in UTC (RFC 3339), ids are UUIDs. In audit.jsonl a commitment is the SHA-256 of the salt
and the text, and the leaf hash is the event's entry in the audit tree at its position.

Not here: what links, codes and browsers are recognised by, and the answers that were given to
programs, which repeat what is here and are kept for a short time only.
"""


def everything_in(row: SQLModel) -> dict[str, Any]:
    """A row by the names of its columns and of its contents."""
    columns = type(row).model_fields.keys() - SEALED - SECRETS
    ordered = [name for name in type(row).model_fields if name in columns]
    names = (*ordered, *CONTENTS.get(type(row), ()))
    return {name: getattr(row, name) for name in names}


def event_of(row: AuditRow) -> dict[str, Any]:
    """An event of the audit with all that it tells, and what proves it."""
    columns = {name: getattr(row, name) for name in type(row).model_fields if name not in SEALED}
    return columns | row.told | {"text": row.text, "salt": row.salt}


def unique_name(name: str, taken: set[str]) -> str:
    """A safe file name that is none of those taken, whatever their capitals; it is taken now."""
    try:
        clean = clean_name(name)
    except UploadRefused:
        clean = "file"
    stem, dot, ending = clean.rpartition(".")
    numbered = (f"{stem or ending} ({number}){dot}{ending if stem else ''}" for number in count(2))
    free = next(each for each in chain([clean], numbered) if each.casefold() not in taken)
    taken.add(free.casefold())
    return free


def as_json(value: Any) -> str:
    """A value as it is read by people."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n"


def as_line(value: Any) -> str:
    """A value on a line of its own."""
    return json.dumps(value, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"{type(value).__name__} is not written down")
