"""A network cable between a browser and a server: it can be slow, and be cut."""

import asyncio
import socket
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
    hold_at: int | None = None
    """From this many bytes on nothing goes towards the server, until the wire is cut or mended."""
    is_cut: bool = False
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Ends every connection at once, and each new one."""
        self.is_cut, self.hold_at = True, None
        for each in self._ends:
            each.transport.abort()

    def mend(self) -> None:
        """Passes on again, as fast as can be."""
        self.is_cut, self.hold_at, self.bytes_a_second = False, None, 1_000_000_000

    def hold_after(self, more: int) -> None:
        """Passes on so many bytes more towards the server, and then none."""
        self.hold_at = self.sent + more

    async def until_held(self) -> None:
        """Waits until all that may pass has passed."""
        while self.hold_at is not None and not self.is_held:  # noqa: ASYNC110 - as below
            await asyncio.sleep(0.01)

    @property
    def is_held(self) -> bool:
        """Whether nothing more goes towards the server."""
        return self.hold_at is not None and self.sent >= self.hold_at

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
                while self.is_held:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
        writer.close()


@asynccontextmanager
async def wired(target: int) -> AsyncIterator[Wire]:
    """A cable to `target`, with a free port at this end."""
    wire = Wire(target)
    near = socket.create_server(("127.0.0.1", 0))
    # What was not passed on waits in the browser, and not in the system's own, larger store.
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
    server = await asyncio.start_server(wire.connect, sock=near, limit=PIECE)
    wire.port = near.getsockname()[1]
    try:
        yield wire
    finally:
        wire.cut()
        server.close()
