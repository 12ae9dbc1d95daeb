"""The columns of whoever holds one place with one window: a signer's, and a member's editor."""

from datetime import datetime
from typing import Any

from domain.left_behind import Drafts, as_kept, drafts_in
from domain.window import Window, WindowEnd
from store.columns import instant
from store.sealed import SealedRow, sealed


class WindowRow(SealedRow):
    """What every table with a window has; `opened_at` is when its holder was given the place.

    `left_behind` are drafts of windows that had lost their place: shown, never merged (N8).
    """

    holder: str = ""
    fence: int = 0
    opened_at: datetime = instant()
    heard_at: datetime = instant()
    active_at: datetime = instant()
    end_reason: str | None = None

    left_behind = sealed("left_behind", list[dict[str, Any]]())

    @property
    def drafts(self) -> Drafts:
        """What was left behind, the oldest first, whichever release kept it."""
        return drafts_in(self.left_behind)

    @drafts.setter
    def drafts(self, drafts: Drafts) -> None:
        self.left_behind = as_kept(drafts)

    @property
    def window(self) -> Window:
        """The domain value of its window."""
        ended = WindowEnd(self.end_reason) if self.end_reason else None
        return Window(self.holder, self.fence, self.heard_at, self.active_at, ended)

    def hold(self, window: Window) -> None:
        """Writes the window down."""
        self.holder, self.fence = window.holder, window.fence
        self.heard_at, self.active_at = window.heard_at, window.active_at
        self.end_reason = window.ended
