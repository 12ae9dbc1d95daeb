"""Pictures and films made of boxes (HEIC, MP4): the boxes are counted as they pass.

The outermost boxes follow one another from the first byte to the last, each with its size and a
name that such files have (ISO/IEC 14496-12, 4.2). So nothing can stand behind the last one that
another program would take for a page or an archive. What is in a box is not looked at.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from domain.file_kind import FileKind
from domain.upload import UploadReason, UploadRefused, refused

_HEADER, _LARGE_HEADER = 8, 16
_FIRST = b"ftyp"
_NEEDED = {FileKind.HEIC: frozenset([b"meta", b"moov"]), FileKind.MP4: frozenset([b"moov"])}
"""One of these says what is to be seen: a picture, or several in their time."""
_KNOWN = frozenset(
    [
        *(b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"uuid", b"udta"),
        # In fragments, and their indices.
        *(b"styp", b"sidx", b"ssix", b"moof", b"mfra", b"prft", b"emsg", b"pdin"),
        # What phones and cameras add: a film with the picture, a maker's notes.
        *(b"mpvd", b"sefd", b"meco", b"pnot"),
    ]
)


async def passing_boxes(
    kind: FileKind, chunks: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    """The same bytes; raises `UploadRefused` at the first box that is none, or at the end."""
    boxes = _Boxes()
    async for chunk in chunks:
        boxes.pass_by(chunk)
        yield chunk
    boxes.end(_NEEDED[kind])


@dataclass(slots=True)
class _Boxes:
    """Where a stream of boxes is."""

    names: frozenset[bytes] = frozenset()
    _header: bytes = b""
    _left: int = 0
    """Bytes of the present box that are still to come."""

    def pass_by(self, chunk: bytes) -> None:
        at = 0
        while at < len(chunk):
            if self._left:
                passed = min(self._left, len(chunk) - at)
                self._left -= passed
            else:
                passed = self._begin(chunk[at : at + _LARGE_HEADER])
            at += passed

    def end(self, needed: frozenset[bytes]) -> None:
        if self._left or self._header:
            raise _damaged("a box that is cut short")
        if not needed & self.names:
            raise _damaged("no box that says what is to be seen")

    def _begin(self, piece: bytes) -> int:
        """Takes what the header still lacks, and returns how much that was."""
        lacking = self._header_size - len(self._header)
        self._header += piece[:lacking]
        if len(self._header) == self._header_size:
            self._enter()
        return min(lacking, len(piece))

    @property
    def _header_size(self) -> int:
        return _LARGE_HEADER if self._header[:4] == b"\0\0\0\1" else _HEADER

    def _enter(self) -> None:
        length, name = len(self._header), self._header[4:8]
        stated = self._header[8:] or self._header[:4]
        self._left = int.from_bytes(stated, "big") - length
        # "To the end of the file" is a size, too (0): it would let anything follow.
        if self._left < 0 or name not in _KNOWN or (name == _FIRST) == bool(self.names):
            raise _damaged("bytes that are no box")
        self.names |= {name}
        self._header = b""


def _damaged(given: str) -> UploadRefused:
    return refused(UploadReason.DAMAGED, "known boxes from end to end", given)
