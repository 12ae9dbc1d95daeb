"""The ways to sign in, and what each can do (EE-3, EE-8, EE-12, C9).

A mode is a value with capabilities, so that no rule asks for a mode by name: whether a lost session
is taken up again silently, whether several at once are a setting, whether one can log out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class SignInMode(StrEnum):
    """How a person proved who it is."""

    PASSWORD = "password"  # noqa: S105 - a mode, not a secret
    PASSKEY = "passkey"
    FEDERATED = "federated"
    BASIC = "basic"
    INTEGRATED = "integrated"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a mode can do.

    `reacquires`: after its end a new session comes without asking the person. `concurrency_locked`:
    why several sessions at once are always allowed; "" where that is a setting. `logs_out`: whether
    there is anything to log out of. `attempts_logged`: whether failed attempts are ours to see.
    """

    reacquires: bool
    concurrency_locked: str
    logs_out: bool
    attempts_logged: bool


ASKS = Capabilities(reacquires=False, concurrency_locked="", logs_out=True, attempts_logged=True)
MODES: Mapping[SignInMode, Capabilities] = {
    SignInMode.PASSWORD: ASKS,
    SignInMode.PASSKEY: ASKS,
    SignInMode.FEDERATED: ASKS,
    SignInMode.BASIC: Capabilities(
        reacquires=True,
        concurrency_locked="Clients come back by themselves, so that two of them would end each"
        " other's session with every request",
        logs_out=False,
        attempts_logged=True,
    ),
    SignInMode.INTEGRATED: Capabilities(
        reacquires=True,
        concurrency_locked="The reverse proxy signs the person in, whatever Gatepass ended before",
        logs_out=False,
        attempts_logged=False,
    ),
}


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """After `failures` wrong attempts in a row nobody signs in to the account for `lasts`."""

    failures: int
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Attempts:
    """The wrong attempts at one account since the last right one (SX-16)."""

    failures: int = 0
    locked_at: datetime | None = None

    def locked_until(self, policy: LockPolicy) -> datetime | None:
        """When the lock opens by itself; None while there is none."""
        return self.locked_at + policy.lasts if self.locked_at else None

    def is_locked(self, at: datetime, policy: LockPolicy) -> bool:
        """Whether nobody may sign in at `at`, not even with the right password."""
        until = self.locked_until(policy)
        return until is not None and at < until

    def failing(self, at: datetime, policy: LockPolicy) -> "Attempts":
        """One more wrong attempt while nothing is locked; the last that is allowed locks.

        After a lock that opened by itself the count begins anew.
        """
        failures = 1 if self.locked_at is not None else self.failures + 1
        return Attempts(failures, at if failures >= policy.failures else None)
