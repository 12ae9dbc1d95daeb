"""Reads files from a request as they come, in pieces: never whole in memory, never on the disk.

FastAPI's own `UploadFile` lays what it reads into a temporary file, in clear. Here a piece is read
from the socket only when the one before it was taken, so a slow reader slows the sender down.

Sources: RFC 7578 (multipart/form-data), WHATWG HTML "multipart/form-data encoding algorithm".
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import unquote

from fastapi import HTTPException, Request
from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect
from typing_extensions import override

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MULTIPART = b"multipart/form-data"
STALL = timedelta(seconds=30)
"""How long a sender may send nothing at all."""
MOST_PARTS = 100
LONGEST_FIELD = 1024
LONGEST_EPILOGUE = 64 * 1024
ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""What browsers escape in names and in nothing else: a `%` itself stays as it is."""
UTF_8_NAME = re.compile(r";\s*filename\*=utf-8''([^;\s]+)", re.IGNORECASE)


async def raw_chunks(
    request: Request, *, most_bytes: int, stall: timedelta = STALL
) -> AsyncGenerator[bytes]:
    """The body of a request in the pieces it comes in.

    Raises `HTTPException`: 400 when the body ends before what was announced, 408 when nothing comes
    for `stall`, 413 as soon as there are more than `most_bytes`.
    """
    size, stream = 0, request.stream()
    while (chunk := await _next_of(stream, stall)) is not None:
        size += len(chunk)
        if size > most_bytes:
            raise HTTPException(413, f"A body may have {most_bytes} bytes at most.")
        if chunk:
            yield chunk
    announced = request.headers.get("content-length", "")
    # Compared as text: digits may be none that `int` reads, or thousands of them.
    if announced.isdigit() and announced.lstrip("0") != str(size or ""):
        raise _ended_early()


async def _next_of(stream: AsyncIterator[bytes], stall: timedelta) -> bytes | None:
    try:
        async with asyncio.timeout(stall.total_seconds()):
            return await anext(stream, None)
    except TimeoutError as error:
        raise HTTPException(408, "Nothing came for too long.") from error
    except ClientDisconnect as error:
        raise _ended_early() from error


def _ended_early() -> HTTPException:
    return HTTPException(400, "The body ended too early.")


def _unreadable(why: str) -> HTTPException:
    return HTTPException(400, f"The form cannot be read: {why}.")


# The parts of a form.


class _Mark(Enum):
    PART_ENDS = 1


@dataclass(frozen=True, slots=True)
class _Heading:
    name: str
    file_name: str | None


_Piece: TypeAlias = _Heading | bytes | _Mark


class Chunks(AsyncIterator[bytes]):
    """The bytes of one part, once, in the pieces they come in."""

    def __init__(self, pieces: AsyncIterator[_Piece], most_bytes: int | None) -> None:
        """Takes all pieces from this part on; `most_bytes` is None for as many as there are."""
        self._pieces = pieces
        self._left = most_bytes
        self._is_over = False

    @override
    async def __anext__(self) -> bytes:
        """The next piece; raises `HTTPException` as `parts_of` does."""
        # The default: a body that failed before must not look like a part that came to its end.
        piece = _Mark.PART_ENDS if self._is_over else await anext(self._pieces, None)
        if piece is None:
            raise _ended_early()
        if not isinstance(piece, bytes):
            self._is_over = True
            raise StopAsyncIteration
        self._count(len(piece))
        return piece

    def _count(self, size: int) -> None:
        if self._left is None:
            return
        self._left -= size
        if self._left < 0:
            raise HTTPException(413, f"A field may have {LONGEST_FIELD} bytes at most.")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a field, or a file, whose name is "" where none was chosen."""

    name: str
    file_name: str | None
    chunks: Chunks

    @property
    def is_file(self) -> bool:
        """Whether this came from a file input."""
        return self.file_name is not None

    async def text(self) -> str:
        """A field's value; raises `HTTPException` 400 where it is no UTF-8."""
        try:
            return b"".join([each async for each in self.chunks]).decode()
        except UnicodeDecodeError as error:
            raise _unreadable("a field is not UTF-8") from error


async def parts_of(
    request: Request,
    *,
    most_bytes: int,
    most_parts: int = MOST_PARTS,
    stall: timedelta = STALL,
) -> AsyncGenerator[Part]:
    """The parts of a multipart form in their order, each to be read before the next one is asked.

    What is left of a part is skipped. `most_bytes` bounds the whole body, fields and borders
    included; one file is bounded by who reads it. The form is whole only when this has come to its
    end. Raises `HTTPException`: 400 for what is no whole form, 408 when nothing comes for `stall`,
    413 for more bytes or parts, or a longer field, than allowed, 415 for another content type.
    """
    boundary = _boundary_of(request)
    pieces = _pieces_of(raw_chunks(request, most_bytes=most_bytes, stall=stall), boundary)
    found = 0
    async for heading in pieces:
        found += 1
        if found > most_parts:
            raise HTTPException(413, f"A form may have {most_parts} parts at most.")
        # Between two parts there is nothing but a heading: `Chunks` reads up to the part's end.
        part = _part_of(cast("_Heading", heading), pieces)
        yield part
        async for _ in part.chunks:
            pass


def _part_of(heading: _Heading, pieces: AsyncIterator[_Piece]) -> Part:
    most = LONGEST_FIELD if heading.file_name is None else None
    return Part(heading.name, heading.file_name, Chunks(pieces, most))


def _boundary_of(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != MULTIPART:
        raise HTTPException(415)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise _unreadable("it names no boundary")
    return boundary


async def _pieces_of(chunks: AsyncIterator[bytes], boundary: bytes) -> AsyncGenerator[_Piece]:
    """Headings, bytes and ends of parts; a piece of the body is parsed when all before is taken."""
    found = _Found()
    parser = _parser(boundary, found)
    behind = 0
    async for chunk in chunks:
        behind += len(chunk) if found.is_whole else 0
        if behind > LONGEST_EPILOGUE:
            raise _unreadable("too much follows its end")
        _parse(parser, chunk)
        while found.pieces:
            yield found.pieces.popleft()
    if not found.is_whole:
        raise _ended_early()


def _parser(boundary: bytes, found: "_Found") -> MultipartParser:
    try:
        return MultipartParser(boundary, found.callbacks())
    except FormParserError as error:
        raise _unreadable("its boundary is too long") from error


def _parse(parser: MultipartParser, chunk: bytes) -> None:
    try:
        parser.write(chunk)
    except MultipartParseError as error:
        raise _unreadable("its parts are malformed") from error


@dataclass(slots=True)
class _Found:
    """What the parser has found and nobody has taken yet: never more than one piece of the body."""

    pieces: deque[_Piece] = field(default_factory=deque)
    is_whole: bool = False
    _headers: list[tuple[bytearray, bytearray]] = field(default_factory=list)

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self._headers.clear,
            "on_header_begin": lambda: self._headers.append((bytearray(), bytearray())),
            "on_header_field": lambda data, start, end: self._headers[-1][0].extend(
                data[start:end]
            ),
            "on_header_value": lambda data, start, end: self._headers[-1][1].extend(
                data[start:end]
            ),
            "on_headers_finished": self._begin,
            "on_part_data": lambda data, start, end: self.pieces.append(data[start:end]),
            "on_part_end": lambda: self.pieces.append(_Mark.PART_ENDS),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self.pieces.append(_heading_of(self._headers))

    def _end(self) -> None:
        self.is_whole = True


def _heading_of(headers: list[tuple[bytearray, bytearray]]) -> _Heading:
    values = {bytes(name).lower(): bytes(value) for name, value in headers}
    disposition = values.get(b"content-disposition", b"")
    kind, options = parse_options_header(disposition.decode("latin-1"))
    if kind != b"form-data" or b"name" not in options:
        raise _unreadable("a part has no name")
    return _Heading(_read_name(options[b"name"]), _file_name(options, disposition))


def _file_name(options: dict[bytes, bytes], disposition: bytes) -> str | None:
    """The name in UTF-8, as browsers send it, or as older programs encode it (RFC 2231)."""
    if b"filename" in options:
        return _read_name(options[b"filename"])
    encoded = UTF_8_NAME.search(disposition.decode("latin-1"))
    return unquote(encoded[1], errors="replace") if encoded else None


def _read_name(raw: bytes) -> str:
    # A name in another encoding is shown with marks in place of what cannot be read, not refused.
    text = raw.decode("utf-8", errors="replace")
    for escape, meant in ESCAPED.items():
        text = text.replace(escape, meant)
    return text
