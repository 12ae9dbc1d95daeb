"""One version of an agreement's content, its hash, and what the next one changed (EX-19, N7)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domain.agreement_field import AgreementField


@dataclass(frozen=True, slots=True)
class AgreementVersion:
    """Everything a signature is on: the title, the pages, the fields and what is agreed to.

    `paper_sha256` is the hash of the document's PDF, in hexadecimal; `pages` one for each page.
    """

    title: str
    paper_sha256: str
    pages: tuple[str, ...]
    fields: tuple[AgreementField, ...]
    consent: str

    @property
    def canonical(self) -> bytes:
        """The bytes that are hashed: JSON with sorted keys, no spaces, UTF-8."""
        content = {
            "title": self.title,
            "paper_sha256": self.paper_sha256,
            "fields": [_canonical(each) for each in self.fields],
            "consent": self.consent,
        }
        return json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()

    @property
    def sha256(self) -> str:
        """What a signature names beside the version's number (EX-20), in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()

    def fields_of(self, signer: int) -> tuple[AgreementField, ...]:
        """What one signer fills in."""
        return tuple(each for each in self.fields if each.signer == signer)


def _canonical(one: AgreementField) -> dict[str, Any]:
    """A field; numbers as text, because not every program writes a fraction alike."""
    return {
        name: f"{value:.6f}" if isinstance(value, float) else value
        for name, value in asdict(one).items()
    }


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `key` names it, `before` and `after` say it; "" where there is none.

    `what` is `title`, `consent`, `page`, `value`, `field_added`, `field_removed` or
    `field_changed`; `label` is the field's, or the page's number.
    """

    key: str
    what: str
    label: str
    before: str = ""
    after: str = ""


def changes(old: AgreementVersion, new: AgreementVersion, signer: int) -> tuple[Change, ...]:
    """What a signer must see and confirm before it signs the new version.

    Where another signer's fields stand is in the pages' look, not in a line of its own.
    """
    found = []
    if old.title != new.title:
        found.append(Change("title", "title", "", old.title, new.title))
    if old.consent != new.consent:
        found.append(Change("consent", "consent", "", old.consent, new.consent))
    return (*found, *_pages(old.pages, new.pages), *_fields(old, new, signer))


def _pages(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    found = []
    for at in range(max(len(old), len(new))):
        before, after = "".join(old[at : at + 1]), "".join(new[at : at + 1])
        if before != after:
            found.append(Change(f"page-{at + 1}", "page", str(at + 1), before, after))
    return found


def _fields(old: AgreementVersion, new: AgreementVersion, signer: int) -> list[Change]:
    before, after = _seen(old, signer), _seen(new, signer)
    found = []
    for key in [*before, *(each for each in after if each not in before)]:
        change = _field(before.get(key), after.get(key))
        if change is not None:
            found.append(change)
    return found


def _seen(version: AgreementVersion, signer: int) -> Mapping[str, AgreementField]:
    return {each.key: each for each in version.fields if each.signer in {None, signer}}


def _field(old: AgreementField | None, new: AgreementField | None) -> Change | None:
    if old == new:
        return None
    if old is None or new is None:
        one = old or new
        what = "field_removed" if new is None else "field_added"
        return Change(f"field-{one.key}", what, one.label, _said(old), _said(new)) if one else None
    if old.value != new.value:
        return Change(f"field-{new.key}", "value", new.label, old.value, new.value)
    return Change(f"field-{new.key}", "field_changed", new.label, _said(old), _said(new))


def _said(one: AgreementField | None) -> str:
    return (one.value or one.label) if one else ""


def kept(values: Mapping[str, Any], old: AgreementVersion, new: AgreementVersion) -> dict[str, Any]:
    """Of what was entered for the old version, what still fits the new one."""
    before = {each.key: each.kind for each in old.fields}
    after = {each.key: each.kind for each in new.fields}
    return {key: value for key, value in values.items() if before.get(key) == after.get(key)}
