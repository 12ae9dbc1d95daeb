"""ClamAV's daemon as far as INSTREAM goes: it knows one virus, and can be away."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.rooms.files import EICAR

MOST_BYTES = 8 * 1024 * 1024
COMMAND = b"nINSTREAM\n"


@dataclass(slots=True)
class Daemon:
    """What it was sent, and how it answers."""

    scanned: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    """What it says instead of a verdict, next first; b"" hangs up."""
    port: int = 0

    @property
    def address(self) -> str:
        """As the setting has it."""
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one file."""
        try:
            writer.write(await self._answer(reader))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        assert await reader.readexactly(len(COMMAND)) == COMMAND
        content = b""
        while length := struct.unpack("!L", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
            if len(content) > MOST_BYTES:
                return b"INSTREAM size limit exceeded. ERROR\n"
        self.scanned.append(content)
        if self.answers:
            return self.answers.pop(0)
        return b"stream: Eicar-Test-Signature FOUND\n" if EICAR in content else b"stream: OK\n"


@asynccontextmanager
async def clamd() -> AsyncIterator[Daemon]:
    """A daemon on a free port of this machine."""
    daemon = Daemon()
    server = await asyncio.start_server(daemon.serve, "127.0.0.1", 0)
    daemon.port = server.sockets[0].getsockname()[1]
    async with server:
        yield daemon
