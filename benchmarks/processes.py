"""CPU that a child and its own children have used, from /proc (proc(5))."""

import os
import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Memory:
    """What one process holds, in bytes."""

    pid: int
    before: int

    @classmethod
    def of(cls, child: Child) -> "Memory":
        """Begins to watch it: the highest mark so far is forgotten (proc(5), clear_refs)."""
        Path(f"/proc/{child.pid}/clear_refs").write_text("5")
        return cls(child.pid, _held(child.pid, "VmRSS"))

    @property
    def growth(self) -> int:
        """How much more it held at any time since."""
        return max(0, _held(self.pid, "VmHWM") - self.before)


def _held(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
