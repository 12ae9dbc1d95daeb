"""CPU that a child and its own children have used, from /proc (proc(5))."""

import os
from pathlib import Path

from adapters.embedded.process import Child

TICK = os.sysconf("SC_CLK_TCK")
PARENT, USER_TIME, SYSTEM_TIME = 1, 11, 12
"""Places in /proc/<pid>/stat behind the command's name."""


def cpu_seconds(children: dict[str, Child]) -> dict[str, float]:
    """User and system time of each child until now; nothing where there is no /proc."""
    names = {child.pid: name for name, child in children.items()}
    used = dict.fromkeys(children, 0.0)
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(path)
        own = names.get(int(path.parent.name))
        name = own or names.get(int(fields[PARENT])) if fields else None
        if name:
            used[name] += (int(fields[USER_TIME]) + int(fields[SYSTEM_TIME])) / TICK
    return used


def _fields(path: Path) -> list[str]:
    try:
        return path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
