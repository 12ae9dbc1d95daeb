"""One-time codes: how long they live, how often they may be tried and mailed (C11 to C14).

A code confirms that the person reads the party's mailbox; it is not an authenticator
(NIST SP 800-63B-4, 3.1.3.1). Its digits are derived from the root key and a counter elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

RESENT_UNTIL = 2 / 3
"""The part of a code's life in which asking again sends the same code (C13)."""


MAIL_WINDOW = timedelta(days=1)
"""How far back mails are counted."""


class CodePurpose(StrEnum):
    """What a code is good for, and nothing else."""

    DOOR = "door"
    SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class CodeUse:
    """What a code was asked for: to come in, or to sign one task from one browser's place."""

    purpose: CodePurpose = CodePurpose.DOOR
    task_id: UUID | None = None
    binding_id: UUID | None = None


TO_COME_IN = CodeUse()


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """The limits of codes, from the settings."""

    life: timedelta
    tries_per_browser: int
    tries_per_code: int
    failures_per_party: int


@dataclass(frozen=True, slots=True)
class Code:
    """One code as its row says: `tries` from all browsers, `tries_here` from the asking one."""

    counter: int
    created_at: datetime
    expires_at: datetime
    tries: int = 0
    tries_here: int = 0
    consumed: bool = False

    def may_be_tried(self, at: datetime, policy: CodePolicy) -> bool:
        """Whether another try from this browser would be judged."""
        return (
            not self.consumed
            and at < self.expires_at
            and self.tries < policy.tries_per_code
            and self.tries_here < policy.tries_per_browser
        )

    def is_sent_again(self, at: datetime, policy: CodePolicy) -> bool:
        """Whether asking now sends this code once more instead of a new one (C13)."""
        young = at < self.created_at + (self.expires_at - self.created_at) * RESENT_UNTIL
        return young and self.may_be_tried(at, policy)

    def tries_left(self, policy: CodePolicy) -> int:
        """How many further tries this browser has."""
        return max(
            0,
            min(
                policy.tries_per_browser - self.tries_here,
                policy.tries_per_code - self.tries,
            ),
        )


@dataclass(frozen=True, slots=True)
class MailAllowance:
    """How many mails of codes one address may get."""

    interval: timedelta
    per_hour: int
    per_day: int

    def next_at(
        self, sent: Sequence[datetime], at: datetime, here: Sequence[datetime] | None = None
    ) -> datetime:
        """The moment from which another mail may go out; not after `at` when it may now.

        `sent` are the times of the earlier mails to this address, `here` those that the interval is
        counted from where they are fewer: who has just finished one session may begin the next.
        """
        latest = sorted(sent, reverse=True)
        before = latest if here is None else here
        waits = [at, *(each + self.interval for each in before)]
        if len(latest) >= self.per_hour:
            waits.append(latest[self.per_hour - 1] + timedelta(hours=1))
        if len(latest) >= self.per_day:
            waits.append(latest[self.per_day - 1] + timedelta(days=1))
        return max(waits)
