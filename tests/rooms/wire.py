"""A network cable between a browser and a server: it can be slow, and be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PIECE = 64 * 1024


@dataclass(slots=True)
class Wire:
    """Passes bytes on to a port of this machine."""

    target: int
    port: int = 0
    bytes_a_second: int = 1_000_000_000
    sent: int = 0
    """Bytes that went towards the server."""
    is_cut: bool = False
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Ends every connection at once, and each new one."""
        self.is_cut = True
        for each in self._ends:
            each.transport.abort()

    def mend(self) -> None:
        """Passes on again, as fast as can be."""
        self.is_cut, self.bytes_a_second = False, 1_000_000_000

    async def until_sent(self, more: int) -> None:
        """Waits until so many bytes more went towards the server."""
        wanted = self.sent + more
        while self.sent < wanted:  # noqa: ASYNC110 - a test waits for what somebody else does
            await asyncio.sleep(0.01)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as both ends keep it."""
        if self.is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            await asyncio.gather(
                self._pass(reader, far_writer, counts=True), self._pass(far_reader, writer)
            )
        except ConnectionError:
            return
        finally:
            self._ends -= ends
            for each in ends:
                each.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool = False
    ) -> None:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
            if counts:
                self.sent += len(piece)
                await asyncio.sleep(len(piece) / self.bytes_a_second)
        writer.close()


@asynccontextmanager
async def wired(target: int) -> AsyncIterator[Wire]:
    """A cable to `target`, with a free port at this end."""
    wire = Wire(target)
    server = await asyncio.start_server(wire.connect, "127.0.0.1", 0, limit=PIECE)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        wire.cut()
        server.close()
