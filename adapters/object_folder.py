"""What a folder needs to be an object store that keeps its word when the power fails.

obstore writes files without flushing them to the disk, and a stream of it replaces what already has
the name; here a written file is flushed and then given its name, which fails if the name is taken.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

STAGING = "staging"
"""Where files are written before they have their name; what is hours old in it was given up."""


def prepare(folder: Path) -> None:
    """Makes the folder for its owner's eyes alone, unless it is there; raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / STAGING).mkdir(mode=0o700, exist_ok=True)


def flush_begun(folder: Path, staged: str) -> None:
    """Flushes what is written so far of a staged file, which may not have its whole name yet."""
    for each in (folder / STAGING).glob(f"{Path(staged).name}*"):
        flush(each)


def publish(folder: Path, staged: str, name: str) -> None:
    """Flushes a staged file and gives it its name, both for good.

    Raises `FileExistsError` when the name is taken and `OSError` when the disk fails.
    """
    source, target = folder / staged, folder / name
    source.chmod(0o600)
    flush(source)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    # A link never replaces a file, as a rename would.
    target.hardlink_to(source)
    source.unlink()
    flush(target.parent)
    flush(folder)


def flush_named(path: Path) -> None:
    """Flushes a file that has its name, and the two folders that lead to it."""
    for each in (path, path.parent, path.parent.parent):
        flush(each)


def discard(folder: Path, staged: str) -> None:
    """Removes a staged file, if it is there."""
    (folder / staged).unlink(missing_ok=True)


def listed(folder: Path, after: str, most: int) -> list[tuple[str, datetime]]:
    """The next files behind a name, in the order of their names, and when each was last written."""
    names = islice(_names_after(folder, after), most)
    return [(each, _written_at(folder / each)) for each in names]


def _names_after(folder: Path, after: str) -> Iterator[str]:
    """Folder by folder, so that no more than one of them is held."""
    begun = after.partition("/")[0]
    for inner in sorted(each for each in folder.iterdir() if each.is_dir()):
        if inner.name >= begun and inner.name != STAGING:
            names = (f"{inner.name}/{each.name}" for each in inner.iterdir())
            yield from sorted(each for each in names if each > after)


def sweep(folder: Path, before: datetime) -> int:
    """Removes staged files last written before a moment; returns how many."""
    old = [each for each in (folder / STAGING).iterdir() if _written_at(each) < before]
    for each in old:
        each.unlink(missing_ok=True)
    return len(old)


def _written_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        # It was given its name, or removed, since the folder was listed.
        return datetime.max.replace(tzinfo=UTC)


def flush(path: Path) -> None:
    """Has the disk keep what is written of a file, or the names in a folder; raises `OSError`."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
