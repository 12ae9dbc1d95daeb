"""Where signed heads of the audit log are kept outside this house: a folder or a bucket (N10).

Each is one file that is written once, its name made of the log, the size and the root. So whoever
writes it a second time changes nothing, and two heads of one size both stay to be seen. Writing is
all that this asks of the place: neither reading nor listing nor deleting need be allowed there.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import UUID

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from adapters.object_folder import flush
from adapters.objects import BUCKETS, RETRY

if TYPE_CHECKING:
    from obstore.store import ObjectStore as AnyStore

ROOT_SHOWN = 8
"""Bytes of the root in a name; only whoever signs could make two that are alike."""


class WitnessAway(Exception):
    """The place cannot be reached, refuses us or is full; trying again later may help."""


def name_of(workspace_id: UUID, size: int, root: bytes) -> str:
    """A head's place: a folder for each log, in which names sort by size."""
    return f"{workspace_id}/{size:020}-{root[:ROOT_SHOWN].hex()}.txt"


@dataclass(frozen=True, slots=True)
class Witness:
    """A folder or a bucket that keeps heads; made by `Witness.at`."""

    _bucket: "AnyStore | None" = field(repr=False)
    _folder: Path

    @classmethod
    def at(cls, place: str) -> "Witness":
        """The place at a folder's path, or at a `file://`, `s3://`, `gs://` or `az://` address.

        Nothing is asked of it yet. Credentials and endpoints of buckets come from the environment,
        as those of the object store do. Raises `ValueError` for an address of another kind.
        """
        address = urlsplit(place)
        if "://" not in place or address.scheme == "file":
            return cls(None, Path(url2pathname(address.path) if address.scheme else place))
        if address.scheme not in BUCKETS:
            raise ValueError(f"heads are kept in a folder, s3, gs or az, not {address.scheme}")
        try:
            return cls(from_url(place, retry_config=RETRY), Path())
        except BaseError as error:
            raise ValueError(f"this is no address of a bucket: {_first_line(error)}") from error

    async def keep(self, name: str, note: str) -> None:
        """Keeps a note for good; one that is there already stays. Raises `WitnessAway`."""
        with _reaching():
            if self._bucket is None:
                await asyncio.to_thread(_write, self._folder / name, note)
            else:
                await obstore.put_async(self._bucket, name, note.encode(), mode="create")


def _write(path: Path, note: str) -> None:
    """Whole or not at all, and on the disk when this returns."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        staged.write_text(note, encoding="utf-8", newline="")
        flush(staged)
        # What another process wrote meanwhile is the same: the name says what is in it.
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    flush(path.parent)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (AlreadyExistsError, FileExistsError):
        return
    except (BaseError, OSError) as error:
        raise WitnessAway(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
