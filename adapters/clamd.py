"""Asks ClamAV's daemon about a stream of bytes, by its command INSTREAM (clamd(8)).

Its client is an optional package (`gatepass[antivirus]`): this module is imported where an address
of a daemon is configured, and nowhere else.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

from aioclamd import (  # type: ignore[import-untyped]  # it has no types
    BufferTooLongError,
    ClamdAsyncClient,
)
from typing_extensions import override

from adapters.virus_scan import ScanFailed, TooLargeToScan

PIECE_BYTES = 256 * 1024
LONGEST_SCAN = timedelta(minutes=10)
FOUND, CLEAN = "FOUND", "OK"
STREAM = "stream"


class Clamd:
    """One daemon."""

    def __init__(self, address: str, most_bytes: int) -> None:
        """Takes the address as `host:port`, and the most bytes that the daemon takes."""
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"clamd's address is host:port, not {address!r}")
        self._client = ClamdAsyncClient(
            host.strip("[]"), int(port), timeout=LONGEST_SCAN.total_seconds()
        )
        self._most_bytes = most_bytes

    async def virus_in(self, chunks: AsyncIterator[bytes]) -> str | None:
        """The name of the virus that is in a stream, or None.

        Raises `TooLargeToScan` for a stream of more than `most_bytes`, or than the daemon's own
        `StreamMaxLength` if it says so, and `ScanFailed`. What `chunks` raises is raised.
        """
        pulled = _Pulled(chunks)
        try:
            answer = await self._client.instream(cast("io.BytesIO", pulled), self._most_bytes)
        except BufferTooLongError as error:
            raise TooLargeToScan(str(error)) from error
        except Exception as error:
            if pulled.fault is not None:
                raise pulled.fault from None
            raise ScanFailed(f"{type(error).__name__}: {error}") from error
        return _virus_of(answer)


def _virus_of(answer: dict[str, tuple[str, str | None]] | None) -> str | None:
    status, virus = (answer or {}).get(STREAM, ("", None))
    if status == FOUND:
        return virus or "unnamed"
    if status == CLEAN:
        return None
    raise ScanFailed(f"the daemon answered {answer!r}")


class _Pulled(io.RawIOBase):
    """A stream of the loop as a file that the client reads in threads."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._loop = asyncio.get_running_loop()
        self._waiting = b""
        self.fault: BaseException | None = None

    @override
    def read(self, size: int = -1, /) -> bytes:
        """Up to `PIECE_BYTES`, and b"" at the end.

        The client asks for 1 KiB at a time, each in a thread. It sends on whatever it gets, so it
        gets more than it asked for.
        """
        while not self._waiting:
            pulling = asyncio.run_coroutine_threadsafe(self._pull(), self._loop)
            try:
                piece = pulling.result()
            except Exception as error:
                self.fault = error
                raise
            if piece is None:
                return b""
            self._waiting = piece
        given, self._waiting = self._waiting[:PIECE_BYTES], self._waiting[PIECE_BYTES:]
        return given

    async def _pull(self) -> bytes | None:
        return await anext(self._chunks, None)
