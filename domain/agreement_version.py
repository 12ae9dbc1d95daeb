"""One version of an agreement's content, its hash, and what the next one changed (EX-19, N7)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from domain.agreement_field import AgreementField

PLACE = frozenset(["page", "x", "y", "width", "height"])
"""Where a field stands and how large it is."""


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

    `what` is `title`, `consent`, `page`, `paper` (another file whose pages look the same),
    `field_added`, `field_removed`, `field_changed`, `field_moved` or `order` (of the fields).
    `label` is the field's, or the page's number. A field is told as a whole, by its two sides.
    """

    key: str
    what: str
    label: str
    before: str | AgreementField = ""
    after: str | AgreementField = ""

    @property
    def members(self) -> frozenset[str]:
        """In what a field's sides differ; all of it where there is one side alone."""
        before = _canonical(self.before) if isinstance(self.before, AgreementField) else {}
        after = _canonical(self.after) if isinstance(self.after, AgreementField) else {}
        return frozenset(each for each in {*before, *after} if before.get(each) != after.get(each))

    @property
    def is_moved(self) -> bool:
        """Whether a field stands elsewhere now, or is of another size."""
        return not PLACE.isdisjoint(self.members)


def changes(old: AgreementVersion, new: AgreementVersion) -> tuple[Change, ...]:
    """What any signer must see and confirm before it signs the new version.

    It is everything that the hash is made of, fields of other signers too: pages are compared as
    they look without fields, and what a field says is part of what each of them signs.
    """
    found = []
    if old.title != new.title:
        found.append(Change("title", "title", "", old.title, new.title))
    if old.consent != new.consent:
        found.append(Change("consent", "consent", "", old.consent, new.consent))
    return (*found, *_paper(old, new), *_fields(old, new), *_order(old, new))


def _paper(old: AgreementVersion, new: AgreementVersion) -> list[Change]:
    if old.pages == new.pages and old.paper_sha256 != new.paper_sha256:
        return [Change("paper", "paper", "", old.paper_sha256, new.paper_sha256)]
    return _pages(old.pages, new.pages)


def _pages(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    found = []
    for at in range(max(len(old), len(new))):
        before, after = "".join(old[at : at + 1]), "".join(new[at : at + 1])
        if before != after:
            found.append(Change(f"page-{at + 1}", "page", str(at + 1), before, after))
    return found


def _fields(old: AgreementVersion, new: AgreementVersion) -> list[Change]:
    before, after = _by_key(old), _by_key(new)
    pairs = [(before.get(each), after.get(each)) for each in {**before, **after}]
    found = (_field(*each) for each in pairs)
    return [each for each in found if each.members]


def _by_key(version: AgreementVersion) -> Mapping[str, AgreementField]:
    return {each.key: each for each in version.fields}


def _field(old: AgreementField | None, new: AgreementField | None) -> Change:
    one = new or old
    assert one is not None  # noqa: S101 - a key is of one of the two
    change = Change(f"field-{one.key}", "field_changed", one.label, old or "", new or "")
    if old is None or new is None:
        return replace(change, what="field_removed" if new is None else "field_added")
    return replace(change, what="field_moved") if change.members <= PLACE else change


def _order(old: AgreementVersion, new: AgreementVersion) -> list[Change]:
    """The order of the fields that both have, if it is another one."""
    before, after = _by_key(old), _by_key(new)
    was = [each.label for key, each in before.items() if key in after]
    now = [each.label for key, each in after.items() if key in before]
    if [key for key in before if key in after] == [key for key in after if key in before]:
        return []
    return [Change("order", "order", "", "\n".join(was), "\n".join(now))]


def kept(values: Mapping[str, Any], old: AgreementVersion, new: AgreementVersion) -> dict[str, Any]:
    """Of what was entered for the old version, what still fits the new one."""
    before = {each.key: (each.kind, each.signer) for each in old.fields}
    after = {each.key: (each.kind, each.signer) for each in new.fields}
    return {key: value for key, value in values.items() if before.get(key) == after.get(key)}
