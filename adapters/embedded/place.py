"""Where embedded PostgreSQL keeps its cluster, and who it runs as.

PostgreSQL refuses to run as root, and an unprivileged account cannot reach data or programs in
root's private folders. Then both live in a folder of that account's own, and a pointer file says
so; no existing folder's mode is ever changed.
"""

import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.process import Account

_PUBLIC_PARENT = Path("/var/tmp")  # noqa: S108 - survives a restart; the folder in it is private
_ACCOUNT = "nobody"
_POINTER = "LOCATION"
_EXPLANATION = (
    "PostgreSQL does not run as root. Its cluster is in the folder named above,\n"
    f"owned by the account '{_ACCOUNT}'. Delete both together.\n"
)


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a cluster, the programs that serve it, and the account if not our own."""

    root: Path
    bin: Path
    account: Account | None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "cluster"

    def write(self, path: Path, text: str) -> None:
        """Write a private file that the server's account can read."""
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)

    def remove(self) -> None:
        """Delete the cluster of a stopped server."""
        shutil.rmtree(self.root)


def place_for(folder: Path, installation: Path) -> Place:
    """The place of the cluster of `folder`, made when new.

    `installation` is the folder that holds PostgreSQL's `bin`, `lib` and `share`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() != 0:
        return Place(folder, installation / "bin", None)
    known = pwd.getpwnam(_ACCOUNT)
    account = Account(known.pw_uid, known.pw_gid)
    root = _location(folder / _POINTER, account)
    programs = installation if _reachable(installation) else _copied(installation, root)
    return Place(root, programs / "bin", account)


def _location(pointer: Path, account: Account) -> Path:
    """The folder that `pointer` names, made when it is new or gone.

    Its name is random: a guessable one in a folder that everybody writes to could be taken by
    somebody else first, and a deleted data folder must not find its predecessor's cluster.
    """
    if pointer.exists():
        root = Path(pointer.read_text().splitlines()[0])
        if root.is_dir():
            return root
    root = Path(tempfile.mkdtemp(prefix="gatepass-", dir=_PUBLIC_PARENT))
    os.chown(root, account.uid, account.gid)
    pointer.write_text(f"{root}\n\n{_EXPLANATION}")
    return root


def _reachable(installation: Path) -> bool:
    """Whether every account may walk to `installation`."""
    path = installation.resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents))


def _copied(installation: Path, root: Path) -> Path:
    """A copy of the programs in `root`, beside the libraries they look for.

    Whole or not at all, and made anew when the wheel's version changes.
    """
    package = installation.parent
    version = str((installation / "bin/postgres").stat().st_mtime_ns)
    copy = root / f"server-{version}"
    if not copy.exists():
        unfinished = root / "server.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        for each in (package / installation.name, package.with_name(package.name + ".libs")):
            target = unfinished / each.relative_to(package.parent)
            shutil.copytree(each, target, ignore=shutil.ignore_patterns("include", "*.a"))
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name / installation.name
