"""The columns of whoever holds one place with one window: a signer's, and a member's editor."""

from datetime import datetime

from domain.window import Window, WindowEnd
from store.columns import instant
from store.sealed import SealedRow


class WindowRow(SealedRow):
    """What every table with a window has; `opened_at` is when its holder was given the place."""

    holder: str = ""
    fence: int = 0
    opened_at: datetime = instant()
    heard_at: datetime = instant()
    active_at: datetime = instant()
    end_reason: str | None = None

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
