"""ZIP archives written as they are sent: nothing is kept, neither in memory nor on a disk.

The files are stored as they are, each with its sizes and checksum behind it (PKWARE APPNOTE 4.3.9),
because these are known only then.
"""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import IO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from typing_extensions import override


class _Outlet(io.RawIOBase):
    """What the archive is written to: it cannot go back, and is emptied by whoever sends it."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, piece: object) -> int:
        view = memoryview(piece)  # type: ignore[arg-type]  # any buffer, as typeshed has it
        self.waiting += view
        return view.nbytes


class ZipStream:
    """One archive; whatever is written to it is to be taken and sent before more is."""

    def __init__(self, outlet: _Outlet, archive: ZipFile, at: datetime) -> None:
        """Made by `ZipStream.begun`."""
        self._outlet = outlet
        self._archive = archive
        self._at = at

    @classmethod
    @contextmanager
    def begun(cls, at: datetime) -> Iterator["ZipStream"]:
        """An archive whose files are of this moment; its end is to be taken once this is over."""
        outlet = _Outlet()
        with ZipFile(outlet, "w", ZIP_STORED) as archive:
            yield cls(outlet, archive, at)

    def file(self, name: str, size: int = 0) -> AbstractContextManager[IO[bytes]]:
        """A file to write to, of about this many bytes; the next one begins when it is closed."""
        described = ZipInfo(name, self._at.timetuple()[:6])
        described.file_size = size
        return self._archive.open(described, "w")

    def taken(self) -> bytes:
        """What has been written since it was taken last."""
        piece = bytes(self._outlet.waiting)
        self._outlet.waiting.clear()
        return piece
