"""Files are read from the socket as they come: flat, whole or refused, under their own names."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from fastapi import HTTPException, Request
from hypothesis import given
from hypothesis import strategies as st

from api.upload_post import LONGEST_FIELD, Part, parts_of, raw_chunks

BOUNDARY = "----WebKitFormBoundaryAbc123"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
MIB = 1024 * 1024
PLENTY = 100 * MIB
SOON = timedelta(seconds=0.05)


def file_part(content: bytes, disposition: str = 'name="file"; filename="a.pdf"') -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def form_of(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


class Sender:
    """A client that sends its pieces one by one, and remembers how many were asked for."""

    def __init__(self, pieces: Iterable[bytes], *, then: str = "end") -> None:
        self._pieces = iter(pieces)
        self._then = then
        self.sent = 0

    async def receive(self) -> dict[str, Any]:
        piece = next(self._pieces, None)
        if piece is not None:
            self.sent += 1
            return {"type": "http.request", "body": piece, "more_body": True}
        if self._then == "stall":
            await asyncio.sleep(10)
        if self._then == "leave":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}


def request_of(sender: Sender, content_type: str = FORM, **headers: str) -> Request:
    named = {"content-type": content_type} | {k.replace("_", "-"): v for k, v in headers.items()}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": b""}
    return Request(scope, sender.receive)


async def read(body: bytes | Sequence[bytes], content_type: str = FORM, **limits: Any) -> Any:
    sender = Sender([body] if isinstance(body, bytes) else body)
    chosen = {"most_bytes": PLENTY} | limits
    return [
        (part.name, part.file_name, b"".join([each async for each in part.chunks]))
        async for part in parts_of(request_of(sender, content_type), **chosen)
    ]


async def refusal(body: bytes | Sequence[bytes], content_type: str = FORM, **limits: Any) -> int:
    with pytest.raises(HTTPException) as refused:
        await read(body, content_type, **limits)
    return refused.value.status_code


async def test_fields_and_files_come_in_their_order() -> None:
    slot = file_part(b"insurance", 'name="slot"')
    assert await read(
        form_of(slot, file_part(b"%PDF-1.7"), file_part(b"", 'name="file"; filename=""'))
    ) == [
        ("slot", None, b"insurance"),
        ("file", "a.pdf", b"%PDF-1.7"),
        ("file", "", b""),
    ]


@given(size=st.integers(1, 90), content=st.binary(max_size=200))
def test_a_border_may_lie_anywhere(size: int, content: bytes) -> None:
    tricky = content + b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n--\r\r\n"
    body = form_of(file_part(tricky), file_part(content))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    found = asyncio.run(read(pieces))
    assert [each[2] for each in found] == [tricky, content]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="file"; filename="Prüfbericht 2026 – 証明.pdf"', "Prüfbericht 2026 – 証明.pdf"),
        ('name="file"; filename="a %22quoted%22 100%.pdf"', 'a "quoted" 100%.pdf'),
        ('name="file"; filename="a \\"quoted\\" one.pdf"', 'a "quoted" one.pdf'),
        ('name="file"; filename="a;b=c.pdf"', "a;b=c.pdf"),
        ('name="file"; filename="two%0D%0Alines.pdf"', "two\r\nlines.pdf"),
        ("name=file; filename=plain.pdf", "plain.pdf"),
        ("name=\"file\"; filename*=utf-8''Pr%C3%BCf%20%E8%A8%BC.pdf", "Prüf 証.pdf"),
        ('name="file"; filename="a.pdf"; filename*=UTF-8\'\'b.pdf', "a.pdf"),
        ('name="file"; filename="C:\\\\Users\\\\vera\\\\a.pdf"', "a.pdf"),
    ],
)
async def test_a_name_is_read_as_it_was_chosen(disposition: str, name: str) -> None:
    assert await read(form_of(file_part(b"x", disposition))) == [("file", name, b"x")]


async def test_a_name_in_another_encoding_is_marked_and_not_refused() -> None:
    part = file_part(b"x", 'name="file"; filename="?.pdf"').replace(b"?", b"\xfc")
    assert await read(form_of(part)) == [("file", "\ufffd.pdf", b"x")]


async def test_fifty_mebibytes_need_no_memory() -> None:
    """Flat, and a piece is asked for only when the one before it was taken."""
    piece = bytes(64 * 1024)

    def pieces() -> Iterable[bytes]:
        yield file_part(b"")[:-2]
        for _ in range(50 * 16):
            yield piece
        yield b"\r\n" + form_of()

    sender = Sender(pieces())
    size, asked = 0, []
    tracemalloc.start()
    async for part in parts_of(request_of(sender), most_bytes=PLENTY):
        async for each in part.chunks:
            size += len(each)
            asked.append(sender.sent - size // len(piece))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 50 * MIB
    assert max(asked) <= 3
    assert peak < MIB


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing like a form",
        form_of(file_part(b"x"))[:-6],
        file_part(b"half of it")[:-4],
        form_of(file_part(b"x", 'filename="no-name.pdf"')),
        form_of(file_part(b"x").replace(b"form-data", b"attachment")),
        form_of(file_part(b"x").replace(b"Content-Disposition", b"Content Disposition")),
        form_of(file_part(b"x").replace(b"\r\n\r\n", b"\r\nX-Long: " + b"y" * 5000 + b"\r\n\r\n")),
        form_of(file_part(b"x")) + b"z" * 70_000,
    ],
)
async def test_what_is_no_whole_form_is_refused(body: bytes) -> None:
    pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
    assert await refusal(pieces) == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        (f"multipart/form-data; boundary={'b' * 300}", 400),
        (f"multipart/mixed; boundary={BOUNDARY}", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_a_form_says_that_it_is_one(content_type: str, status: int) -> None:
    assert await refusal(form_of(file_part(b"x")), content_type) == status


async def test_a_form_has_bounds() -> None:
    many = form_of(*(file_part(b"x") for _ in range(4)))
    assert await refusal(many, most_parts=3) == 413
    assert len(await read(many, most_parts=4)) == 4
    assert await refusal(many, most_bytes=len(many) - 1) == 413
    field = file_part(b"y" * LONGEST_FIELD, 'name="slot"')
    assert await refusal(form_of(field.replace(b"\r\n\r\n", b"\r\n\r\ny"))) == 413
    assert (await read(form_of(field)))[0][2] == b"y" * LONGEST_FIELD


async def parts(sender: Sender, **limits: Any) -> AsyncIterator[Part]:
    async for part in parts_of(request_of(sender), most_bytes=PLENTY, **limits):
        yield part


async def test_what_nobody_read_of_a_part_is_skipped() -> None:
    body = form_of(file_part(b"a" * 9000), file_part(b"b" * 9000), file_part(b"c"))
    sender = Sender(body[at : at + 1000] for at in range(0, len(body), 1000))
    seen = []
    async for part in parts(sender):
        async for chunk in part.chunks:
            seen.append(chunk[:1])
            break
    assert seen == [b"a", b"b", b"c"]


async def text_of_field(content: bytes) -> list[str]:
    sender = Sender([form_of(file_part(content, 'name="slot"'))])
    return [await part.text() async for part in parts(sender) if not part.is_file]


async def test_a_field_is_text() -> None:
    assert await text_of_field("Ä".encode()) == ["Ä"]
    with pytest.raises(HTTPException) as refused:
        await text_of_field(b"\xff")
    assert refused.value.status_code == 400


@pytest.mark.parametrize(("then", "status"), [("end", 400), ("leave", 400), ("stall", 408)])
async def test_half_a_file_never_looks_whole(then: str, status: int) -> None:
    """Neither at first nor when somebody goes on reading after the refusal."""
    sender = Sender([file_part(b"half")[:-2]], then=then)
    async with aclosing(parts_of(request_of(sender), most_bytes=PLENTY, stall=SOON)) as found:
        part = await anext(found)
        with pytest.raises(HTTPException) as refused:
            _ = [each async for each in part.chunks]
        assert refused.value.status_code == status
        with pytest.raises(HTTPException):
            _ = [each async for each in part.chunks]


async def raw(sender: Sender, **headers: str) -> bytes:
    request = request_of(sender, "application/octet-stream", **headers)
    return b"".join([each async for each in raw_chunks(request, most_bytes=10, stall=SOON)])


async def test_a_raw_body_is_read_to_its_end() -> None:
    assert await raw(Sender([b"abc", b"", b"def"])) == b"abcdef"
    assert await raw(Sender([b"abc", b"def"]), content_length="6") == b"abcdef"
    assert await raw(Sender([])) == b""


@pytest.mark.parametrize(
    ("then", "length", "status"),
    [("end", "7", 400), ("leave", "7", 400), ("leave", "", 400), ("stall", "7", 408)],
)
async def test_a_raw_body_that_breaks_off_is_refused(then: str, length: str, status: int) -> None:
    with pytest.raises(HTTPException) as refused:
        await raw(Sender([b"abc", b"def"], then=then), content_length=length)
    assert refused.value.status_code == status


@pytest.mark.parametrize("length", ["06", "000", "²", "9" * 5000, "+6", "x"])
async def test_a_length_that_is_no_number_announces_nothing_and_a_long_one_too_much(
    length: str,
) -> None:
    whole = b"" if length == "000" else b"abcdef"
    if length in {"²", "9" * 5000}:
        with pytest.raises(HTTPException, match="400"):
            await raw(Sender([whole]), content_length=length)
    else:
        assert await raw(Sender([whole]), content_length=length) == whole


async def test_a_raw_body_is_bounded_whatever_was_announced() -> None:
    with pytest.raises(HTTPException) as refused:
        await raw(Sender([b"abcdef", b"abcdef"]), content_length="6")
    assert refused.value.status_code == 413
