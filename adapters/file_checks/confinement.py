"""What the process that parses may use of the machine: limits, no files, hardly a system call."""

import os
import resource
import signal
import sys

from adapters.embedded.process import end_with_parent
from adapters.file_checks.landlock import deny_access, landlock_version
from adapters.file_checks.seccomp import deny_calls, knows_seccomp
from adapters.linux import prctl

MOST_MEMORY = 1024 * 1024 * 1024
MOST_CPU_SECONDS = 30
_MOST_OPEN_FILES = 16
_SET_NO_NEW_PRIVS = 38


def missing_confinement() -> tuple[str, ...]:
    """What this machine lacks of what `confine` uses, for whoever should know."""
    found = {
        "landlock": sys.platform == "linux" and landlock_version() > 0,
        "seccomp": sys.platform == "linux" and knows_seccomp(),
    }
    return tuple(name for name, is_there in found.items() if not is_there)


def confine(parent: int) -> None:
    """Bind this process for ever: what is open can be read and written, and memory be used.

    No file can be opened, no connection made, no process started, traced or signalled, and nothing
    imported that is not loaded. `parent` is the id of the process that started this one; when it
    is gone, this one ends. Raises `OSError` when the kernel has a bound and refuses to set it.
    """
    _limit_resources(parent)
    missing = missing_confinement()
    if sys.platform == "linux":
        prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if "landlock" not in missing:
        deny_access(landlock_version())
    if "seccomp" not in missing:
        deny_calls()


def _limit_resources(parent: int) -> None:
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
