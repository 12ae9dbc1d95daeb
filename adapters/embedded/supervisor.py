"""Keeps a set of children running, and ends them together."""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.embedded.process import Child, ChildError, Program

_MOST_RESTARTS = 5
_RESTARTS_WITHIN = timedelta(minutes=1)

Say = Callable[[str], None]


@dataclass(slots=True)
class Supervisor:
    """The running children.

    `clients` can be restarted and are stopped first; `servers` hold state, and when one ends by
    itself everything does. `say` tells people what happens.
    """

    say: Say
    clients: list[tuple[Program, Child]] = field(default_factory=list)
    servers: list[Child] = field(default_factory=list)
    _restarted_at: deque[float] = field(default_factory=deque)

    def start(self, program: Program) -> Child:
        """Start a program that is started again when it ends."""
        child = program.start()
        self.clients.append((program, child))
        return child

    def check(self) -> None:
        """Restart clients that ended; raise `ChildError` for a server, or when it is too often."""
        for child in self.servers:
            if child.exit_code() is not None:
                raise ChildError(_obituary(child))
        self.clients = [self._alive(program, child) for program, child in self.clients]

    def stop(self, clients_within: timedelta, servers_within: timedelta) -> None:
        """Stop clients, then servers; who takes longer than its time is killed."""
        stop_together([child for _, child in self.clients], clients_within)
        stop_together(self.servers, servers_within)

    def _alive(self, program: Program, child: Child) -> tuple[Program, Child]:
        if child.exit_code() is None:
            return program, child
        self._count_restart(child)
        self.say(f"{_obituary(child)}\nStarting {child.name} again.")
        return program, program.start()

    def _count_restart(self, child: Child) -> None:
        now = time.monotonic()
        while self._restarted_at and now - self._restarted_at[0] > _RESTARTS_WITHIN.total_seconds():
            self._restarted_at.popleft()
        if len(self._restarted_at) >= _MOST_RESTARTS:
            raise ChildError(f"{_obituary(child)}\nThat was too often.")
        self._restarted_at.append(now)


def stop_together(children: Iterable[Child], within: timedelta) -> None:
    """Ask all of them at once, wait for each, kill who is left after `within`."""
    deadline = time.monotonic() + within.total_seconds()
    asked = list(children)
    for child in asked:
        child.ask_to_stop()
    for child in asked:
        left = deadline - time.monotonic()
        child.stop(timedelta(seconds=max(0.01, left)))


def _obituary(child: Child) -> str:
    code = child.exit_code() or 0
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"{child.name} ended by itself ({how}). The end of {child.log}:\n{child.tail()}"
