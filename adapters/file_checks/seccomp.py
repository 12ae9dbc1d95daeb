"""Only what computing on open pipes needs may be asked of the kernel any more (seccomp(2)).

A list of what is allowed: what it does not name, like `open`, `connect`, `kill`, `ptrace`,
`execve` or `clone`, fails with EPERM, as does what future kernels add. A call in another
machine's convention (32 bit on x86_64) ends the process.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Mapping

from adapters.linux import prctl

_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4
_STEP = struct.Struct("=HBBI")
"""An instruction of classic BPF, `struct sock_filter`."""

_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10,
    "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
    "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "dup2": 33,
    "nanosleep": 35, "getpid": 39, "exit": 60, "getcwd": 79, "gettimeofday": 96, "getrusage": 98,
    "sigaltstack": 131, "gettid": 186, "futex": 202, "restart_syscall": 219,
    "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "dup3": 292, "getrandom": 318, "rseq": 334,
}  # fmt: skip
_AARCH64 = {
    "getcwd": 17, "dup3": 24, "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65,
    "writev": 66, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98, "nanosleep": 101,
    "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_yield": 124,
    "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "getrusage": 165, "gettimeofday": 169, "getpid": 172, "gettid": 178,
    "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233,
    "getrandom": 278, "rseq": 293,
}  # fmt: skip
_MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _AARCH64),
}
"""Of each machine the number in `linux/audit.h`, and those of its system calls."""


def knows_seccomp() -> bool:
    """Whether kernel and machine are ones that `deny_calls` can bind."""
    if os.uname().machine not in _MACHINES or sys.maxsize < 1 << 32:
        return False
    try:
        prctl(_SET_SECCOMP, _FILTER, 0)
    except OSError as error:
        # The kernel looks for a filter where there is none: it would take one.
        return error.errno == errno.EFAULT
    return False


def deny_calls() -> None:
    """Bind this process for ever; no_new_privs is set."""
    code = program(os.uname().machine)
    place = ctypes.create_string_buffer(code, len(code))
    # `struct sock_fprog`: how many steps, and where they are.
    stated = ctypes.create_string_buffer(
        struct.pack("@HP", len(code) // _STEP.size, ctypes.addressof(place))
    )
    prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(stated))


def program(machine: str) -> bytes:
    """The filter for a machine, in classic BPF."""
    audited, calls = _MACHINES[machine]
    numbers = sorted(calls.values())
    allowed = [
        _step(_IF_EQUAL, number, if_true=len(numbers) - place)
        for place, number in enumerate(numbers)
    ]
    return b"".join(
        [
            _step(_LOAD, _MACHINE_AT),
            _step(_IF_EQUAL, audited, if_true=1),
            _step(_RETURN, _KILL),
            _step(_LOAD, _NUMBER_AT),
            *allowed,
            _step(_RETURN, _REFUSE),
            _step(_RETURN, _ALLOW),
        ]
    )


def _step(code: int, value: int, *, if_true: int = 0) -> bytes:
    """One instruction; `if_true` is how many are jumped over when what was loaded is `value`."""
    return _STEP.pack(code, if_true, 0, value)
