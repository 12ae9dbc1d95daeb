"""What windows had not saved when they lost their place: kept apart, each its own (C7, N8).

Nothing of it is merged and nothing is overwritten: every draft stays until somebody uses it or
lets it go. Only `MOST_DRAFTS` are kept; the oldest of more is let go, and that is audited.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_DRAFTS = 10
LONGEST_TEXT = 10_000
"""Of one text that does not fit its field; no page of ours lets anybody type as much."""
DRAWN, TICKED = "✎", "✓"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered into one field, to be read and copied; its label as it was shown."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """One window's draft. `content` can be used: a signer's values, or an editor's changes.

    `unfit` is what no field takes, or takes no more: it can only be copied.

    `id` is another one each time the window saves, so that nobody lets go what they were not
    shown. `at` is RFC 3339; `member` is the editor's, "" for a signer's.
    """

    id: str
    window: str
    fence: int
    at: str
    content: Mapping[str, Any]
    unfit: tuple[Entry, ...] = ()
    member: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of a signer's fields in `content`, which may be gone by the time it is looked at."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "LeftBehind":
        """The value of what was kept; a release before kept neither window nor id."""
        return cls(
            id=raw.get("id", "first"),
            window=raw.get("window", ""),
            fence=raw.get("fence", 0),
            at=raw.get("at", ""),
            content=raw.get("content") or raw.get("values") or raw.get("changes") or {},
            unfit=tuple(Entry(**each) for each in raw.get("unfit", ())),
            member=raw.get("member", ""),
            labels=raw.get("labels", {}),
        )

    @property
    def origin(self) -> tuple[str, int, str]:
        """Which window it is of, from which time that it had the place."""
        return self.window, self.fence, self.member

    @property
    def entries(self) -> tuple[Entry, ...]:
        """A signer's values as text, by the labels of their fields."""
        return entries_in(
            {each: self.labels.get(each, each) for each in self.content}, self.content
        )

    @property
    def count(self) -> int:
        """How many fields are in it."""
        return len(self.content) + len(self.unfit)


Drafts = tuple[LeftBehind, ...]


def drafts_in(kept: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Drafts:
    """The drafts of a row, the oldest first; a release before kept one, in no list."""
    if isinstance(kept, Mapping):
        return (LeftBehind.of(kept),) if kept else ()
    return tuple(LeftBehind.of(each) for each in kept)


def as_kept(drafts: Drafts) -> list[dict[str, Any]]:
    """The drafts as JSON."""
    return [asdict(each) for each in drafts]


def draft_of(drafts: Drafts, draft_id: str) -> LeftBehind | None:
    """The draft of this id; None for one that was used, let go, or saved anew."""
    return next((each for each in drafts if each.id == draft_id), None)


def without(drafts: Drafts, draft_id: str) -> Drafts:
    """All but the draft of this id."""
    return tuple(each for each in drafts if each.id != draft_id)


def others(drafts: Drafts, own: LeftBehind) -> Drafts:
    """All but what the same window, at the same time that it had the place, left behind."""
    return tuple(each for each in drafts if each.origin != own.origin)


def with_draft(drafts: Drafts, new: LeftBehind) -> tuple[Drafts, Drafts]:
    """The drafts with a new one, which replaces its own window's; and those that are too many."""
    whole = (*others(drafts, new), new)
    return whole[-MOST_DRAFTS:], whole[:-MOST_DRAFTS]


def text_of(value: Any) -> str:
    """What was entered, as text; a drawing and a tick as a sign, and what is none as ""."""
    if isinstance(value, Mapping):
        is_drawn = isinstance(value.get("strokes"), list) and bool(value["strokes"])
        return DRAWN if is_drawn else text_of(value.get("typed", ""))
    if value is True:
        return TICKED
    return value.strip()[:LONGEST_TEXT] if isinstance(value, str) else ""


def entries_in(
    labels: Mapping[str, str], values: Mapping[str, Any], fits: Collection[str] = ()
) -> tuple[Entry, ...]:
    """These values as text, without those that fit; `labels` are the fields', by key."""
    found = [
        Entry(label, text_of(values[key]))
        for key, label in labels.items()
        if key in values and key not in fits
    ]
    return tuple(each for each in found if each.text)
