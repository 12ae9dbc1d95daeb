"""What a signer's other windows had not saved, as the page shows it (C7, N8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.signing import Signing
from domain.left_behind import Entry, LeftBehind


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """One window's draft: what can be taken over, and what can only be copied."""

    id: str
    count: int
    kept_at: datetime | None
    entries: Sequence[Entry]
    unfit: Sequence[Entry]


def shown_drafts(found: Signing) -> list[ShownDraft]:
    """Each draft that is neither used nor let go, the oldest first."""
    return [_shown(each) for each in found.row.drafts] if found.row else []


def _shown(draft: LeftBehind) -> ShownDraft:
    kept_at = datetime.fromisoformat(draft.at) if draft.at else None
    return ShownDraft(draft.id, draft.count, kept_at, draft.entries, draft.unfit)


def left_behind_count(found: Signing) -> int:
    """How many fields other windows had not saved (N8)."""
    return sum(each.count for each in found.row.drafts) if found.row else 0


def newest_left_behind(found: Signing) -> str:
    """The id of the draft that came last: a page that shows another is behind."""
    return found.row.drafts[-1].id if found.row and found.row.drafts else ""
