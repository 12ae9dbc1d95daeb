"""Children that never outlive their parent.

A child runs in a session of its own, so that Ctrl-C reaches the parent alone, and asks the kernel
for a signal at the parent's death (prctl(2), PR_SET_PDEATHSIG), so that `kill -9` of the parent
leaves nothing behind. The kernel sends it when the *thread* that started the child ends: start
children from the main thread.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_POLL = 0.02
_TAIL_BYTES = 16 * 1024


class ChildError(Exception):
    """A child ended or did not get ready; the text carries the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Child:
    """A running child: its name for people, its process and the file it logs to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals
    log_begins_at: int = 0

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the child's session and group."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """None while the child runs."""
        return self.process.poll()

    def tail(self, lines: int = 15) -> str:
        """The last lines of the child's log."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def has_said(self, words: str) -> bool:
        """Whether the child has logged these words since it was started."""
        with self.log.open("rb") as log:
            log.seek(self.log_begins_at)
            return words.encode() in log.read()

    def ask_to_stop(self) -> None:
        """Send the stop signal; a child that is gone is no error."""
        if self.exit_code() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self, within: timedelta = timedelta(seconds=10)) -> None:
        """Ask the child to stop; after `within`, kill it and everything in its session."""
        self.ask_to_stop()
        try:
            self.process.wait(within.total_seconds())
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: output is appended to the file `log`, the environment is ours by default.

    `account` is who it runs as (needs root), `death_signal` what it receives when we die.
    """

    name: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str] | None = None
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL

    def start(self) -> Child:
        """Run it as a child in a session of its own."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            log_begins_at = output.tell()
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environ,
                cwd=self.folder,
                start_new_session=True,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
                # Runs last in the child, after setuid, which would clear what it sets.
                preexec_fn=_die_with_parent(self.death_signal),  # noqa: PLW1509 - one main thread
            )
        return Child(self.name, process, self.log, self.stop_signal, log_begins_at)


def wait_until_ready(
    child: Child, ready: Callable[[], bool], within: timedelta = timedelta(seconds=30)
) -> None:
    """Return when `ready()` is true; raise `ChildError` when the child ends or time is up."""
    give_up = time.monotonic() + within.total_seconds()
    while not ready():
        if child.exit_code() is not None:
            raise ChildError(f"{child.name} ended at its start:\n{child.tail()}")
        if time.monotonic() > give_up:
            raise ChildError(f"{child.name} is not ready after {within}:\n{child.tail()}")
        time.sleep(_POLL)


def end_with_parent(death_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask for `death_signal` when this process's own parent dies; nothing off Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal))


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec; everything it needs is looked up before."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def die_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return die_with_parent
