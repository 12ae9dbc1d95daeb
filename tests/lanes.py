"""`python -m tests.lanes`: every room of tests, in two lanes beside each other, one for each core.

Each lane takes the next part when it is done with one. The longest are taken first, so that both
end together.

Coverage is measured, by `tests.probes`, where rules are tested one by one: not in the end-to-end
tests, whose programs would all have to measure themselves, nor in those that do one thing very
often. What a part says is printed as it ends; the exit status is 1 if any part failed.

The interpreter can, rarely, hang while a traced thread ends, where not even a test's own timeout is
heard any more. Only programs that tests start are traced still; a part that is silent for longer
than any test may take is run once more.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests import probes

PLAIN = ("-m", "pytest")
MEASURED = (*PLAIN, "-p", "tests.probes")
LANES = 2
API_PARTS = 3
FRAGILE = "fragile_office"
"""What tests are given whose house may be broken: it need not run beside the other one for long."""
LOOKED_AT_EVERY = 0.5
SILENT_FOR = 300.0
"""Seconds; no test may take longer than 240."""


@dataclass(slots=True)
class Lane:
    """One part after the other, each with a log of its own; what waits is for all lanes."""

    waiting: deque[tuple[str, ...]]
    again: set[tuple[str, ...]]
    failed: bool = False
    part: tuple[str, ...] = ()
    running: "subprocess.Popen[bytes] | None" = None
    log: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    written: int = 0
    written_at: float = 0.0

    def look(self) -> bool:
        """Prints what ended and starts what comes next; whether there is anything left."""
        if self.running is not None:
            if self.running.poll() is None and not self._is_silent():
                return True
            self._end()
        self.running = self._started() if self.waiting else None
        return self.running is not None

    def _is_silent(self) -> bool:
        size = os.fstat(self.log.fileno()).st_size
        if size != self.written:
            self.written, self.written_at = size, time.monotonic()
        return time.monotonic() - self.written_at > SILENT_FOR

    def _end(self) -> None:
        hangs = self.stop()
        if hangs and self.part not in self.again:
            self.again.add(self.part)
            self.waiting.appendleft(self.part)
            sys.stdout.write(f"\nSilent for {SILENT_FOR:.0f} s, so it is run once more.\n")
        else:
            self.failed |= hangs or self.running is None or self.running.returncode != 0

    def _started(self) -> "subprocess.Popen[bytes]":
        self.part = self.waiting.popleft()
        self.log.seek(0)
        self.log.truncate()
        self.written, self.written_at = 0, time.monotonic()
        # A session of its own: Ctrl-C comes to us alone, who then end it.
        return subprocess.Popen(
            [sys.executable, *self.part], stdout=self.log, stderr=self.log, start_new_session=True
        )

    def stop(self) -> bool:
        """Ends what is under way, and all that it started, and prints it; whether it had to."""
        if self.running is None:
            return False
        had_to = self.running.poll() is None
        if had_to:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
        self.log.seek(0)
        sys.stdout.write(self.log.read().decode(errors="replace"))
        sys.stdout.flush()
        return had_to


def parts() -> Iterator[tuple[str, ...]]:
    """Every test once, the longest first."""
    ends = sorted(Path("tests/e2e").rglob("test_*.py"))
    fragile = [each for each in ends if FRAGILE in each.read_text()]
    yield (*PLAIN, *(str(each) for each in ends if each not in fragile))
    yield (*MEASURED, "tests/store", "-m", "not load")
    yield (*PLAIN, "tests", "--ignore", "tests/e2e", "-m", "load")
    yield (*PLAIN, *map(str, fragile))
    yield (*MEASURED, "tests/architecture", "tests/unit", "-m", "not load")
    files = sorted(map(str, Path("tests/api").rglob("test_*.py")))
    for each in range(API_PARTS):
        yield (*MEASURED, *files[each::API_PARTS], "-m", "not load")
    yield (*MEASURED, "tests/workflows", "tests/replay")


def main() -> int:
    """Runs all lanes to their ends, then says what was measured; nothing is left running."""
    os.chdir(Path(__file__).resolve().parents[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="probes-") as folder:
        os.environ[probes.FOLDER] = folder
        failed = _run_all()
        probes.write_coverage(Path(folder))
    return int(failed)


def _run_all() -> bool:
    """Whether any part failed."""
    waiting, again = deque(parts()), set[tuple[str, ...]]()
    lanes = [Lane(waiting, again) for _ in range(LANES)]
    try:
        going = lanes
        while going:
            time.sleep(LOOKED_AT_EVERY)
            # Each is looked at: none may wait for another.
            going = [each for each in lanes if each.look()]
    finally:
        for each in lanes:
            if each.running is not None:
                each.stop()
    return any(each.failed for each in lanes)


if __name__ == "__main__":
    sys.exit(main())
