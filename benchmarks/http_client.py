"""A browser in forty lines: one kept-alive connection, cookies, no redirects followed.

The load generator shares the machine with what it measures, so it does no more than it must.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

PIECE = 256 * 1024


class UnexpectedAnswerError(Exception):
    """The API answered with another status than the benchmark counts on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers with lower-case names, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Browser:
    """Talks to one host over one connection, one request at a time."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    def forget(self) -> None:
        """Becomes the browser of another person; the connection stays."""
        self.cookies.clear()

    async def get(self, path: str, expected: int = 200) -> Answer:
        """Reads a page."""
        return await self._talk("GET", path, b"", {}, expected)

    async def post_form(
        self, path: str, fields: Mapping[str, str] | None = None, expected: int = 303
    ) -> Answer:
        """Posts a form as a browser does from our own page."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._talk("POST", path, urlencode(fields or {}).encode(), kind, expected)

    async def post_json(
        self, path: str, body: bytes, headers: Mapping[str, str], expected: int = 201
    ) -> Answer:
        """Posts JSON as a program does."""
        kind = {"content-type": "application/json"}
        return await self._talk("POST", path, body, {**kind, **headers}, expected)

    async def send(
        self, path: str, size: int, pieces: Iterable[bytes], headers: Mapping[str, str]
    ) -> Answer:
        """Posts `size` bytes piece by piece, as fast as they are taken."""
        writer = await self._connected()
        writer.write(self._head("POST", path, size, headers))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return _expected(await self._answer(), f"POST {path}", 201)

    async def receive(self, path: str, headers: Mapping[str, str]) -> int:
        """Reads a large answer and keeps nothing of it; how many bytes it has."""
        writer = await self._connected()
        writer.write(self._head("GET", path, 0, headers))
        assert self._reader is not None
        status, said = await self._said()
        size = left = int(said["content-length"])
        while left:
            left -= len(await self._reader.read(min(left, PIECE)))
        _expected(Answer(status, said, b""), f"GET {path}", 200)
        return size

    async def _talk(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], expected: int
    ) -> Answer:
        writer = await self._connected()
        writer.write(self._head(method, path, len(body), headers) + body)
        return _expected(await self._answer(), f"{method} {path}", expected)

    async def _connected(self) -> asyncio.StreamWriter:
        if self._reader is None or self._reader.at_eof():
            # The server hangs up on connections that were idle for seconds.
            self.close()
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        assert self._writer is not None
        return self._writer

    def _head(self, method: str, path: str, length: int, headers: Mapping[str, str]) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"host: localhost:{self.port}",
            "sec-fetch-site: same-origin",
            "accept-language: en",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if self.cookies:
            lines.append("cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        if method != "GET":
            lines.append(f"content-length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def _answer(self) -> Answer:
        assert self._reader is not None
        status, headers = await self._said()
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    async def _said(self) -> tuple[int, Mapping[str, str]]:
        """Status and headers."""
        assert self._reader is not None
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            name = name.lower()
            if name == "set-cookie":
                self._keep(value)
            headers[name] = value
        return int(head[0].split(" ", 2)[1]), headers

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies[name] = value

    def close(self) -> None:
        """Hangs up."""
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None


def _expected(answer: Answer, what: str, status: int) -> Answer:
    if answer.status != status:
        text = answer.body[:300].decode(errors="replace")
        raise UnexpectedAnswerError(f"{what}: {answer.status} {text}")
    return answer
