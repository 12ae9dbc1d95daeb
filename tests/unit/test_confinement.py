"""What the process that parses can still do: nothing but compute and use its pipes."""

import asyncio
import os
import resource
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters import file_check
from adapters.file_checks import landlock, seccomp


def written_below(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())


CONFINED = """
import ctypes, os, resource, socket, sys
sys.path.insert(0, {root!r})
from adapters import linux
from adapters.file_checks import confinement, landlock, seccomp
sink = os.open({folder!r} + "/x", os.O_CREAT | os.O_WRONLY)
plug, ear = socket.socket(), socket.create_server(("127.0.0.1", 0))
place = ear.getsockname()
parent = int(sys.argv[1])
{bind}
for each in {attempts!r}:
    try:
        eval(each)
    except BaseException as error:
        print(type(error).__name__, getattr(error, "errno", None) or "")
    else:
        print("done")
sys.stdout.flush()
sys.stdin.read()
"""

WHOLLY = "confinement.confine(parent)"
BY_LANDLOCK = "linux.prctl(38, 1, 0, 0, 0); landlock.deny_access(landlock.landlock_version())"
BY_SECCOMP = "linux.prctl(38, 1, 0, 0, 0); seccomp.deny_calls()"


@asynccontextmanager
async def confined(folder: Path, bind: str, *attempts: str) -> AsyncIterator[tuple[int, list[str]]]:
    """The id of a process that bound itself, and what came of each of its attempts."""
    root = str(Path(file_check.__file__).parents[1])
    code = CONFINED.format(root=root, folder=str(folder), bind=bind, attempts=attempts)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", code, str(os.getpid()), stdin=-1, stdout=-1, env={}
    )
    assert process.stdin
    assert process.stdout
    try:
        said = [(await process.stdout.readline()).decode().strip() for _ in attempts]
        yield process.pid, said
    finally:
        process.stdin.close()
        await process.wait()


async def test_the_process_has_its_limits(tmp_path: Path) -> None:
    too_much = (
        "bytes(2 * 1024 ** 3)",
        "[os.dup2(0, each) for each in range(15, 20)]",
        "os.write(sink, b'x')",
    )
    async with confined(tmp_path, WHOLLY, *too_much) as (pid, said):
        assert said == ["MemoryError", "OSError 9", "OSError 27"]
        assert resource.prlimit(pid, resource.RLIMIT_NPROC) == (0, 0)
        assert resource.prlimit(pid, resource.RLIMIT_CPU) == (30, 31)
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert written_below(tmp_path) == 0


FORBIDDEN = (
    "open('/proc/%d/environ' % parent)",
    "open('/proc/%d/mem' % parent, 'r+b')",
    "open({key!r})",
    "open('/dev/null')",
    "os.open('.', os.O_RDONLY | os.O_DIRECTORY)",
    "plug.connect(place)",
)
ALSO_FORBIDDEN = (
    "socket.socket()",
    "socket.socketpair()",
    "plug.send(b'x')",
    "os.execv('/bin/true', ['true'])",
    "os.fork()",
    "os.kill(parent, 0)",
    "os.stat('/etc/passwd')",
    "os.pidfd_open(parent)",
    "linux.prctl(4, 1)",
)
PTRACE, READ_MEMORY = {"x86_64": (101, 310), "aarch64": (117, 270)}[os.uname().machine]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file that only its owner reads."""
    made = tmp_path / "key"
    made.write_text("a secret")
    made.chmod(0o400)
    return made


@pytest.mark.parametrize(
    ("bind", "said"),
    [(BY_LANDLOCK, 13), (BY_SECCOMP, 1), (WHOLLY, 1)],
    ids=["landlock", "seccomp", "wholly"],
)
async def test_the_process_reaches_neither_files_nor_the_network(
    tmp_path: Path, key: Path, bind: str, said: int
) -> None:
    # PS-40
    attempts = [each.format(key=str(key)) for each in FORBIDDEN]
    async with confined(tmp_path, bind, *attempts) as (_, came):
        assert came == [f"PermissionError {said}"] * len(attempts)
    async with confined(tmp_path, "pass", *attempts) as (_, came):
        assert came == ["done"] * len(attempts)


async def test_the_process_reaches_no_other_process(tmp_path: Path) -> None:
    # PS-40
    calls = (
        f"linux.system_call({PTRACE}, 16, parent, 0, 0)",
        f"linux.system_call({READ_MEMORY}, parent, 0, 0, 0, 0, 0)",
    )
    attempts = ALSO_FORBIDDEN + calls
    async with confined(tmp_path, WHOLLY, *attempts) as (_, came):
        assert came == ["PermissionError 1"] * len(attempts)


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
async def test_an_older_landlock_is_asked_for_what_it_knows(
    tmp_path: Path, key: Path, version: int
) -> None:
    bind = f"linux.prctl(38, 1, 0, 0, 0); landlock.deny_access({version})"
    async with confined(tmp_path, bind, f"open({str(key)!r})", "plug.connect(place)") as (_, came):
        assert came == ["PermissionError 13", "PermissionError 13" if version >= 4 else "done"]
    assert len(landlock._handled(version)) == (8 if version < 4 else 16 if version < 6 else 24)


async def test_the_process_does_with_what_the_kernel_has(tmp_path: Path) -> None:
    lacking = (
        "confinement.landlock_version = lambda: 0; confinement.knows_seccomp = lambda: False; "
    )
    tries = (
        "open('/dev/null')",
        "bytes(2 * 1024 ** 3)",
        *["print(confinement.missing_confinement())"],
    )
    async with confined(tmp_path, lacking + WHOLLY, *tries) as (_, said):
        assert said == ["done", "MemoryError", "('landlock', 'seccomp')"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_lets_nothing_but_its_list_through(machine: str) -> None:
    audited, calls = seccomp._MACHINES[machine]
    code = seccomp.program(machine)
    allowed = {number for number in range(1024) if answer_of(code, audited, number) == ALLOWED}
    assert allowed == set(calls.values())
    assert answer_of(code, audited, 0x40000000 | calls["read"]) == EPERM
    assert answer_of(code, 0x40000003, calls["read"]) == KILLED


ALLOWED, EPERM, KILLED = 0x7FFF0000, 0x00050001, 0x80000000


def answer_of(code: bytes, machine: int, number: int) -> int:
    """What a filter says of a call, by the few instructions it is made of."""
    steps: list[tuple[int, int, int, int]] = list(struct.iter_unpack("=HBBI", code))
    at, loaded = 0, 0
    while True:
        kind, if_true, if_false, value = steps[at]
        if kind == 0x06:
            return value
        if kind == 0x20:
            loaded, at = {0: number, 4: machine}[value], at + 1
        else:
            at += 1 + (if_true if loaded == value else if_false)
