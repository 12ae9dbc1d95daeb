"""A bucket on this machine that speaks as much of S3 as writing and reading objects needs.

It keeps what it was asked, so that a test can see whether an upload was completed or aborted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

Asked = tuple[str, str, dict[str, list[str]]]
"""Method, path and query."""


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def written(self) -> bytes:
        """The answer as it goes over the wire."""
        length = len(self.body) if self.length is None else self.length
        fields = self.headers | {"Content-Length": str(length), "ETag": '"1"'}
        lines = [f"HTTP/1.1 {self.status} .", *(f"{key}: {each}" for key, each in fields.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(slots=True)
class Bucket:
    """Objects by path, and uploads that are under way."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fails: Callable[[Asked], bool] = lambda _: False
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one connection until it is closed."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *rest = head.decode().strip().split("\r\n")
                headers = {key.lower(): each for key, each in (row.split(": ", 1) for row in rest)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, target, _ = line.split()
                url = urlsplit(target)
                asked = method, url.path, parse_qs(url.query, keep_blank_values=True)
                self.asked.append(f"{method} {' '.join(sorted(asked[2]))}".strip())
                failing = self.fails(asked)
                answer = Answer(500) if failing else self._answer(asked, headers, body)
                writer.write(answer.written())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, asked: Asked, headers: dict[str, str], body: bytes) -> Answer:
        method, path, query = asked
        if "uploads" in query:
            upload = str(len(self.asked))
            self.uploads[upload] = {}
            return Answer(body=f"<X><UploadId>{upload}</UploadId></X>".encode())
        if "delete" in query:
            return self._deleted(path, body.decode())
        if "uploadId" in query:
            return self._uploaded(asked, body)
        if "list-type" in query:
            return self._listed(path, query)
        if method == "PUT":
            return self._put(path, headers, body)
        return self._read(method, path, headers)

    def _put(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if headers.get("if-none-match") == "*" and path in self.objects:
            return Answer(412)
        self.objects[path] = body
        return Answer()

    def _uploaded(self, asked: Asked, body: bytes) -> Answer:
        method, path, query = asked
        upload = query["uploadId"][0]
        if method == "PUT":
            self.uploads[upload][int(query["partNumber"][0])] = body
            return Answer()
        parts = self.uploads.pop(upload)
        if method == "POST":
            self.objects[path] = b"".join(parts[each] for each in sorted(parts))
        return Answer(body=b"<X><ETag>1</ETag></X>")

    def _deleted(self, path: str, body: str) -> Answer:
        key = body.partition("<Key>")[2].partition("</Key>")[0]
        self.objects.pop(f"{path.rstrip('/')}/{key}", None)
        return Answer(body=f"<X><Deleted><Key>{key}</Key></Deleted></X>".encode())

    def _listed(self, path: str, query: dict[str, list[str]]) -> Answer:
        prefix, after = (query.get(each, [""])[0] for each in ("prefix", "start-after"))
        bucket = f"{path.rstrip('/')}/"
        keys = sorted(each.removeprefix(bucket) for each in self.objects)
        found = [each for each in keys if each.startswith(prefix) and each > after]
        listed = "".join(
            f"<Contents><Key>{each}</Key><LastModified>2015-10-21T07:28:00.000Z</LastModified>"
            f"<Size>{len(self.objects[bucket + each])}</Size><ETag>1</ETag></Contents>"
            for each in found
        )
        return Answer(body=f"<ListBucketResult>{listed}</ListBucketResult>".encode())

    def _read(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        if path not in self.objects:
            return Answer(404)
        content = self.objects[path]
        dated = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        if method == "HEAD":
            return Answer(length=len(content), headers=dated)
        start, end = (int(each) for each in headers["range"].removeprefix("bytes=").split("-"))
        if start >= len(content):
            return Answer(416)
        part = content[start : end + 1]
        dated["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
        return Answer(206, part, headers=dated)


@asynccontextmanager
async def bucket() -> AsyncIterator[Bucket]:
    """A bucket on a free port."""
    served = Bucket()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, limit=2**16)
    served.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
