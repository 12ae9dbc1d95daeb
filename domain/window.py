"""The one window in which a document may be filled, signed or edited (EX-9 to EX-17, C16).

A signing session and an editing session each have one holder at a time: a browser's window. Taking
over raises the fence, a counter that never resets; each write names it, so that what a window sent
before it lost its place is refused whenever it arrives (EX-21).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.agreement_errors import WindowHeld, WindowLost
from domain.binding import IdlePolicy

LONGEST_WINDOW = 64


class WindowEnd(StrEnum):
    """Why a window stopped being the one that may act (EX-12)."""

    QUIT = "quit"
    INACTIVE = "inactive"
    OPENED_ELSEWHERE = "opened_elsewhere"
    TAKEN_OVER = "taken_over"
    SESSION_ENDED = "session_ended"


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """When silence ends a window, and for how long one that is not heard of counts as open."""

    idle: IdlePolicy
    alive: timedelta


def beat_ms(alive: timedelta) -> int:
    """How often an open window tells that it is, in milliseconds: before it counts as closed."""
    return alive // timedelta(milliseconds=2)


@dataclass(frozen=True, slots=True)
class Place:
    """What a window says of itself with each write: its id and the fence it was given."""

    window: str
    fence: int


@dataclass(frozen=True, slots=True)
class Window:
    """The holder's place. `heard_at` is its last sign of life, `active_at` the person's.

    What the person does in any tab counts, until the place has ended (SX-3).
    `holder` is "" while no window has been opened. A page that is open tells so every few seconds;
    that alone keeps nobody from going idle (SX-3).
    """

    holder: str
    fence: int
    heard_at: datetime
    active_at: datetime
    ended: WindowEnd | None = None

    def idles_out_at(self, policy: WindowPolicy) -> datetime:
        """When the person's silence ends the place."""
        return self.active_at + policy.idle.whole

    def warns_at(self, policy: WindowPolicy) -> datetime:
        """When the person is asked whether they are still there."""
        return self.active_at + policy.idle.idle

    def end_at(self, at: datetime, policy: WindowPolicy) -> WindowEnd | None:
        """Why the holder may not act at `at`; None while it may."""
        if self.ended is not None:
            return self.ended
        return WindowEnd.INACTIVE if at >= self.idles_out_at(policy) else None

    def is_alive(self, at: datetime, policy: WindowPolicy) -> bool:
        """Whether somebody is in the holder's window now: only then is there a conflict (C16)."""
        is_open = self.holder != "" and self.end_at(at, policy) is None
        return is_open and at < self.heard_at + policy.alive

    def opened_in(
        self, window: str, at: datetime, policy: WindowPolicy, *, take_over: bool = False
    ) -> "Window":
        """The place as a window that is opened has it: another holder under the next fence.

        Raises `WindowHeld` while another window is open (EX-9, EX-15), unless it is told to take
        over: *Open Here* or *Edit Anyway*.
        """
        if self.holder == window and self.end_at(at, policy) is None:
            return replace(self, heard_at=at, active_at=at)
        if self.holder != window and not take_over and self.is_alive(at, policy):
            raise WindowHeld(self.heard_at)
        return Window(window, self.fence + 1, at, at)

    def refuses(self, place: Place, at: datetime, policy: WindowPolicy) -> WindowLost | None:
        """Why a write from this place is refused: another window, an old fence, idle."""
        if place.window != self.holder or place.fence != self.fence:
            return WindowLost(WindowEnd.OPENED_ELSEWHERE)
        reason = self.end_at(at, policy)
        return WindowLost(reason) if reason else None

    def refuses_page(self, window: str, at: datetime, policy: WindowPolicy) -> WindowLost | None:
        """Why the page of a window that was opened is not shown again: it has lost its place.

        Loading it anew is no way back (EX-14); the page that opens a window is of none: "".
        """
        if not window or not self.holder:
            return None
        return self.refuses(Place(window, self.fence), at, policy)

    def heard(self, at: datetime, *, active: bool) -> "Window":
        """The place after a sign of life, or after something that the person did."""
        return replace(self, heard_at=at, active_at=at if active else self.active_at)

    def left(self, at: datetime, policy: WindowPolicy) -> "Window":
        """The place of a window that was closed: whoever comes next is asked nothing (SX-6)."""
        return replace(self, heard_at=at - policy.alive)
