"""What the process that parses may use of the machine (setrlimit(2))."""

import os
import resource
import signal

from adapters.embedded.process import end_with_parent

MOST_MEMORY = 1024 * 1024 * 1024
MOST_CPU_SECONDS = 30
_MOST_OPEN_FILES = 16
"""Python's own late imports need some; no file can be created or made longer anyway."""


def confine(parent: int) -> None:
    """Bind this process: memory, processor time, no files written, no children, no core dump.

    `parent` is the id of the process that started this one; when it is gone, this one ends.
    """
    end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("whoever started this check is gone")
    for kind, limit in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _MOST_OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _limit(kind, limit)


def _limit(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    # A second of grace: the soft limit's signal says why the process ended.
    grace = most + 1 if kind == resource.RLIMIT_CPU and most != hard else most
    resource.setrlimit(kind, (most, grace))
