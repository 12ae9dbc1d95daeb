"""One large file through the API and back, beside a plain copy to the same disk."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

from benchmarks import party
from benchmarks.bench import Bench
from benchmarks.figures import Row, at_least_of_floor, median, under
from benchmarks.http_client import Browser
from benchmarks.plan import MIB
from benchmarks.processes import Memory

TEMPLATE, TASK = "one-file", "table"
PIECE = 64 * 1024
LINE = b"4711,recycled linen,printed to order,12.50,EUR\n"
TABLE = LINE * (MIB // len(LINE) + 1)
WATCHED = ("API", "worker")


@dataclass(slots=True)
class Files:
    """Seconds of each file, floors and ours in turn, and the bytes that our processes grew by."""

    copies: list[float] = field(default_factory=list)
    uploads: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    downloads: list[float] = field(default_factory=list)
    growth: dict[str, int] = field(default_factory=dict)


async def rows(bench: Bench) -> list[Row]:
    """Uploads and downloads."""
    files, plan = Files(), bench.plan
    await _sizes(bench, Files(), 4 * MIB, 1)
    await _sizes(bench, files, plan.file, plan.files)
    size = f"{plan.file // MIB} MiB"
    return [
        Row(
            f"upload of {size}; floor: plain copy",
            "MiB/s",
            _speed(plan.file, files.uploads),
            _speed(plan.file, files.copies),
            at_least_of_floor(0.5),
        ),
        Row(
            f"download of {size}; floor: plain read",
            "MiB/s",
            _speed(plan.file, files.downloads),
            _speed(plan.file, files.reads),
        ),
        *(
            Row(f"memory that the {name} grows by meanwhile", "MiB", grown / MIB, goal=under(64))
            for name, grown in files.growth.items()
        ),
    ]


def _speed(size: int, seconds: list[float]) -> float:
    return size / MIB / median(seconds)


async def _sizes(bench: Bench, files: Files, size: int, times: int) -> None:
    """Files of one size, beside copies of such a file."""
    original = bench.stack.folder.objects / "original"
    await asyncio.to_thread(_write, original, size)
    for _ in range(times):
        await _file(bench, files, original, size)
    original.unlink()


async def _file(bench: Bench, files: Files, original: Path, size: int) -> None:
    """One session with one file, which is deleted from the disk afterwards."""
    browser, objects = bench.browsers[0], bench.stack.folder.objects
    session = await party.verified(browser, bench.office, TEMPLATE)
    await bench.quiet()
    before = _stored(objects)
    files.copies.append(await asyncio.to_thread(_copied, original))
    memory = {name: Memory.of(bench.stack.children[name]) for name in WATCHED}
    begun = perf_counter()
    upload = await _upload(browser, session, size)
    files.uploads.append(perf_counter() - begun)
    await browser.post_form(f"/sessions/{session}/tasks/{TASK}")
    (stored,) = _stored(objects) - before
    files.reads.append(await asyncio.to_thread(_read, stored))
    begun = perf_counter()
    path = f"/api/v1/public-sessions/{session}/uploads/{upload}/content"
    if await browser.receive(path, bench.office.headers()) != size:
        raise AssertionError("the file has another size")
    files.downloads.append(perf_counter() - begun)
    for name, each in memory.items():
        files.growth[name] = max(each.growth, files.growth.get(name, 0))
    stored.unlink()


async def _upload(browser: Browser, session: UUID, size: int) -> UUID:
    headers = {
        "content-type": "application/octet-stream",
        "accept": "application/json",
        "x-upload-id": str(uuid4()),
        "x-file-name": "table.csv",
        "x-slot": "",
    }
    path = f"/sessions/{session}/tasks/{TASK}/files"
    answer = await browser.send(path, size, _pieces(size), headers)
    return UUID(json.loads(answer.body)["id"])


def _pieces(size: int) -> Iterator[bytes]:
    pieces = [TABLE[at : at + PIECE] for at in range(0, MIB, PIECE)]
    for number in range(size // PIECE):
        yield pieces[number % len(pieces)]


def _write(path: Path, size: int) -> None:
    with path.open("wb", buffering=0) as file:
        for piece in _pieces(size):
            file.write(piece)
        os.fsync(file.fileno())


def _copied(original: Path) -> float:
    """A file copied on its disk, and flushed; seconds until the copy is there for good."""
    copy = original.with_name("copy")
    begun = perf_counter()
    shutil.copyfile(original, copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    seconds = perf_counter() - begun
    copy.unlink()
    return seconds


def _read(path: Path) -> float:
    """A file read once, from wherever the system has it; seconds."""
    begun = perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(MIB):
            pass
    return perf_counter() - begun


def _stored(objects: Path) -> set[Path]:
    return {each for each in objects.glob("??/*") if each.is_file()}
