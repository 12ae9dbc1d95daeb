"""The confined process, and files that are checked as they pass."""

import asyncio
import os
import resource
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import cast
from zipfile import ZipFile

import pytest
from fpdf import FPDF
from pikepdf import Encryption, Pdf
from PIL import Image
from structlog.testing import capture_logs

from adapters import file_check
from adapters.file_check import FileCheckBroken, checked, passing, sanitised
from adapters.file_checks import __main__ as program
from adapters.file_checks.verdict import Verdict
from domain.file_kind import FileKind, Inspection
from domain.upload import UploadReason, UploadRefusal, UploadRefused, refused

SOON = timedelta(seconds=20)


async def chunks(raw: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), size):
        yield raw[at : at + size]


async def whole(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([each async for each in stream])


async def refusal_of(stream: AsyncIterator[bytes]) -> UploadRefusal:
    with pytest.raises(UploadRefused) as caught:
        await whole(stream)
    return caught.value.refusal


def picture(form: str) -> bytes:
    into = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(into, form)
    return into.getvalue()


def archive(**entries: bytes) -> bytes:
    into = BytesIO()
    with ZipFile(into, "w") as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return into.getvalue()


def pdf() -> bytes:
    made = FPDF()
    made.add_page()
    return bytes(made.output())


def document() -> bytes:
    """A Word document with nothing in it, its relations in an alphabet of Windows."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    contents = f'<Types><Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
    relations = b'<?xml version="1.0" encoding="windows-1252"?><Relationships/>'
    return archive(
        **{
            "[Content_Types].xml": contents.encode("utf-16"),
            "_rels/.rels": relations,
            "word/document.xml": b"<document/>",
        }
    )


WHOLE = {
    FileKind.PDF: pdf(),
    FileKind.JPEG: picture("JPEG"),
    FileKind.PNG: picture("PNG"),
    FileKind.WEBP: picture("WEBP"),
    FileKind.DOCX: document(),
    FileKind.ZIP: archive(a=b"hello"),
}


def children() -> set[int]:
    """Our processes; the ones that ended and were not collected count too."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # A thread may end meanwhile.
            found |= {int(each) for each in (task / "children").read_text().split()}
    return found


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def memory() -> int:
    """What we hold at this moment, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def says(code: str) -> Callable[[FileKind], Sequence[str]]:
    """Another program in the place of the check."""
    return lambda _: (sys.executable, "-I", "-c", code)


@pytest.mark.parametrize("kind", WHOLE)
async def test_each_kind_comes_back_from_its_process(kind: FileKind) -> None:
    # PS-40
    kept = await whole(checked(kind, chunks(WHOLE[kind] + b"<script>"), timeout=SOON))
    assert kept[:4] == WHOLE[kind][:4]
    assert b"<script>" not in kept


def photograph() -> bytes:
    into, notes = BytesIO(), Image.Exif()
    notes[0x0112] = 6
    Image.linear_gradient("L").save(into, "JPEG", exif=notes, progressive=True, dpi=(300, 300))
    return into.getvalue()


def drawing(form: str) -> bytes:
    """A few colours, one of which is not there."""
    into = BytesIO()
    Image.linear_gradient("L").convert("P").save(into, form, transparency=3, lossless=True)
    return into.getvalue()


def locked_document() -> bytes:
    into = BytesIO()
    with Pdf.open(BytesIO(pdf())) as opened:
        opened.save(into, encryption=Encryption(owner="somebody", user="", R=6))
    return into.getvalue()


def document_with_metadata() -> bytes:
    """As nearly every program writes one: with XMP, and its title in it."""
    into = BytesIO()
    with Pdf.open(BytesIO(pdf())) as opened:
        with opened.open_metadata() as metadata:
            metadata["dc:title"] = "Certificate"
            metadata["pdf:PDFVersion"] = "1.3"
        opened.save(into)
    return into.getvalue()


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (FileKind.PDF, locked_document()),
        (FileKind.PDF, document_with_metadata()),
        (FileKind.JPEG, photograph()),
        (FileKind.PNG, drawing("PNG")),
        (FileKind.WEBP, drawing("WEBP")),
        (FileKind.ZIP, archive(Grüße=archive(a=b"x"))),
    ],
    ids=["pdf", "metadata", "jpeg", "png", "webp", "zip"],
)
async def test_what_a_parser_needs_is_loaded_before_it_is_confined(
    kind: FileKind, raw: bytes
) -> None:
    assert await whole(sanitised(kind, chunks(raw), timeout=SOON))


def test_every_kind_that_is_inspected_whole_has_its_check() -> None:
    kinds = {kind for kind in FileKind if kind.inspection == Inspection.WHOLE}
    assert set(program.REWRITES) == kinds
    assert all(callable(program.rewrite_of(kind)) for kind in kinds)


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        (FileKind.PDF, b"%PDF-1.7 and no more", UploadReason.DAMAGED),
        (FileKind.DOCX, WHOLE[FileKind.ZIP], UploadReason.CONTENT_DIFFERS),
        (FileKind.ZIP, archive(a=archive(b=archive(c=b"x"))), UploadReason.ARCHIVE_BOMB),
        (FileKind.PDF, b"MZ\x90\0\3\0\0\0", UploadReason.CONTENT_DIFFERS),
        (FileKind.PDF, picture("JPEG"), UploadReason.CONTENT_DIFFERS),
        (FileKind.JPEG, b"<svg onload='alert(1)'/>", UploadReason.CONTENT_DIFFERS),
        (FileKind.PDF, b"<html>%PDF-1.4</html>", UploadReason.CONTENT_DIFFERS),
        (FileKind.ZIP, b"GIF89a/*" + WHOLE[FileKind.ZIP], UploadReason.CONTENT_DIFFERS),
        (FileKind.PDF, b"", UploadReason.EMPTY),
    ],
)
async def test_each_refusal_names_its_limit_and_what_was_given(
    kind: FileKind, raw: bytes, reason: UploadReason
) -> None:
    # PS-40
    refusal = await refusal_of(sanitised(kind, chunks(raw, 7), timeout=SOON))
    assert refusal.reason == reason
    assert refusal.limit
    assert refusal.given


async def test_a_file_that_is_too_large_is_refused_on_its_way() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"%PDF-1.7"
        while True:
            sent += 1
            yield b"x" * 1024 * 1024

    refusal = await refusal_of(sanitised(FileKind.PDF, endless(), timeout=SOON))
    assert (refusal.reason, refusal.limit) == (UploadReason.TOO_LARGE, "50 MB")
    assert sent < 60


async def test_a_check_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = "import sys, time; sys.stdin.buffer.read(); time.sleep(600)"
    monkeypatch.setattr(file_check, "_command", says(hangs))
    began = time.monotonic()
    refusal = await refusal_of(
        sanitised(FileKind.PDF, chunks(pdf()), timeout=timedelta(seconds=0.5))
    )
    assert time.monotonic() - began < 5
    assert refusal == UploadRefusal(UploadReason.DAMAGED, "checked within 0.5 s", "not finished")


async def test_a_check_that_does_not_read_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_check, "_command", says("import time; time.sleep(600)"))
    with pytest.raises(FileCheckBroken, match="does not read"):
        await whole(
            sanitised(
                FileKind.PDF, chunks(pdf() + b"x" * 4_000_000), timeout=timedelta(seconds=0.5)
            )
        )


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "not finished"),
    ],
)
async def test_a_file_that_breaks_its_parser_is_damaged(
    monkeypatch: pytest.MonkeyPatch, code: str, given: str
) -> None:
    monkeypatch.setattr(file_check, "_command", says(code))
    refusal = await refusal_of(sanitised(FileKind.PDF, chunks(pdf()), timeout=SOON))
    assert (refusal.reason, refusal.given) == (UploadReason.DAMAGED, given)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit('no such parser')", "exit code 1: no such parser"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
        ('print(\'{"refusal": null, "length": 9}\\nabc\')', "5 of 9 bytes did not come"),
        ("print('hello')", "no verdict"),
        ("print('{\"refusal\": 1}')", "no verdict"),
        ('print(\'{"refusal": null, "length": -1}\')', "no verdict"),
        ('print(\'{"refusal": null, "length": Infinity}\')', "no verdict"),
        ('print(\'{"refusal": null, "length": "9"}\')', "no verdict"),
        ("print('[' * 200_000)", "no verdict"),
        ("print('x' * 2_000_000)", "an endless verdict"),
        ('print(\'{"refusal": null, "length": 10000000}\')', "10000000 bytes of a file that may"),
    ],
)
async def test_a_check_that_fails_by_itself_blames_no_file(
    monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    monkeypatch.setattr(
        file_check, "_command", says(f"import sys; sys.stdin.buffer.read(); {code}")
    )
    with pytest.raises(FileCheckBroken, match=words):
        await whole(sanitised(FileKind.PDF, chunks(pdf()), timeout=SOON, limit=500_000))


async def test_a_check_without_verdict_or_end_is_not_waited_for() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", "import time; time.sleep(600)", stdout=-1, stderr=-1
    )
    error = await file_check._without_verdict(process, timedelta(seconds=0.1))
    process.kill()
    await process.communicate()
    assert isinstance(error, FileCheckBroken)
    assert str(error) == "neither a verdict nor an end"


@dataclass
class Dripping:
    """A process that gives its file byte by byte."""

    stdout: asyncio.StreamReader = field(default_factory=asyncio.StreamReader)

    async def drip(self) -> None:
        while True:
            self.stdout.feed_data(b"x")
            await asyncio.sleep(0.02)


async def test_a_rewritten_file_that_drips_is_not_waited_for() -> None:
    process = Dripping()
    dripping = asyncio.create_task(process.drip())
    began = time.monotonic()
    with pytest.raises(FileCheckBroken, match="does not come"):
        await whole(file_check._kept(cast("Process", process), 999, timedelta(seconds=0.2)))
    dripping.cancel()
    assert 0.1 < time.monotonic() - began < 5


async def test_a_slow_reader_takes_no_time_from_the_process() -> None:
    stdout = asyncio.StreamReader()
    stdout.feed_data(b"x" * 600_000)
    process = cast("Process", Dripping(stdout))
    async for _ in file_check._kept(process, 600_000, timedelta(seconds=0.1)):
        await asyncio.sleep(0.06)


def test_a_refusal_can_be_written_whatever_it_says() -> None:
    line = b'{"refusal": {"reason": "damaged", "limit": "\\ud800", "given": ["%s"]}}' % (b"x" * 900)
    refusal = Verdict.of(line).refusal
    assert refusal
    assert refusal.limit.encode() == b"?"
    assert len(refusal.given) == 500


async def test_an_early_verdict_needs_no_more_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = refused(UploadReason.DAMAGED, "readable", "junk").refusal
    line = Verdict(refusal).line()
    code = f"import sys; sys.stdout.buffer.write({line!r})"
    monkeypatch.setattr(file_check, "_command", says(code))
    stream = sanitised(FileKind.PDF, chunks(pdf() + b"x" * 20_000_000), timeout=SOON)
    assert await refusal_of(stream) == refusal


async def test_the_process_ends_when_nobody_reads_on() -> None:
    raw = archive(a=os.urandom(8_000_000))
    before = children()
    async with aclosing(sanitised(FileKind.ZIP, chunks(raw), timeout=SOON)) as stream:
        await anext(stream)
        assert children() - before
    assert children() == before


async def test_the_process_ends_when_its_reader_is_cancelled() -> None:
    before, fed = children(), asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield pdf() + b"x" * 100_000
        fed.set()
        await asyncio.sleep(600)

    reading = asyncio.create_task(whole(sanitised(FileKind.PDF, stalling(), timeout=SOON)))
    await fed.wait()
    assert children() - before
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == before


async def test_a_sender_that_breaks_off_ends_the_process_with_its_own_error() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield pdf() + b"x" * 100_000
        raise ConnectionAbortedError("gone at 99 %")

    with pytest.raises(ConnectionAbortedError, match="99 %"):
        await whole(sanitised(FileKind.PDF, broken(), timeout=SOON))


async def test_slow_senders_do_not_keep_others_from_being_checked() -> None:
    released, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def slow() -> AsyncIterator[bytes]:
        yield pdf()[:-5] + b" " * 70_000
        waiting.release()
        await released.wait()

    slow_ones = [
        asyncio.create_task(whole(sanitised(FileKind.PDF, slow(), timeout=SOON)))
        for _ in range(file_check.CHECKING_AT_ONCE + 1)
    ]
    for _ in slow_ones:
        await waiting.acquire()
    assert await whole(sanitised(FileKind.PDF, chunks(pdf()), timeout=SOON))
    released.set()
    await asyncio.gather(*slow_ones, return_exceptions=True)


async def test_our_own_memory_stays_flat() -> None:
    raw = archive(a=os.urandom(40 * 1024 * 1024))
    before = most = memory()
    size = 0
    async for each in sanitised(FileKind.ZIP, chunks(raw), timeout=SOON):
        size += len(each)
        most = max(most, memory())
    assert size > 40 * 1024 * 1024
    assert most - before < 8 * 1024 * 1024, f"{most - before} bytes"


async def test_what_the_kernel_lacks_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    file_check._warn_of_missing.cache_clear()
    monkeypatch.setattr(file_check, "missing_confinement", lambda: ("landlock",))
    with capture_logs() as lines:
        for _ in range(2):
            await whole(sanitised(FileKind.ZIP, chunks(WHOLE[FileKind.ZIP]), timeout=SOON))
    file_check._warn_of_missing.cache_clear()
    assert [(each["event"], each["missing"]) for each in lines] == [
        ("file_checks_less_confined", ("landlock",))
    ]


async def test_the_process_knows_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEPASS_ROOT_KEY", "a secret")
    code = "import os; raise SystemExit(str(sorted(os.environ)) + os.getcwd())"
    monkeypatch.setattr(file_check, "_command", says(code))
    with pytest.raises(FileCheckBroken) as caught:
        await whole(sanitised(FileKind.PDF, chunks(pdf()), timeout=SOON))
    assert "GATEPASS" not in str(caught.value)
    assert str(caught.value).rstrip().endswith("]/")


async def test_a_process_whose_starter_is_gone_does_nothing() -> None:
    command = [*file_check._command(FileKind.PDF)[:-1], "1"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=-1, stdout=-1, stderr=-1, cwd="/", env={}
    )
    said, errors = await process.communicate(pdf())
    assert (said, process.returncode) == (b"", 1)
    assert b"is gone" in errors


@pytest.mark.parametrize(
    ("error", "reason", "given"),
    [
        (MemoryError(), UploadReason.ARCHIVE_BOMB, "more"),
        (RecursionError(), UploadReason.DAMAGED, "nested too deep"),
        (ZeroDivisionError("secret"), UploadReason.DAMAGED, "ZeroDivisionError"),
        (refused(UploadReason.EMPTY, "1", "0"), UploadReason.EMPTY, "0"),
    ],
)
def test_whatever_a_parser_does_is_a_verdict(
    error: Exception, reason: UploadReason, given: str
) -> None:
    def fails(_: bytes) -> bytes:
        raise error

    verdict, kept = program.judged(fails, b"x")
    assert verdict.refusal
    assert (verdict.refusal.reason, verdict.refusal.given, kept) == (reason, given, b"")
    assert Verdict.of(verdict.line()) == verdict
    assert program.judged(bytes.upper, b"x") == (Verdict(length=1), b"X")


MP4 = b"\0\0\0\x18ftypisom\0\0\0\0isommp41"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def box(name: bytes, content: bytes = b"", *, large: bool = False) -> bytes:
    if large:
        return b"\0\0\0\1" + name + (16 + len(content)).to_bytes(8, "big") + content
    return (8 + len(content)).to_bytes(4, "big") + name + content


FILM = MP4 + box(b"free") + box(b"mdat", os.urandom(300_000), large=True) + box(b"moov", b"x" * 99)
PHOTO = HEIC + box(b"meta", os.urandom(300)) + box(b"mdat", os.urandom(70_000))


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (FileKind.TXT, "Grüße, 日本\n".encode() * 20_000),
        (FileKind.CSV, b"a;b\n1;2\n"),
        (FileKind.TXT, "\ufeffa".encode()),
        (FileKind.TXT, ("a" * 70_000 + "日").encode("utf-16")),
        (FileKind.MP4, FILM),
        (FileKind.HEIC, PHOTO),
        (FileKind.HEIC, HEIC + box(b"moov")),
    ],
)
@pytest.mark.parametrize("size", [997, 65536, 1 << 20])
async def test_what_passes_is_not_changed(kind: FileKind, raw: bytes, size: int) -> None:
    # PS-40
    assert await whole(checked(kind, chunks(raw, size), timeout=SOON)) == raw


@pytest.mark.parametrize(
    ("kind", "raw", "reason", "passed"),
    [
        (FileKind.TXT, b"", UploadReason.EMPTY, False),
        (FileKind.TXT, b"<script>alert(1)</script>", UploadReason.CONTENT_DIFFERS, False),
        (FileKind.CSV, b"MZ\0\0", UploadReason.CONTENT_DIFFERS, False),
        (FileKind.CSV, "Straße".encode("cp1252"), UploadReason.CONTENT_DIFFERS, False),
        (FileKind.MP4, HEIC, UploadReason.CONTENT_DIFFERS, False),
        (FileKind.HEIC, picture("JPEG"), UploadReason.CONTENT_DIFFERS, False),
        (FileKind.TXT, b"a" * 200_000 + b"\0", UploadReason.CONTENT_DIFFERS, True),
        (FileKind.TXT, b"a" * 200_000 + b"\xff", UploadReason.DAMAGED, True),
        (FileKind.TXT, b"a" * 200_000 + "é".encode()[:1], UploadReason.DAMAGED, True),
        (FileKind.TXT, "é".encode()[:1], UploadReason.CONTENT_DIFFERS, False),
        (FileKind.TXT, ("a" * 90_000).encode("utf-16") + b"b", UploadReason.DAMAGED, True),
    ],
)
async def test_what_does_not_pass_is_stopped_on_its_way(
    kind: FileKind, raw: bytes, reason: UploadReason, passed: bool
) -> None:
    # PS-40
    got: list[bytes] = []

    async def noted() -> AsyncIterator[bytes]:
        async for each in passing(kind, chunks(raw)):
            got.append(each)
            yield each

    refusal = await refusal_of(noted())
    assert refusal.reason == reason
    assert refusal.limit
    assert refusal.given
    assert bool(got) == passed


PAGE = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("kind", "raw", "given"),
    [
        (FileKind.MP4, FILM + PAGE, "no box"),
        (FileKind.MP4, FILM + archive(a=b"x"), "no box"),
        (FileKind.HEIC, PHOTO + PAGE, "no box"),
        (FileKind.HEIC, PHOTO + b"<", "cut short"),
        (FileKind.MP4, FILM + box(b"html", PAGE), "no box"),
        (FileKind.MP4, FILM + box(b"ftyp", PAGE), "no box"),
        (FileKind.MP4, FILM + b"\0\0\0\0free" + PAGE, "no box"),
        (FileKind.MP4, FILM + b"\0\0\0\7free" + PAGE, "no box"),
        (FileKind.MP4, FILM + b"\0\0\0\1free" + bytes(8) + PAGE, "no box"),
        (FileKind.MP4, FILM[:-1], "cut short"),
        (FileKind.MP4, FILM + b"\0\0\0\1free" + bytes(7), "cut short"),
        (FileKind.MP4, MP4 + box(b"meta", PAGE), "to be seen"),
        (FileKind.HEIC, HEIC + box(b"mdat", PAGE), "to be seen"),
    ],
)
@pytest.mark.parametrize("size", [997, 65536])
async def test_nothing_stands_behind_the_boxes(
    kind: FileKind, raw: bytes, given: str, size: int
) -> None:
    # PS-40
    refusal = await refusal_of(passing(kind, chunks(raw, size)))
    assert refusal.reason == UploadReason.DAMAGED
    assert given in refusal.given


def test_signals_that_blame_the_file_are_not_those_of_operators() -> None:
    assert not {signal.SIGKILL, signal.SIGTERM, signal.SIGINT} & file_check._FILE_AT_FAULT
