"""Checks uploaded files as they stream by (PS-40).

Whole-inspected kinds go through a process of their own (`adapters.file_checks`): fed by a pipe,
read by a pipe, so that our memory stays flat and nothing clear is written anywhere. The process
reads the whole file before it says a word, therefore feeding first and reading then cannot lock.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import cast

import structlog

from adapters.file_checks.boxes import passing_boxes
from adapters.file_checks.confinement import MOST_CPU_SECONDS, missing_confinement
from adapters.file_checks.passing import is_text, passing_text
from adapters.file_checks.verdict import Verdict, unfinished
from domain.file_kind import HEAD_BYTES, WHOLE_BYTES, FileKind, Inspection
from domain.upload import UploadReason, UploadRefused, refused, refuses_content, size_text

log = structlog.get_logger()

CHECKING_AT_ONCE = 2
RECEIVING_AT_ONCE = 16
"""Processes that may read their file or wait for their turn; each holds 50 MiB of it at most.

A sender must not be waited for in here: give `sanitised` a file that has come.
"""

_PIECE = 256 * 1024
_GROWTH = 8 * 1024 * 1024
_ROOT = str(Path(__file__).resolve().parents[1])
# Our folder comes last, so that no file of ours can stand in for one of the library's.
_BOOT = (
    f"import sys, runpy; sys.path.append({_ROOT!r}); "
    "runpy.run_module('adapters.file_checks', run_name='__main__', alter_sys=True)"
)
_PASSED_ON = ("LD_LIBRARY_PATH",)
_FILE_AT_FAULT = frozenset(
    [
        signal.SIGXCPU, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
        signal.SIGSYS,
    ]
)  # fmt: skip
_checking = asyncio.Semaphore(CHECKING_AT_ONCE)
_receiving = asyncio.Semaphore(RECEIVING_AT_ONCE)


class FileCheckBroken(Exception):
    """The check itself did not work; the file may be good, and can be sent again."""


async def checked(
    kind: FileKind,
    chunks: AsyncIterator[bytes],
    *,
    timeout: timedelta,  # noqa: ASYNC109 - limits the check alone, not the sender
    limit: int = WHOLE_BYTES,
) -> AsyncGenerator[bytes, None]:
    """The file as it may be kept: `sanitised` or `passing`, whichever its kind asks for."""
    if kind.inspection == Inspection.WHOLE:
        stream = sanitised(kind, chunks, timeout=timeout, limit=limit)
    else:
        stream = passing(kind, chunks)
    async with aclosing(stream):
        async for each in stream:
            yield each


async def passing(kind: FileKind, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes while they are of this kind; raises `UploadRefused` in their midst."""
    async with aclosing(with_good_head(kind, chunks)) as good:
        stream = passing_text(good) if is_text(kind) else passing_boxes(kind, good)
        async with aclosing(stream):
            async for each in stream:
                yield each


async def sanitised(
    kind: FileKind,
    chunks: AsyncIterator[bytes],
    *,
    timeout: timedelta,  # noqa: ASYNC109 - limits the check alone, not the sender
    limit: int = WHOLE_BYTES,
) -> AsyncGenerator[bytes, None]:
    """The file written anew, or `UploadRefused` before its first byte.

    `timeout` is for the check alone, from the last byte given to the verdict, and again for the
    rewritten file; how long sender and reader take is the caller's to limit. `limit` is how many
    bytes may be sent; `most_kept` is how many may come back. Close this generator
    (`contextlib.aclosing`) when stopping early: that ends the process. Raises `FileCheckBroken`
    when the check itself fails.
    """
    async with aclosing(with_good_head(kind, chunks)) as good:
        head = await anext(good)
        async with _receiving, _process(kind.value) as process:
            await _feed(process, _beginning_with(head, good), timeout)
            length = await _length(process, timeout, most_kept(limit))
            async for each in _kept(process, length, timeout):
                yield each


def most_kept(limit: int) -> int:
    """The size in bytes to which a file of at most `limit` bytes may grow by being rewritten.

    A picture that was packed harder than we do grows, a small one fivefold; the more pixels a
    large one has, the less. Whoever states more is not our parser any more.
    """
    return 2 * limit + _GROWTH


async def answer_to(job: str, raw: bytes, within: timedelta, most: int) -> bytes:
    """What the process says to a job of `file_checks`, `most` bytes at most; raises as above."""
    async with _receiving, _process(job) as process:
        await _feed(process, _once(raw), within)
        length = await _length(process, within, most)
        return b"".join([each async for each in _kept(process, length, within)])


async def _length(process: Process, within: timedelta, most: int) -> int:
    """How many bytes follow a verdict that is no refusal."""
    verdict = await _verdict(process, within)
    if verdict.refusal:
        raise UploadRefused(verdict.refusal)
    if verdict.length > most:
        raise FileCheckBroken(f"{verdict.length} bytes of a file that may have {most}")
    return verdict.length


async def _once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def with_good_head(
    kind: FileKind, chunks: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    """The same bytes, the first `HEAD_BYTES` in one piece and of this kind; or `UploadRefused`."""
    head, judged = b"", False
    async for chunk in chunks:
        if judged:
            yield chunk
            continue
        head += chunk
        if len(head) >= HEAD_BYTES:
            judged = _check_head(kind, head)
            yield head
    if not judged:
        _check_head(kind, head)
        yield head


async def _beginning_with(head: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield head
    async for each in rest:
        yield each


def _check_head(kind: FileKind, head: bytes) -> bool:
    if refusal := refuses_content(kind, head[:HEAD_BYTES]):
        raise UploadRefused(refusal)
    return True


def _command(job: str) -> Sequence[str]:
    return (sys.executable, "-I", "-c", _BOOT, job, str(os.getpid()))


@cache
def _warn_of_missing() -> None:
    """Says once in the life of a process which bounds this machine does not have."""
    if missing := missing_confinement():
        log.warning("file_checks_less_confined", missing=missing)


@asynccontextmanager
async def _process(job: str) -> AsyncIterator[Process]:
    """A process that checks one file; gone, whatever happens, when the context ends."""
    _warn_of_missing()
    # Of our environment it gets nothing: the root key may be in there.
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *_command(job),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=_PIECE,
        env=environ,
        cwd="/",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        _stdin(process).close()
        await process.communicate()


def _stdin(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)


def _stdout(process: Process) -> asyncio.StreamReader:
    return cast("asyncio.StreamReader", process.stdout)


async def _feed(process: Process, chunks: AsyncIterator[bytes], within: timedelta) -> None:
    """Everything to the process; it may end before it has read it all, when it has judged."""
    given, stdin = 0, _stdin(process)
    async for chunk in chunks:
        given += len(chunk)
        if given > WHOLE_BYTES:
            raise refused(UploadReason.TOO_LARGE, size_text(WHOLE_BYTES), size_text(given))
        stdin.write(chunk)
        try:
            async with asyncio.timeout(within.total_seconds()):
                await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return
        except TimeoutError as error:
            raise FileCheckBroken("the process does not read") from error


async def _verdict(process: Process, within: timedelta) -> Verdict:
    """What the process says once it has the whole file; two may be busy at once."""
    async with _checking:
        try:
            async with asyncio.timeout(within.total_seconds()):
                _stdin(process).close()
                line = await _stdout(process).readline()
        except TimeoutError as error:
            raise unfinished(within.total_seconds()) from error
        except ValueError as error:
            raise FileCheckBroken("an endless verdict") from error
    if line.endswith(b"\n"):
        return _read(line)
    raise await _without_verdict(process, within)


def _read(line: bytes) -> Verdict:
    try:
        return Verdict.of(line)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileCheckBroken("no verdict") from error


async def _without_verdict(process: Process, within: timedelta) -> Exception:
    """Why it ended silently: the file broke the parser or its limits, or we are at fault."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            said = await _last_words(process)
            code = await process.wait()
    except TimeoutError:
        return FileCheckBroken("neither a verdict nor an end")
    if -code == signal.SIGXCPU:
        return unfinished(MOST_CPU_SECONDS)
    if -code in _FILE_AT_FAULT:
        return refused(UploadReason.DAMAGED, "readable", signal.Signals(-code).name)
    return FileCheckBroken(f"exit code {code}: {said[-500:].decode(errors='replace')}")


async def _last_words(process: Process) -> bytes:
    said, stderr = b"", cast("asyncio.StreamReader", process.stderr)
    while len(said) < _PIECE and (piece := await stderr.read(_PIECE)):
        said += piece
    return said


async def _kept(process: Process, length: int, within: timedelta) -> AsyncIterator[bytes]:
    """The bytes that follow a verdict; waiting for all of them takes `within` at most."""
    left, stdout = length, _stdout(process)
    patience, now = within.total_seconds(), asyncio.get_running_loop().time
    while left:
        since = now()
        piece = await _piece(stdout, min(left, _PIECE), patience)
        left, patience = left - len(piece), patience - (now() - since)
        if not piece:
            raise FileCheckBroken(f"{left} of {length} bytes did not come")
        yield piece


async def _piece(stdout: asyncio.StreamReader, most: int, seconds: float) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            return await stdout.read(most)
    except TimeoutError as error:
        raise FileCheckBroken("the rewritten file does not come") from error
