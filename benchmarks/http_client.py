"""A browser in forty lines: one kept-alive connection, cookies, no redirects followed.

The load generator shares the machine with what it measures, so it does no more than it must.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode


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

    async def _talk(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], expected: int
    ) -> Answer:
        if self._reader is None or self._reader.at_eof():
            # The server hangs up on connections that were idle for seconds.
            self.close()
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        assert self._writer is not None
        self._writer.write(self._head(method, path, len(body), headers) + body)
        answer = await self._answer()
        if answer.status != expected:
            text = answer.body[:300].decode(errors="replace")
            raise UnexpectedAnswerError(f"{method} {path}: {answer.status} {text}")
        return answer

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
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            name = name.lower()
            if name == "set-cookie":
                self._keep(value)
            headers[name] = value
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split(" ", 2)[1]), headers, body)

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies[name] = value

    def close(self) -> None:
        """Hangs up."""
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None
